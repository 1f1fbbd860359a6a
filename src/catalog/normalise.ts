// Text as it is compared. All folding happens here, in code, so that every engine only compares bytes.

/** Longest search key, in code points; a longer value keeps its beginning and ends with TRUNCATED. */
export const MAX_KEY_LENGTH = 128;

/** A noncharacter: no folded text holds it, so a scan can tell keys that hide their end. */
export const TRUNCATED = '\uffff';

/** Above every search key. */
export const AFTER_ALL_KEYS = '\u{10ffff}';

const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** Compatibility forms folded (full-width digits, half-width kana, composed accents); case and blanks kept. */
export function foldForms(text: string): string {
  if (PLAIN_ASCII.test(text)) return text;
  return text
    .toWellFormed()
    .normalize('NFKC')
    .replace(/[\0\uffff\u{10ffff}]/gu, '');
}

/** Without the padding that DICOM allows around a value (PS3.5 §6.2). */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) === 0x20) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** A value as single value matching sees it: forms folded, padding gone, case kept (PS3.4 §C.2.2.2.1). */
export function foldValue(text: string): string {
  return trimBlanks(foldForms(text));
}

/** Upper case works character by character, so a prefix stays a prefix; lower case would not (final sigma). */
export function upperCase(text: string): string {
  return text.toUpperCase();
}

/** What goes into a search column, from folded text. */
export function searchKey(folded: string): string {
  const upper = upperCase(folded);
  if (upper.length < MAX_KEY_LENGTH) return upper;
  const points = Array.from(upper);
  if (points.length < MAX_KEY_LENGTH) return upper;
  return points.slice(0, MAX_KEY_LENGTH - 1).join('') + TRUNCATED;
}

/** The least text above every text that starts with `prefix`; undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Surrogates are no characters of their own: U+D7FF is followed by U+E000.
    points.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...points);
  }
  return undefined;
}

/** Compares as the engines do: by code points, which is also the order of UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rankOf(x) - rankOf(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for what comes after U+FFFF. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
