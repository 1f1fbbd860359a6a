// A small X-ray angiography run that nobody took, to try every way that images go: it says of itself what it is.

import { encodeDataSet } from '../dicom/data-set-writer.ts';
import type { DicomJson, JsonElement } from '../dicom/dicom-json.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { newUid } from '../dicom/uid.ts';
import { SourceDataSet } from '../dimse/source-data-set.ts';
import type { StoreItem } from '../scu/item-queue.ts';
import { byteSourceOf } from '../util/byte-source.ts';

const XA_IMAGE = '1.2.840.10008.5.1.4.1.1.12.1';
const SIZE = 64;
const FRAMES = 3;

export interface TestStudy {
  readonly studyUid: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Native pixels, little endian. */
  readonly pixels: Buffer;
  readonly item: StoreItem;
}

export function testStudy(now: Date): TestStudy {
  const [studyUid, seriesUid, sopInstanceUid] = [newUid(), newUid(), newUid()];
  const pixels = vesselPixels();
  const [date, time] = now.toISOString().split('T') as [string, string];
  const da = text('DA', date.replaceAll('-', ''));
  const tm = text('TM', time.slice(0, 8).replaceAll(':', ''));
  const json: DicomJson = {
    '00080008': text('CS', 'ORIGINAL', 'PRIMARY', 'SINGLE PLANE'),
    '00080016': text('UI', XA_IMAGE),
    '00080018': text('UI', sopInstanceUid),
    '00080020': da,
    '00080021': da,
    '00080023': da,
    '00080030': tm,
    '00080033': tm,
    '00080050': { vr: 'SH' },
    '00080060': text('CS', 'XA'),
    '00080070': text('LO', 'AngioVault'),
    '00080090': { vr: 'PN' },
    '00081030': text('LO', 'AngioVault connection test'),
    '0008103E': text('LO', 'May be deleted'),
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'ANGIOVAULT^CONNECTION TEST' }] },
    '00100020': text('LO', 'ANGIOVAULT-TEST'),
    '00100030': { vr: 'DA' },
    '00100040': text('CS', 'O'),
    '00180060': { vr: 'DS', Value: ['70'] },
    '00181063': { vr: 'DS', Value: ['66'] },
    '00181155': text('CS', 'GR'),
    '0020000D': text('UI', studyUid),
    '0020000E': text('UI', seriesUid),
    '00200010': { vr: 'SH' },
    '00200011': { vr: 'IS', Value: ['1'] },
    '00200013': { vr: 'IS', Value: ['1'] },
    '00280002': { vr: 'US', Value: [1] },
    '00280004': text('CS', 'MONOCHROME2'),
    '00280008': { vr: 'IS', Value: [String(FRAMES)] },
    '00280009': { vr: 'AT', Value: ['00181063'] },
    '00280010': { vr: 'US', Value: [SIZE] },
    '00280011': { vr: 'US', Value: [SIZE] },
    '00280100': { vr: 'US', Value: [16] },
    '00280101': { vr: 'US', Value: [12] },
    '00280102': { vr: 'US', Value: [11] },
    '00280103': { vr: 'US', Value: [0] },
    '00281040': text('CS', 'LIN'),
    '7FE00010': { vr: 'OW', InlineBinary: pixels },
  };
  const native = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
  const item: StoreItem = {
    sopClassUid: XA_IMAGE,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    canConvert: (target) => native.includes(target),
    open: async (transferSyntaxUid) =>
      Object.assign(new SourceDataSet(byteSourceOf(encodeDataSet(json, { transferSyntaxUid }))), {
        close: () => {},
      }),
  };
  return { studyUid, sopClassUid: XA_IMAGE, sopInstanceUid, pixels, item };
}

function text(vr: string, ...values: string[]): JsonElement {
  return { vr, Value: values };
}

/** Contrast running down a vessel: dark on bright, more of it in every frame. */
function vesselPixels(): Buffer {
  const pixels = Buffer.alloc(2 * SIZE * SIZE * FRAMES);
  for (let at = 0; at < SIZE * SIZE * FRAMES; at += 1) {
    const [x, y, frame] = [at % SIZE, Math.floor(at / SIZE) % SIZE, Math.floor(at / (SIZE * SIZE))];
    const isVessel = Math.abs(x - SIZE / 2 - 8 * Math.sin(y / 9)) < 4 && y < ((frame + 1) * SIZE) / FRAMES;
    pixels.writeUInt16LE((isVessel ? 600 : 2800) + ((x * 7 + y * 13 + frame * 31) % 128), 2 * at);
  }
  return pixels;
}
