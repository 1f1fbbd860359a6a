// The words of a text as people look for them: without case, accents and punctuation.

import { foldForms, searchKey, upperCase } from './normalise.ts';

const CJK = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u30FC]+$/u;
const MAX_ENDINGS = 8;
const MAX_KEYS = 24;

/** Cut at everything that is no letter and no number. */
export function wordsOf(text: string): string[] {
  const bare = upperCase(foldForms(text)).normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC');
  return bare.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

/** The endings of a word in a script without blanks: any of them may be what somebody looks for. */
export function endingsOf(word: string): string[] {
  if (!CJK.test(word)) return [];
  const characters = Array.from(word);
  const endings: string[] = [];
  for (let i = 1; i < Math.min(characters.length, MAX_ENDINGS); i++) {
    endings.push(characters.slice(i).join(''));
  }
  return endings;
}

/** Search keys of a text, each of which may be begun. Of a long text those of its beginning. */
export function wordKeys(text: string): string[] {
  const keys = wordsOf(text).flatMap((word) => [word, ...endingsOf(word)]);
  return [...new Set(keys.slice(0, MAX_KEYS).map(searchKey))];
}
