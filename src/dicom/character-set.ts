// Specific Character Set (0008,0005): bytes to text and back (PS3.3 §C.12.1.1.2, PS3.5 §6.1.2).

import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { CODE_SETS, KATAKANA } from './code-sets.ts';
import { type Designations, decodeIso2022, designationsOf, ESC, encodeIso2022 } from './iso-2022.ts';
import { decoderFor } from './text-decoders.ts';

/** How the values of one Specific Character Set are read and written. */
interface Repertoire {
  /** One encoding for everything (no code extensions): 'utf-8', 'gb18030', 'gbk', a single-byte set. */
  readonly whole?: { readonly decoder: string; readonly encoder: string };
  readonly designations: Designations;
  /** The default repertoire, or a name that nobody knows: bytes above 7F have to be guessed. */
  readonly unknown: boolean;
}

/** The text of a value. Values of a multi-valued VR stay separated by '\', and only those separators are '\'.
 *  Never throws: an unknown name is read as UTF-8 where the bytes are that, else as ISO_IR 100. */
export function decodeText(value: Buffer, characterSets: readonly string[], vr: string): string {
  if (value.length === 0) return '';
  const repertoire = repertoireOf(characterSets);
  if (isPlain(value) && repertoire.designations.g1 !== KATAKANA) return value.toString('latin1');
  const escaped = value.includes(ESC);
  if (repertoire.whole !== undefined && !(escaped && isSingleByte(repertoire.whole.decoder))) {
    return decoderFor(repertoire.whole.decoder).decode(value);
  }
  // Deviation (PS3.5 §6.1.2.1): accepts bytes above 7F without a character set, because many systems never name it.
  if (repertoire.unknown && !escaped)
    return decoderFor(isUtf8(value) ? 'utf-8' : 'windows-1252').decode(value);
  return decodeIso2022(value, repertoire.designations, vr);
}

/** The bytes of a text; characters that the sets do not have become '?'. No padding. */
export function encodeText(text: string, characterSets: readonly string[], vr: string): Buffer {
  if (isAsciiText(text)) return Buffer.from(text, 'latin1');
  const { whole, designations } = repertoireOf(characterSets);
  if (whole === undefined) return encodeIso2022(text, designations, vr);
  return iconv.encode(text.replaceAll('\x1b', '?'), whole.encoder);
}

/** Whether every character set writes this text in the same bytes. */
export function isAsciiText(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7e || code === ESC) return false;
  }
  return true;
}

// ASCII without escape sequences, as most values are. Asking the platform costs more than looking at so few bytes.
function isPlain(value: Buffer): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const byte = value[index]!;
    if (byte > 0x7f || byte === ESC) return false;
  }
  return true;
}

const MAX_REMEMBERED = 64;
const MAX_TERM_LENGTH = 32;
const remembered = new Map<string, Repertoire>();
let latest: { readonly characterSets: readonly string[]; readonly repertoire: Repertoire } | undefined;

// All values of a data set come with the same array.
function repertoireOf(characterSets: readonly string[]): Repertoire {
  if (latest?.characterSets !== characterSets) {
    latest = { characterSets, repertoire: rememberedRepertoire(characterSets) };
  }
  return latest.repertoire;
}

function rememberedRepertoire(characterSets: readonly string[]): Repertoire {
  const key = characterSets.join('\\');
  let repertoire = remembered.get(key);
  if (repertoire === undefined) {
    repertoire = makeRepertoire(characterSets);
    // Strangers choose the names: what is remembered of them is bounded.
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(key, repertoire);
  }
  return repertoire;
}

function makeRepertoire(characterSets: readonly string[]): Repertoire {
  const terms = characterSets.map((term) => parseTerm(term));
  const numbers = terms.filter((term) => typeof term === 'number');
  const designations = designationsOf(numbers);
  // Deviation (PS3.3 §C.12.1.1.2): accepts UTF-8, GB18030 and GBK beside other terms, because ASCII is part of them.
  const encoding = terms.find((term) => typeof term === 'string');
  if (encoding !== undefined) {
    return { whole: { decoder: encoding, encoder: encoding }, designations, unknown: false };
  }
  const unknown = numbers.every((number) => number === 6);
  const set = numbers.length === 1 ? CODE_SETS.get(numbers[0]!) : undefined;
  return set !== undefined && set.slot === 1 && !set.double && set !== KATAKANA
    ? { whole: { decoder: set.decoder, encoder: set.encoder }, designations, unknown }
    : { designations, unknown };
}

// An ISO-IR number, or an encoding.
// Deviation (PS3.3 §C.12.1.1.2): accepts other spellings ("ISO-IR 100", "ISO_IR_100", "UTF-8", "GB2312", "ISO 8859-1"),
// because vendors write them.
function parseTerm(term: string): number | string | undefined {
  const name = term
    .slice(0, MAX_TERM_LENGTH)
    .toUpperCase()
    .replaceAll(/[ _-]+/g, '');
  if (name === '') return 6;
  if (name === 'GB18030') return 'gb18030';
  if (name === 'GBK' || name === 'GB2312' || name === 'CP936') return 'gbk';
  if (name === 'UTF8' || name === 'ISOIR192' || name === 'ISO2022IR192') return 'utf-8';
  if (name === 'LATIN1' || name === 'ISO88591') return 100;
  const number = Number(/^(?:ISO)?(?:2022)?IR([0-9]{1,3})$/.exec(name)?.[1] ?? NaN);
  return CODE_SETS.has(number) ? number : undefined;
}

function isSingleByte(decoder: string): boolean {
  return decoder.startsWith('iso-8859') || decoder.startsWith('windows');
}
