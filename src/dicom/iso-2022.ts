// Text with code extensions: escape sequences switch between character sets (PS3.5 §6.1.2.5).

import iconv from 'iconv-lite';
import { ASCII, CODE_SETS, type CodeSet, ESCAPES, KATAKANA, ROMAJI } from './code-sets.ts';
import { decoderFor } from './text-decoders.ts';
import { vrInfo } from './vr.ts';

export const ESC = 0x1b;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const YEN = '\u00a5';
const OVERLINE = '\u203e';

/** What is active at the start of a value and again after each delimiter: value 1 of Specific Character Set. */
export interface Designations {
  readonly g0: CodeSet;
  readonly g1: CodeSet | undefined;
  /** The sets that may be switched to, in the order of their naming. */
  readonly declared: readonly CodeSet[];
}

/** The designations that a list of ISO-IR numbers makes. */
export function designationsOf(irNumbers: readonly number[]): Designations {
  const declared = irNumbers.map((number) => CODE_SETS.get(number)).filter((set) => set !== undefined);
  const first = declared[0] ?? ASCII;
  return {
    g0: first === KATAKANA ? ROMAJI : ASCII,
    g1: first.slot === 1 ? first : undefined,
    declared: declared.includes(KATAKANA) ? [ROMAJI, ...declared] : declared,
  };
}

/** The bytes after which the initial sets are active again, besides control characters (PS3.5 §6.1.2.5.3). */
function delimitersOf(vr: string): string {
  if (vr === 'PN') return '\\^=';
  return vrInfo(vr).multiValued ? '\\' : '';
}

export function decodeIso2022(value: Buffer, initial: Designations, vr: string): string {
  const delimiters = delimitersOf(vr);
  const runs = new RunDecoder(value.length);
  let { g0, g1 } = initial;
  let index = 0;
  while (index < value.length) {
    const byte = value[index]!;
    if (byte === ESC) {
      const { set, bytes } = escapeAt(value, index);
      if (set?.slot === 0) g0 = set;
      else if (set !== undefined) g1 = set;
      index += bytes;
      continue;
    }
    if (byte >= 0x80) {
      index += runs.add(g1 ?? fallback(initial), value, index, delimiters);
      continue;
    }
    const delimits = byte < 0x20 || (!g0.double && delimiters.includes(String.fromCharCode(byte)));
    if (delimits) ({ g0, g1 } = initial);
    if (g0 === ROMAJI && !delimits && (byte === BACKSLASH || byte === TILDE)) {
      runs.addText(byte === BACKSLASH ? YEN : OVERLINE);
      index += 1;
    } else {
      index += runs.add(delimits ? ASCII : g0, value, index, delimiters);
    }
  }
  return runs.finish();
}

// Deviation (PS3.5 §6.1.2.5.3): accepts G1 bytes without the escape that the component lacks, because Korean and
// Chinese systems write it once per value: the first declared set that could hold them is meant.
function fallback(initial: Designations): CodeSet {
  return initial.declared.find((set) => set.slot === 1) ?? CODE_SETS.get(100)!;
}

// An escape sequence nobody knows is left out: ESC, intermediate bytes, final byte (ISO/IEC 2022).
function escapeAt(value: Buffer, index: number): { set: CodeSet | undefined; bytes: number } {
  let end = index + 1;
  while (end < value.length && value[end]! >= 0x20 && value[end]! <= 0x2f) end += 1;
  const set = ESCAPES.get(value.toString('latin1', index, end + 1));
  return { set, bytes: Math.min(end + 1, value.length) - index };
}

// Collects the bytes of one set in the form its TextDecoder takes, and decodes run by run.
class RunDecoder {
  readonly #run: Buffer;
  #length = 0;
  #decoder = '';
  #text = '';

  constructor(valueBytes: number) {
    this.#run = Buffer.allocUnsafe(2 * valueBytes); // shifts add at most one byte to one
  }

  /** Takes one character; returns how many bytes of the value it was. */
  add(set: CodeSet, value: Buffer, index: number, delimiters: string): number {
    const first = value[index]!;
    const second = value[index + 1];
    const pair =
      set.double && first > 0x20 && second !== undefined && isSecond(set, first, second, delimiters);
    const high = set.slot === 0 && set.decoder !== ASCII.decoder && first > 0x20 ? 0x80 : 0;
    if (this.#decoder !== set.decoder) this.#flush(set.decoder);
    if (set.shift !== undefined && (pair || !set.double)) this.#put(set.shift);
    this.#put(first | high);
    if (pair) this.#put(second! | high);
    return pair ? 2 : 1;
  }

  addText(text: string): void {
    this.#flush('');
    this.#text += text;
  }

  finish(): string {
    this.#flush('');
    return this.#text;
  }

  #put(byte: number): void {
    this.#run[this.#length] = byte;
    this.#length += 1;
  }

  #flush(next: string): void {
    if (this.#length > 0) this.#text += decoderFor(this.#decoder).decode(this.#run.subarray(0, this.#length));
    this.#length = 0;
    this.#decoder = next;
  }
}

function isSecond(set: CodeSet, first: number, second: number, delimiters: string): boolean {
  if (set.slot === 0) return second > 0x20 && second < 0x7f;
  if (second >= 0x80) return true;
  // Deviation (PS3.5 §6.1.2.5.4): accepts the low second bytes of GBK and CP949, which extend these sets.
  return first >= 0x81 && second >= 0x40 && !delimiters.includes(String.fromCharCode(second));
}

/** Unmappable characters become '?'. */
export function encodeIso2022(text: string, initial: Designations, vr: string): Buffer {
  const delimiters = delimitersOf(vr);
  const parts: Buffer[] = [];
  let { g0, g1 } = initial;
  const put = (set: CodeSet, bytes: Buffer): void => {
    const active = set.slot === 0 ? g0 : g1;
    if (active !== set) parts.push(Buffer.from(set.escape, 'latin1'));
    if (set.slot === 0) g0 = set;
    else g1 = set;
    parts.push(bytes);
  };
  for (const character of text) {
    const delimits = character < ' ' || delimiters.includes(character);
    const candidates = delimits ? [initial.g0] : [g0, g1, initial.g0, initial.g1, ...initial.declared];
    let found = false;
    for (const set of candidates) {
      const bytes = set === undefined ? undefined : encodeIn(set, character, delimiters);
      if (set === undefined || bytes === undefined) continue;
      put(set, bytes);
      found = true;
      break;
    }
    if (!found) put(initial.g0, Buffer.from('?'));
    if (delimits) ({ g0, g1 } = initial);
  }
  if (g0 !== initial.g0) parts.push(Buffer.from(initial.g0.escape, 'latin1'));
  return Buffer.concat(parts);
}

// The bytes of one character in one set, undefined when the set has no such character.
function encodeIn(set: CodeSet, character: string, delimiters: string): Buffer | undefined {
  if (set.encoder === ASCII.encoder) {
    // Where 5C separates values it can be no yen sign.
    if (set === ROMAJI && character === YEN && delimiters === '') return Buffer.from([BACKSLASH]);
    if (set === ROMAJI && character === OVERLINE) return Buffer.from([TILDE]);
    return character < '\x80' && character !== '\x1b' ? Buffer.from(character, 'latin1') : undefined;
  }
  if (character < '\x80') return undefined;
  const encoded = iconv.encode(character, set.encoder);
  if (encoded[0] === 0x3f) return undefined;
  const shifted = encoded[0] === 0x8e || encoded[0] === 0x8f ? encoded[0] : undefined;
  const bytes = set.shift === undefined ? encoded : encoded.subarray(1);
  // The encodings hold more than the set: EUC other sets behind shifts, GBK and CP949 extensions below A1.
  const isEuc = set.encoder === 'euc-jp';
  if (isEuc && shifted !== set.shift) return undefined;
  if (bytes.length !== (set.double ? 2 : 1)) return undefined;
  if (set.double && (bytes[0]! < 0xa1 || bytes[1]! < 0xa1)) return undefined;
  return set.slot === 0 ? Buffer.from(bytes.map((byte) => byte & 0x7f)) : bytes;
}
