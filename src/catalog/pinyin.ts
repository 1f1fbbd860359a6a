// Names in Chinese characters as people type them: pinyin without tones, whole or by initials (张三: ZHANGSAN, ZS).
// The only file that knows its package.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const HAN = /\p{Script=Han}/u;
/** Longer texts are no names. */
const MAX_CHARACTERS = 16;
/** Nobody types from the middle of a longer name. */
const MAX_BEGINNINGS = 4;
/** One syllable in Latin letters. A consonant in front of a vowel begins the next one: NANA is NA NA. */
const SYLLABLE =
  /(?:ZH|CH|SH|[BPMFDTNLGKHJQXRZCSYW])?(?:IANG|IONG|UANG|ANG|ENG|ING|ONG|IAO|IAN|UAI|UAN|AI|EI|AO|OU|AN|EN|IN|UN|IA|IE|IU|UA|UO|UI|UE|VE|ER|A|O|E|I|U|V)(?![AEIOUV])/y;

/** What a person may begin to type for this name, whose parts are in upper case: its syllables from each on, and
 *  the initials of all. None for what holds neither Chinese characters nor pinyin of two syllables. */
export function pinyinKeys(parts: readonly string[]): string[] {
  const han = parts.filter((part) => HAN.test(part)).join('');
  const latin = parts.filter((part) => /^[A-Z]+$/.test(part));
  return [
    ...keysOf(han === '' ? [] : spell(han)),
    ...keysOf(latin.flatMap(syllablesOf).slice(0, MAX_CHARACTERS)),
  ];
}

function keysOf(syllables: readonly string[]): string[] {
  if (syllables.length < 2) return [...syllables];
  const initials = syllables.map((syllable) => syllable.slice(0, 1)).join('');
  const beginnings = syllables.slice(0, MAX_BEGINNINGS);
  return [initials, ...beginnings.map((_, index) => syllables.slice(index).join(''))];
}

/** A surname at the beginning is read as one: 单 is SHAN there. LÜ is typed LV. */
function spell(han: string): string[] {
  // Loaded with the first such name: its dictionary costs 20 MB, which archives without Chinese names save.
  const { pinyin }: typeof import('pinyin-pro') = require('pinyin-pro');
  const name = Array.from(han).slice(0, MAX_CHARACTERS).join('');
  return pinyin(name, { toneType: 'none', type: 'array', surname: 'head', v: true, nonZh: 'removed' }).map(
    (syllable) => syllable.toUpperCase(),
  );
}

/** The syllables of a part that is pinyin to its end; other parts are taken as one. */
function syllablesOf(part: string): string[] {
  const syllables: string[] = [];
  for (let at = 0; at < part.length; at = SYLLABLE.lastIndex) {
    SYLLABLE.lastIndex = at;
    const [syllable] = SYLLABLE.exec(part) ?? [];
    if (syllable === undefined || syllables.length === MAX_CHARACTERS) return [part];
    syllables.push(syllable);
  }
  return syllables;
}
