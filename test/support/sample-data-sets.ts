// Sample files cut into what a byte-exact sender needs: their data set bytes and the UIDs inside, read without
// the product's own reader (PS3.10 §7.1, PS3.5 §7).

import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { trimmed } from './byte-elements.ts';
import type { BytesInstance } from './byte-services.ts';

export const EXPLICIT_BE = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';
const IMPLICIT_LE = '1.2.840.10008.1.2';
const EXPLICIT_LE = '1.2.840.10008.1.2.1';

export interface CutFile {
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
}

export interface SampleInstance extends BytesInstance {
  readonly path: string;
  readonly dataSet: Buffer;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly patientId: string;
}

const LONG_FORM = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'UC', 'UN', 'UR', 'UT', 'SV', 'UV']);
const WANTED = new Map<number, 'sopClassUid' | 'sopInstanceUid' | 'patientId' | 'studyUid' | 'seriesUid'>([
  [0x00080016, 'sopClassUid'],
  [0x00080018, 'sopInstanceUid'],
  [0x00100020, 'patientId'],
  [0x0020000d, 'studyUid'],
  [0x0020000e, 'seriesUid'],
]);
const LAST_WANTED = 0x0020000e;
const SAMPLES_PER_PIXEL = 0x00280002;
const PLANAR_CONFIGURATION = 0x00280006;
const ROWS = 0x00280010;
const COLUMNS = 0x00280011;
const BITS_ALLOCATED = 0x00280100;
const PIXEL_DATA = 0x7fe00010;
const UNDEFINED_LENGTH = 0xffffffff;

export type Identity = Record<
  'sopClassUid' | 'sopInstanceUid' | 'patientId' | 'studyUid' | 'seriesUid',
  string
>;

/** Where the data set begins and in which transfer syntax it is, for files with and without meta information. */
export function cutFile(path: string): CutFile {
  const bytes = readFileSync(path);
  const withPreamble = bytes.length >= 132 && bytes.toString('latin1', 128, 132) === 'DICM';
  let offset = withPreamble ? 132 : 0;
  let transferSyntaxUid = '';
  while (offset + 8 <= bytes.length && bytes.readUInt16LE(offset) === 0x0002) {
    const vr = bytes.toString('latin1', offset + 4, offset + 6);
    const headerBytes = LONG_FORM.has(vr) ? 12 : 8;
    const length = headerBytes === 12 ? bytes.readUInt32LE(offset + 8) : bytes.readUInt16LE(offset + 6);
    const value = bytes.subarray(offset + headerBytes, offset + headerBytes + length);
    if (bytes.readUInt16LE(offset + 2) === 0x0010) transferSyntaxUid = trimmed(value);
    offset += headerBytes + length;
  }
  const dataSet = bytes.subarray(offset);
  return { transferSyntaxUid: transferSyntaxUid || guessedSyntax(dataSet), dataSet };
}

/** Without meta information: two capital letters after the first tag are a VR, a small group says the byte order. */
function guessedSyntax(dataSet: Buffer): string {
  if (!/^[A-Z]{2}$/.test(dataSet.toString('latin1', 4, 6))) return IMPLICIT_LE;
  return dataSet.length > 1 && dataSet.readUInt16LE(0) > 0x00ff ? EXPLICIT_BE : EXPLICIT_LE;
}

/** The identifying values at the top level of a data set; throws where the data set cannot be followed. */
export function identityOf({ dataSet, transferSyntaxUid }: CutFile): Identity {
  const bytes = transferSyntaxUid === DEFLATED ? inflateRawSync(dataSet, { finishFlush: 2 }) : dataSet;
  const explicit = transferSyntaxUid !== IMPLICIT_LE;
  const cursor = new Cursor(bytes, explicit, transferSyntaxUid === EXPLICIT_BE);
  const identity: Identity = {
    sopClassUid: '',
    sopInstanceUid: '',
    patientId: '',
    studyUid: '',
    seriesUid: '',
  };
  while (cursor.offset + 8 <= bytes.length) {
    const { tag, length } = cursor.header();
    if (tag > LAST_WANTED) break;
    const name = WANTED.get(tag);
    if (name !== undefined)
      identity[name] = trimmed(bytes.subarray(cursor.offset, cursor.offset + length)).trim();
    cursor.skip(length);
  }
  return identity;
}

/** The pixels of an uncompressed little endian data set, colour by pixel whichever way they lie there (PS3.3
 *  §C.7.6.3.1.3), so that two decoders can be compared that chose differently. */
export function pixelsOf({ dataSet, transferSyntaxUid }: CutFile): Buffer {
  const values = new Map<number, Buffer>();
  const cursor = new Cursor(dataSet, transferSyntaxUid !== IMPLICIT_LE, false);
  while (cursor.offset + 8 <= dataSet.length) {
    const { tag, length } = cursor.header();
    if (tag >>> 16 === 0x0028 || tag === PIXEL_DATA) {
      values.set(tag, dataSet.subarray(cursor.offset, cursor.offset + length));
    }
    cursor.skip(length);
  }
  const pixels = values.get(PIXEL_DATA);
  if (pixels === undefined) throw new Error('no Pixel Data');
  const number = (tag: number): number => values.get(tag)?.readUInt16LE(0) ?? 0;
  const isPlanar = number(PLANAR_CONFIGURATION) === 1 && number(SAMPLES_PER_PIXEL) === 3;
  if (!isPlanar || number(BITS_ALLOCATED) !== 8) return pixels;
  const plane = number(ROWS) * number(COLUMNS);
  const byPixel = Buffer.from(pixels);
  for (let frame = 0; frame + 3 * plane <= pixels.length; frame += 3 * plane) {
    for (let at = 0; at < 3 * plane; at += 1)
      byPixel[frame + at] = pixels[frame + (at % 3) * plane + Math.floor(at / 3)]!;
  }
  return byPixel;
}

/** Walks elements without keeping them; sequences of undefined length are walked item by item. */
class Cursor {
  offset = 0;
  readonly #bytes: Buffer;
  readonly #explicit: boolean;
  readonly #bigEndian: boolean;

  constructor(bytes: Buffer, explicit: boolean, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#explicit = explicit;
    this.#bigEndian = bigEndian;
  }

  #uint16(offset: number): number {
    return this.#bigEndian ? this.#bytes.readUInt16BE(offset) : this.#bytes.readUInt16LE(offset);
  }

  #uint32(offset: number): number {
    return this.#bigEndian ? this.#bytes.readUInt32BE(offset) : this.#bytes.readUInt32LE(offset);
  }

  header(): { tag: number; length: number } {
    const start = this.offset;
    const tag = this.#uint16(start) * 0x10000 + this.#uint16(start + 2);
    const vr = this.#bytes.toString('latin1', start + 4, start + 6);
    const short = this.#explicit && tag >>> 16 !== 0xfffe && /^[A-Z]{2}$/.test(vr);
    if (!short) {
      this.offset = start + 8;
      return { tag, length: this.#uint32(start + 4) };
    }
    const long = LONG_FORM.has(vr);
    this.offset = start + (long ? 12 : 8);
    return { tag, length: long ? this.#uint32(start + 8) : this.#uint16(start + 6) };
  }

  skip(length: number): void {
    if (length !== UNDEFINED_LENGTH) {
      this.offset += length;
      return;
    }
    for (;;) {
      const item = this.header();
      if (item.tag === 0xfffee0dd) return;
      if (item.length !== UNDEFINED_LENGTH) this.offset += item.length;
      else this.#skipItem();
    }
  }

  #skipItem(): void {
    for (;;) {
      const { tag, length } = this.header();
      if (tag === 0xfffee00d) return;
      this.skip(length);
    }
  }
}

/** A UID as PS3.5 §9.1 wants it, leading zeros apart, which real files have. */
const LEGAL_UID = /^(?=.{1,64}$)\d+(\.\d+)*$/;

/** The instance in a file, or why an archive cannot be asked to keep it (the rule of the round-trip test): without
 *  a legal SOP Class and SOP Instance UID it is no SOP Instance. One without study or series, as non-patient
 *  objects are (PS3.4 Annex GG), counts as a study of its own under its SOP Instance UID. */
export function identify(path: string): SampleInstance | { readonly unusable: string } {
  const cut = cutFile(path);
  const identity = identityOf(cut);
  const studyUid = identity.studyUid || identity.sopInstanceUid;
  const seriesUid = identity.seriesUid || identity.sopInstanceUid;
  for (const [name, value] of Object.entries({ ...identity, studyUid, seriesUid })) {
    if (name === 'patientId') continue;
    if (value === '') return { unusable: `no ${name}` };
    if (!LEGAL_UID.test(value)) return { unusable: `${name} of ${value.length} characters` };
  }
  return { path, ...cut, ...identity, studyUid, seriesUid };
}

/** The instance in a file that is known to hold one. */
export function instanceIn(path: string): SampleInstance {
  const sample = identify(path);
  if ('unusable' in sample) throw new Error(`${path}: ${sample.unusable}`);
  return sample;
}
