// Data element headers in every native encoding: read, and written (PS3.5 §7.1).

import { describeTag, vrOf } from '../dictionary.ts';
import { ITEM, ITEM_DELIMITATION, SEQUENCE_DELIMITATION } from '../tag.ts';
import type { TransferSyntax } from '../transfer-syntax.ts';
import { vrInfo, vrOfBytes } from '../vr.ts';
import type { ByteInput } from './byte-input.ts';
import { malformed } from './errors.ts';

export type Encoding = Pick<TransferSyntax, 'explicit' | 'bigEndian'>;

/** What the contents of UN with undefined length are in, whatever is around it (PS3.5 §6.2.2 note 2). */
export const IMPLICIT: Encoding = { explicit: false, bigEndian: false };

export const UNDEFINED_LENGTH = 0xffffffff;

export interface ElementHeader {
  readonly tag: number;
  /** As encoded, from the dictionary where the encoding is implicit, empty for items and delimiters. */
  readonly vr: string;
  readonly implicit: boolean;
  readonly length: number;
}

const LETTER_A = 0x41;
const LETTER_Z = 0x5a;

/** The next header, undefined at the end of the data set. */
export async function readHeader(input: ByteInput, encoding: Encoding): Promise<ElementHeader | undefined> {
  if (input.available < 12 && !(await input.fill(12)) && input.available < 8) {
    return await endOfDataSet(input);
  }
  const { buffer, offset } = input;
  const { bigEndian } = encoding;
  const group = bigEndian ? buffer.readUInt16BE(offset) : buffer.readUInt16LE(offset);
  const element = bigEndian ? buffer.readUInt16BE(offset + 2) : buffer.readUInt16LE(offset + 2);
  const tag = group * 0x10000 + element;
  const longLength = () => (bigEndian ? buffer.readUInt32BE(offset + 4) : buffer.readUInt32LE(offset + 4));

  if (tag === ITEM || tag === ITEM_DELIMITATION || tag === SEQUENCE_DELIMITATION) {
    input.offset += 8;
    return { tag, vr: '', implicit: true, length: longLength() };
  }
  const first = buffer[offset + 4]!;
  const second = buffer[offset + 5]!;
  // Deviation (PS3.5 §7.1.2): accepts an Implicit VR element among explicit ones, because some private sequences
  // were copied from implicit data sets as they were. What stands in the place of the VR is then no letters.
  if (!encoding.explicit || !isLetter(first) || !isLetter(second)) {
    input.offset += 8;
    return { tag, vr: vrOf(tag), implicit: true, length: longLength() };
  }
  const known = vrOfBytes(first, second);
  const vr = known?.name ?? String.fromCharCode(first, second);
  if (known?.longHeader === false) {
    input.offset += 8;
    const length = bigEndian ? buffer.readUInt16BE(offset + 6) : buffer.readUInt16LE(offset + 6);
    return { tag, vr, implicit: false, length };
  }
  // VRs that a later edition may add have the long form too (PS3.5 §7.1.2).
  if (input.available < 12) throw malformed(`The data set ends inside the header of ${describeTag(tag)}`);
  input.offset += 12;
  const length = bigEndian ? buffer.readUInt32BE(offset + 8) : buffer.readUInt32LE(offset + 8);
  return { tag, vr, implicit: false, length };
}

/** Lays a header into `target` and returns its bytes; 12 are enough. */
export function writeHeader(
  target: Buffer,
  tag: number,
  vr: string,
  length: number,
  encoding: Encoding,
): number {
  const put16 = (value: number, at: number) =>
    encoding.bigEndian ? target.writeUInt16BE(value, at) : target.writeUInt16LE(value, at);
  const put32 = (value: number, at: number) =>
    encoding.bigEndian ? target.writeUInt32BE(value, at) : target.writeUInt32LE(value, at);
  put16(tag >>> 16, 0);
  put16(tag & 0xffff, 2);
  if (!encoding.explicit || vr === '') return put32(length, 4);
  target.write(vr, 4, 'latin1');
  if (!hasLongHeader(vr)) return put16(length, 6);
  put16(0, 6);
  return put32(length, 8);
}

export function headerBytes(vr: string, encoding: Encoding): number {
  return encoding.explicit && vr !== '' && hasLongHeader(vr) ? 12 : 8;
}

/** vrInfo describes a VR that it does not know as UN, which is long: what a later edition's VR is, too. */
export function hasLongHeader(vr: string): boolean {
  return vrInfo(vr).longHeader;
}

function isLetter(byte: number): boolean {
  return byte >= LETTER_A && byte <= LETTER_Z;
}

async function endOfDataSet(input: ByteInput): Promise<undefined> {
  const rest = await input.take(input.available);
  // Deviation (PS3.5 §A.5): accepts fewer than 8 zero bytes at the end of any data set, because files of odd length
  // are padded by some who store them.
  if (rest.every((byte) => byte === 0)) return undefined;
  throw malformed(`The data set ends with ${rest.length} bytes that are no element`);
}
