// Wild card patterns (PS3.4 §C.2.2.2.4): '*' is any sequence of characters, '?' any single one.

import { endOfPrefix, searchKey, trimBlanks, upperCase } from './normalise.ts';

const ANY = 0;
const ONE = 1;

/** A pattern split into folded characters and wild cards. */
export class WildCard {
  readonly #tokens: readonly (string | typeof ANY | typeof ONE)[];
  /** The literal text between wild cards; first and last may be empty. */
  readonly segments: readonly string[];

  private constructor(tokens: readonly (string | typeof ANY | typeof ONE)[], segments: readonly string[]) {
    this.#tokens = tokens;
    this.segments = segments;
  }

  /** `fold` sees the literal parts only: folding the whole could turn '＊' into a wild card. Blanks around the
   *  whole pattern are padding. */
  static parse(pattern: string, fold: (literal: string, last: boolean) => string): WildCard {
    const parts = trimBlanks(pattern).split(/([*?])/);
    const tokens: (string | typeof ANY | typeof ONE)[] = [];
    const segments: string[] = [];
    for (const [i, part] of parts.entries()) {
      if (i % 2 === 1) {
        tokens.push(part === '*' ? ANY : ONE);
        continue;
      }
      const segment = fold(part, i === parts.length - 1);
      segments.push(segment);
      tokens.push(...segment);
    }
    return new WildCard(tokens, segments);
  }

  static isPattern(text: string): boolean {
    return text.includes('*') || text.includes('?');
  }

  /** Only '*': equal to universal matching (PS3.4 §C.2.2.2.4). */
  static isUniversal(text: string): boolean {
    return /^ *\*+ *$/.test(text);
  }

  /** Greedy with one point of return, so a hostile pattern costs length × length and no more. */
  test(text: string): boolean {
    const tokens = this.#tokens;
    const characters = Array.from(text);
    let token = 0;
    let at = 0;
    let starToken = -1;
    let starAt = 0;
    while (at < characters.length) {
      const expected = tokens[token];
      if (expected === ANY) {
        starToken = token++;
        starAt = at;
      } else if (expected !== undefined && (expected === ONE || expected === characters[at])) {
        token++;
        at++;
      } else if (starToken >= 0) {
        token = starToken + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (tokens[token] === ANY) token++;
    return token === tokens.length;
  }
}

/** Which search keys can match: from ≤ key < to, and, for a scan, only keys that hold `contains`. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
  readonly contains?: string;
}

/** The keys that equal this folded text. NUL sorts before every character, so nothing lies between. */
export function exactRange(folded: string): KeyRange {
  const key = searchKey(folded);
  return { from: key, to: `${key}\0` };
}

/** The keys that begin with this folded text. */
export function prefixRange(folded: string): KeyRange {
  const key = searchKey(folded);
  return { from: key, to: endOfPrefix(key) };
}

/** The keys that a pattern can match: by its beginning if it has one, else by its longest literal part. */
export function patternRange(pattern: WildCard): KeyRange {
  const [beginning = ''] = pattern.segments;
  if (beginning !== '') return prefixRange(beginning);
  const literals = pattern.segments.map(upperCase);
  const contains = literals.reduce((longest, next) => (next.length > longest.length ? next : longest), '');
  return contains === '' ? { from: '', to: undefined } : { from: '', to: undefined, contains };
}
