// Huffman tables of lossless JPEG, prepared for decoding a code and its difference in one look (T.81 Annex C, F.2.2.3).

import { malformed } from './errors.ts';

/** Bits that the fast table looks at. */
export const FAST_BITS = 12;
/** Entry of the fast table that holds a whole difference: (difference << 8) | COMPLETE | bits taken. */
export const COMPLETE = 0x80;
export const BITS_MASK = 0x3f;
const MAX_CODE_BITS = 16;

export interface HuffmanTable {
  /** By the next 12 bits: COMPLETE entries, or (category << 8) | code bits; 0: the code is longer. */
  readonly fast: Int32Array;
  /** By code length: the first 16-bit pattern that is past the codes of this length. */
  readonly limits: Int32Array;
  /** By code length: what turns a code into an index into `categories`. */
  readonly indexes: Int32Array;
  readonly categories: Uint8Array;
}

/** Reads a DHT segment's tables into `tables`, by destination (T.81 §B.2.4.2). */
export function readHuffmanTables(body: Buffer, tables: (HuffmanTable | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const destination = body[at]!;
    const counts = body.subarray(at + 1, at + 1 + MAX_CODE_BITS);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const categories = body.subarray(at + 1 + MAX_CODE_BITS, at + 1 + MAX_CODE_BITS + total);
    if (categories.length !== total || counts.length !== MAX_CODE_BITS || destination > 3) {
      throw malformed('A JPEG Huffman table is cut short, or not one of lossless coding');
    }
    tables[destination] = buildTable(counts, Uint8Array.from(categories));
    at += 1 + MAX_CODE_BITS + total;
  }
}

function buildTable(counts: Buffer, categories: Uint8Array): HuffmanTable {
  // T.81 Table H.2: a difference has at most 16 bits.
  if (categories.some((category) => category > 16))
    throw malformed('A JPEG Huffman table has a category above 16');
  const fast = new Int32Array(1 << FAST_BITS);
  const limits = new Int32Array(MAX_CODE_BITS + 1);
  const indexes = new Int32Array(MAX_CODE_BITS + 1);
  let code = 0;
  let index = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits += 1) {
    const count = counts[bits - 1]!;
    if (code + count > 1 << bits) throw malformed('A JPEG Huffman table has more codes than fit');
    indexes[bits] = index - code;
    for (let end = index + count; index < end; index += 1, code += 1) {
      if (bits <= FAST_BITS) fillFast(fast, code, bits, categories[index]!);
    }
    limits[bits] = code << (MAX_CODE_BITS - bits);
    code <<= 1;
  }
  return { fast, limits, indexes, categories };
}

function fillFast(fast: Int32Array, code: number, bits: number, category: number): void {
  const suffixBits = FAST_BITS - bits;
  const extraBits = category === 16 ? 0 : category;
  for (let suffix = 0; suffix < 1 << suffixBits; suffix += 1) {
    const entry =
      extraBits <= suffixBits
        ? (difference(category, suffix >> (suffixBits - extraBits)) << 8) | COMPLETE | (bits + extraBits)
        : (category << 8) | bits;
    fast[(code << suffixBits) | suffix] = entry;
  }
}

/** T.81 §H.1.2.2: category 16 stands for 32768 alone, without further bits. */
export function difference(category: number, extra: number): number {
  if (category === 0) return 0;
  if (category === 16) return 32768;
  return extra < 1 << (category - 1) ? extra - (1 << category) + 1 : extra;
}
