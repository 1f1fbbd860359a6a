// Look-up tables as data sets carry them: a descriptor of three numbers, and the entries (PS3.3 §C.11.1.1, §C.7.6.3.1.5).

import { type DataSet, numbersOf } from '../data-set.ts';
import { malformedImage } from './errors.ts';

export interface LookupTable {
  /** The input that the first entry belongs to. */
  readonly first: number;
  readonly entries: ArrayLike<number>;
  /** The largest value that an entry may have. */
  readonly maximum: number;
}

/** The table, undefined when there is none. `signed`: its inputs can be negative. */
export function lookupTableOf(
  dataSet: DataSet,
  descriptorTag: number,
  dataTag: number,
  signed: boolean,
): LookupTable | undefined {
  const descriptor = dataSet.elements.get(descriptorTag);
  const data = dataSet.elements.get(dataTag);
  if (descriptor === undefined || data === undefined) return undefined;
  const [count = 0, first = 0, bits = 0] = numbersOf(descriptor, dataSet.bigEndian, 3).map(Number);
  // 65536 does not fit into the field, and goes as 0; signed tables say everything above 32767 below zero.
  const entries = (count & 0xffff) === 0 ? 65536 : count & 0xffff;
  if (bits < 1 || bits > 16) throw malformedImage(`A look-up table has entries of ${bits} bits`);
  const { value } = data;
  const words = value.length >= entries * 2;
  if (!words && value.length < entries) {
    throw malformedImage(`A look-up table has ${value.length} bytes for ${entries} entries`);
  }
  const read = words
    ? (index: number) => (dataSet.bigEndian ? value.readUInt16BE(index * 2) : value.readUInt16LE(index * 2))
    : (index: number) => value[index]!;
  return {
    first: signed ? (first << 16) >> 16 : first & 0xffff,
    entries: Uint16Array.from({ length: entries }, (_, index) => read(index)),
    maximum: 2 ** bits - 1,
  };
}

/** Inputs beyond the ends get what the ends have. */
export function lookUp({ first, entries }: LookupTable, input: number): number {
  const index = Math.round(input) - first;
  return entries[Math.min(Math.max(index, 0), entries.length - 1)]!;
}
