// A data set as read: elements with their raw bytes (PS3.5 §7.1).

import { SPECIFIC_CHARACTER_SET } from './tag.ts';
import { vrInfo } from './vr.ts';

const BACKSLASH = 0x5c;

export interface Element {
  readonly tag: number;
  readonly vr: string;
  /** The raw bytes, a view of what was read. Empty for sequences and for values that were not kept (see `length`). */
  readonly value: Buffer;
  /** Of a sequence only. */
  readonly items?: readonly DataSet[];
  /** As declared; 0xFFFFFFFF undefined. Greater than `value.length` when the value was not kept. */
  readonly length: number;
}

export class DataSet {
  readonly elements: ReadonlyMap<number, Element>;
  readonly bigEndian: boolean;

  constructor(elements: ReadonlyMap<number, Element>, bigEndian: boolean) {
    this.elements = elements;
    this.bigEndian = bigEndian;
  }

  has(tag: number): boolean {
    return this.elements.has(tag);
  }

  /** The first value of a UID, code or other text of the default repertoire, without padding; undefined when
   *  absent or empty. */
  string(tag: number): string | undefined {
    const value = this.elements.get(tag)?.value;
    if (value === undefined || value.length === 0) return undefined;
    const end = value.indexOf(BACKSLASH);
    return trimPadding(value.toString('latin1', 0, end < 0 ? value.length : end)) || undefined;
  }

  /** All values of such an attribute; a blank value keeps its place as ''. */
  strings(tag: number): string[] {
    const value = this.elements.get(tag)?.value;
    return value === undefined || value.length === 0
      ? []
      : value
          .toString('latin1')
          .split('\\')
          .map((part) => trimPadding(part));
  }

  /** The first value of a numeric attribute (binary, IS or DS); undefined when absent, empty or not a number. */
  number(tag: number): number | undefined {
    const element = this.elements.get(tag);
    if (element === undefined) return undefined;
    const first = numbersOf(element, this.bigEndian, 1)[0];
    if (first !== undefined) return Number(first);
    return element.vr === 'IS' || element.vr === 'DS' ? decimalOf(this.string(tag) ?? '') : undefined;
  }

  items(tag: number): readonly DataSet[] {
    return this.elements.get(tag)?.items ?? [];
  }

  /** Specific Character Set (PS3.3 §C.12.1.1.2); a blank first value, meaning the default, is ''. */
  get characterSets(): string[] {
    return this.strings(SPECIFIC_CHARACTER_SET);
  }
}

type NumberReader = (value: Buffer, offset: number) => number | bigint;

const LITTLE: Readonly<Record<string, NumberReader>> = {
  US: (value, offset) => value.readUInt16LE(offset),
  SS: (value, offset) => value.readInt16LE(offset),
  UL: (value, offset) => value.readUInt32LE(offset),
  SL: (value, offset) => value.readInt32LE(offset),
  FL: (value, offset) => value.readFloatLE(offset),
  FD: (value, offset) => value.readDoubleLE(offset),
  UV: (value, offset) => value.readBigUInt64LE(offset),
  SV: (value, offset) => value.readBigInt64LE(offset),
};
const BIG: Readonly<Record<string, NumberReader>> = {
  US: (value, offset) => value.readUInt16BE(offset),
  SS: (value, offset) => value.readInt16BE(offset),
  UL: (value, offset) => value.readUInt32BE(offset),
  SL: (value, offset) => value.readInt32BE(offset),
  FL: (value, offset) => value.readFloatBE(offset),
  FD: (value, offset) => value.readDoubleBE(offset),
  UV: (value, offset) => value.readBigUInt64BE(offset),
  SV: (value, offset) => value.readBigInt64BE(offset),
};

/** The numbers of a binary numeric element; none for other VRs. A last number cut short is left out. */
export function numbersOf(element: Element, bigEndian: boolean, most = Infinity): (number | bigint)[] {
  const read = (bigEndian ? BIG : LITTLE)[element.vr];
  if (read === undefined) return [];
  const { unitBytes } = vrInfo(element.vr);
  const count = Math.min(most, Math.floor(element.value.length / unitBytes));
  const numbers: (number | bigint)[] = [];
  for (let index = 0; index < count; index += 1) numbers.push(read(element.value, index * unitBytes));
  return numbers;
}

const DECIMAL_FORM = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const MAX_DECIMAL_LENGTH = 64;

/** The number that an IS or DS value writes (PS3.5 §6.2); undefined when it writes none, or one that a JavaScript
 *  number cannot hold. */
export function decimalOf(text: string): number | undefined {
  if (text.length > MAX_DECIMAL_LENGTH || !DECIMAL_FORM.test(text)) return undefined;
  const number = Number(text) + 0; // + 0: JSON has no −0
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

/** Without blanks and NULs at the end and, unless told otherwise, at the start. No regular expression: those take
 *  quadratic time on what a stranger can send.
 *  Deviation (PS3.5 §6.2): accepts NUL where blanks pad and blanks where NUL pads, because vendors mix them up. */
export function trimPadding(value: string, leading = true): string {
  let start = 0;
  let end = value.length;
  while (end > 0 && isPadding(value.charCodeAt(end - 1))) end -= 1;
  if (leading) while (start < end && isPadding(value.charCodeAt(start))) start += 1;
  return value.slice(start, end);
}

function isPadding(code: number): boolean {
  return code === 0x20 || code === 0;
}
