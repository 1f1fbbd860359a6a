// Instances made up for measurements and limits: any size, any number, no patient. The pixels are noise
// from one block, so that an instance of a gigabyte needs no more memory than a small one.
import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type ElementSpec, encodeElements } from './byte-elements.ts';
import { freshUid, PEER_IMPLEMENTATION_CLASS_UID } from './byte-pdu.ts';

const EXPLICIT_LE = '1.2.840.10008.1.2.1';

/** What an instance looks like: `frames` of rows × columns × 16 bit. */
export interface Shape {
  readonly sopClassUid: string;
  readonly modality: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
}

const CT = { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', modality: 'CT', frames: 1 };
const XA = { sopClassUid: '1.2.840.10008.5.1.4.1.1.12.1', modality: 'XA', rows: 1024, columns: 1024 };

/** The sizes that measurements speak of. */
export const SHAPES = {
  /** just enough to be a study that can be found */
  tiny: { ...CT, rows: 8, columns: 8 },
  '5 KB': { ...CT, rows: 46, columns: 46 },
  '0.5 MB CT': { ...CT, rows: 512, columns: 512 },
  '200 MB XA': { ...XA, frames: 96 },
  '250 MB XA': { ...XA, frames: 120 },
  '1 GB XA': { ...XA, frames: 480 },
} as const satisfies Record<string, Shape>;
export type ShapeName = keyof typeof SHAPES;

export interface SyntheticStudy {
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly patientName: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly accessionNumber: string;
  readonly description: string;
}

export interface SyntheticInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** the data set up to the value of Pixel Data, its last element */
  readonly head: Buffer;
  readonly pixelBytes: number;
}

const FAMILY_NAMES = (
  'WANG LI ZHANG LIU CHEN YANG HUANG ZHAO WU ZHOU XU SUN MA ZHU HU GUO HE LIN GAO LUO ZHENG LIANG XIE SONG TANG ' +
  'HAN FENG DENG CAO PENG ZENG XIAO TIAN DONG PAN YUAN CAI JIANG YU YE CHENG WEI SU LU DING REN LUI YAO FANG JIN ' +
  'MUELLER SCHMIDT WEBER FISCHER BECKER HOFFMANN KOCH WAGNER RICHTER KLEIN SMITH JONES TAYLOR BROWN WILLIAMS ' +
  'GARCIA LOPEZ MARTIN ROSSI FERRARI DUBOIS LAURENT MOREAU SILVA SANTOS KOWALSKI NOVAK IVANOV PETROV HANSEN ' +
  'LARSEN NIELSEN VIRTANEN KORHONEN TANAKA SUZUKI SATO YAMADA KIM PARK CHOI NGUYEN TRAN PHAM SINGH KUMAR PATEL'
).split(' ');
const SYLLABLES = (
  'AN BAO BIN BO CHAO CHUN DA FANG FEI FU GANG GUANG HAI HONG HUA HUI JIA JIAN JIE JING JUN KAI LAN LEI LING ' +
  'MEI MIN NA NING PING QIANG QING RONG RUI SHAN TAO TING WEN XIN YAN'
).split(' ');
const DAYS = 3650;

/** Study number `index` of a population that spreads over names and ten years of dates; the same index is
 *  the same study, apart from its UID when the root differs. */
export function syntheticStudy(index: number, uidRoot: string): SyntheticStudy {
  const mixed = mix(index);
  const given = SYLLABLES[(mixed >>> 7) % SYLLABLES.length]! + SYLLABLES[(mixed >>> 13) % SYLLABLES.length]!;
  return {
    studyInstanceUid: `${uidRoot}.${1_000_000 + index}`,
    patientId: `P${String(index).padStart(7, '0')}`,
    patientName: `${FAMILY_NAMES[mixed % FAMILY_NAMES.length]}^${given}`,
    birthDate: dicomDate(Date.UTC(1930, 0, 1) + ((mixed >>> 3) % 25_000) * 86_400_000),
    sex: mixed % 2 === 0 ? 'F' : 'M',
    studyDate: dicomDate(Date.UTC(2015, 0, 1) + ((mixed >>> 5) % DAYS) * 86_400_000),
    studyTime: `${pad(8 + (mixed % 10))}${pad((mixed >>> 4) % 60)}${pad((mixed >>> 9) % 60)}`,
    accessionNumber: `A${String(index).padStart(8, '0')}`,
    description: 'Cerebral angiography',
  };
}

/** A UID root of this run, so that nothing made in another run is met again. */
export function newUidRoot(): string {
  return freshUid().slice(0, 34);
}

/** Instance `instanceNumber` of series `seriesNumber`; numbers up to a million keep their UIDs one length. */
export function syntheticInstance(
  study: SyntheticStudy,
  shape: Shape,
  seriesNumber: number,
  instanceNumber: number,
): SyntheticInstance {
  const seriesInstanceUid = `${study.studyInstanceUid}.${1000 + seriesNumber}`;
  const sopInstanceUid = `${seriesInstanceUid}.${1_000_000 + instanceNumber}`;
  const pixelBytes = 2 * shape.rows * shape.columns * shape.frames;
  const elements: ElementSpec[] = [
    { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 100' },
    { tag: 0x00080008, vr: 'CS', value: 'ORIGINAL\\PRIMARY' },
    { tag: 0x00080016, vr: 'UI', value: shape.sopClassUid },
    { tag: 0x00080018, vr: 'UI', value: sopInstanceUid },
    { tag: 0x00080020, vr: 'DA', value: study.studyDate },
    { tag: 0x00080021, vr: 'DA', value: study.studyDate },
    { tag: 0x00080030, vr: 'TM', value: study.studyTime },
    { tag: 0x00080050, vr: 'SH', value: study.accessionNumber },
    { tag: 0x00080060, vr: 'CS', value: shape.modality },
    { tag: 0x00080070, vr: 'LO', value: 'Synthetic' },
    { tag: 0x00080090, vr: 'PN', value: 'REFERRING^DOCTOR' },
    { tag: 0x00081030, vr: 'LO', value: study.description },
    { tag: 0x0008103e, vr: 'LO', value: `Series ${seriesNumber}` },
    { tag: 0x00100010, vr: 'PN', value: study.patientName },
    { tag: 0x00100020, vr: 'LO', value: study.patientId },
    { tag: 0x00100030, vr: 'DA', value: study.birthDate },
    { tag: 0x00100040, vr: 'CS', value: study.sex },
    { tag: 0x0020000d, vr: 'UI', value: study.studyInstanceUid },
    { tag: 0x0020000e, vr: 'UI', value: seriesInstanceUid },
    { tag: 0x00200010, vr: 'SH', value: study.accessionNumber.slice(-6) },
    { tag: 0x00200011, vr: 'IS', value: String(seriesNumber) },
    { tag: 0x00200013, vr: 'IS', value: String(instanceNumber) },
    { tag: 0x00280002, vr: 'US', value: 1 },
    { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
    { tag: 0x00280008, vr: 'IS', value: String(shape.frames) },
    { tag: 0x00280010, vr: 'US', value: shape.rows },
    { tag: 0x00280011, vr: 'US', value: shape.columns },
    { tag: 0x00280100, vr: 'US', value: 16 },
    { tag: 0x00280101, vr: 'US', value: 16 },
    { tag: 0x00280102, vr: 'US', value: 15 },
    { tag: 0x00280103, vr: 'US', value: 0 },
  ];
  const pixelData = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixelData.writeUInt32LE(pixelBytes, 8);
  const head = Buffer.concat([encodeElements(withoutSingleFrame(elements, shape), true), pixelData]);
  return { sopClassUid: shape.sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LE, head, pixelBytes };
}

/** The whole data set in slices; the pixels are never copied. */
export function* dataSetChunks(instance: SyntheticInstance): Generator<Buffer> {
  yield instance.head;
  for (let left = instance.pixelBytes; left > 0; left -= NOISE.length) {
    yield left < NOISE.length ? NOISE.subarray(0, left) : NOISE;
  }
}

/** Writes the instance as a Part 10 file (PS3.10 §7.1). */
export async function writePart10(path: string, instance: SyntheticInstance): Promise<void> {
  const meta = encodeElements(
    [
      { tag: 0x00020001, vr: 'OB', value: Buffer.from([0, 1]) },
      { tag: 0x00020002, vr: 'UI', value: instance.sopClassUid },
      { tag: 0x00020003, vr: 'UI', value: instance.sopInstanceUid },
      { tag: 0x00020010, vr: 'UI', value: instance.transferSyntaxUid },
      { tag: 0x00020012, vr: 'UI', value: PEER_IMPLEMENTATION_CLASS_UID },
    ],
    true,
  );
  const groupLength = Buffer.alloc(4);
  groupLength.writeUInt32LE(meta.length);
  const metaHead = encodeElements([{ tag: 0x00020000, vr: 'UL', value: groupLength }], true);
  const file = await open(path, 'wx');
  try {
    await file.writeFile(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), metaHead, meta]));
    for (const chunk of dataSetChunks(instance)) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

/** Noise is what angiographic pixels are to a disk and a network: nothing in between makes it smaller. */
export const NOISE: Buffer = randomFillSync(Buffer.allocUnsafeSlow(1 << 20));

function withoutSingleFrame(elements: readonly ElementSpec[], shape: Shape): ElementSpec[] {
  return shape.frames > 1 ? [...elements] : elements.filter((element) => element.tag !== 0x00280008);
}

function dicomDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Spreads neighbouring numbers over 32 bits (the finisher of MurmurHash3). */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
