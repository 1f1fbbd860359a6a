// Person names (PS3.5 §6.2.1) as they are compared: by component group, without regard to case.

import { rangesHolding } from './name-suffixes.ts';
import { foldForms, foldValue, searchKey, TRUNCATED, trimBlanks, upperCase } from './normalise.ts';
import { pinyinKeys } from './pinyin.ts';
import { exactRange, type KeyRange, prefixRange, WildCard } from './wild-card.ts';
import { endingsOf, wordsOf } from './words.ts';

/** The component groups of one name, as DICOM JSON has them (PS3.18 §F.2.2). */
export interface ComponentGroups {
  readonly Alphabetic?: string;
  readonly Ideographic?: string;
  readonly Phonetic?: string;
}

const GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;
type Group = (typeof GROUPS)[number];

/** Missing trailing components equal empty ones, so carets at the end say nothing. */
export function foldGroup(group: string): string {
  const folded = upperCase(foldValue(group));
  return folded.includes('^') ? folded.replace(/ *\^ */g, '^').replace(/[\^ ]+$/, '') : folded;
}

/** Its component groups as they are compared, '' for those that it lacks. */
export function foldGroups(name: ComponentGroups): string[] {
  return GROUPS.map((group) => foldGroup(name[group] ?? ''));
}

/** Search keys of one name: its component groups. */
export function nameKeys(name: ComponentGroups): string[] {
  return foldGroups(name)
    .filter((group) => group !== '')
    .map(searchKey);
}

/** A key for names, ready to be tried on values. */
export interface NameCriterion {
  test(name: ComponentGroups): boolean;
  /** Where to look; each alone will do. */
  readonly ways: readonly NameWay[];
}

export interface NameWay {
  /** The groups themselves, their endings, or the parts of the name. */
  readonly among: 'groups' | 'suffixes' | 'parts';
  readonly ranges: readonly KeyRange[];
}

/** One key value; undefined when every name matches it. */
export function nameCriterion(key: ComponentGroups, fuzzy: boolean): NameCriterion | undefined {
  const given = GROUPS.filter((group) => {
    const text = key[group] ?? '';
    return trimBlanks(text) !== '' && !WildCard.isUniversal(text);
  });
  if (given.length === 0) return undefined;
  if (fuzzy && given.every((group) => isPlainOrPrefix(key[group] ?? ''))) {
    return fuzzyCriterion(given.map((group) => key[group] ?? '').join('^'));
  }
  const tests = given.map((group) => ({ group, ...groupTest(key[group] ?? '') }));
  // A key that is only in the first place is tried on every group: requestors without the notion of groups
  // write an ideographic name there. A key with '=' names the groups it means.
  const anywhere = key.Ideographic === undefined && key.Phonetic === undefined;
  const test = (name: ComponentGroups): boolean => {
    const groups = foldGroups(name);
    return tests.every(({ group, test }) =>
      anywhere ? groups.some((value) => value !== '' && test(value)) : testGroup(groups, group, test),
    );
  };
  return { test, ways: tests.flatMap(({ ways }) => ways) };
}

function testGroup(groups: readonly string[], group: Group, test: (value: string) => boolean): boolean {
  const value = groups[GROUPS.indexOf(group)] ?? '';
  return value !== '' && test(value);
}

function groupTest(key: string): { test: (value: string) => boolean; ways: NameWay[] } {
  if (!WildCard.isPattern(key)) {
    const folded = foldGroup(key);
    return { test: (value) => value === folded, ways: [{ among: 'groups', ranges: [exactRange(folded)] }] };
  }
  const pattern = WildCard.parse(key, (literal, last) => {
    const folded = upperCase(foldForms(literal)).replace(/ *\^ */g, '^');
    return last ? folded.replace(/[\^ ]+$/, '') : folded;
  });
  const carets = countCarets(pattern.segments.join(''));
  const test = (value: string): boolean =>
    // 'WANG^*' also means the WANG without a given name, whose carets were dropped.
    pattern.test(value.padEnd(value.length + Math.max(0, carets - countCarets(value)), '^')) ||
    pattern.test(value);
  return { test, ways: patternWays(pattern) };
}

function patternWays(pattern: WildCard): NameWay[] {
  const [first = '', ...others] = pattern.segments.map((literal) => literal.replace(/[\^ ]+$/, ''));
  const ways: NameWay[] = [];
  if (first !== '') ways.push({ among: 'groups', ranges: [prefixRange(first)] });
  // What is no longer than the beginning leads to no fewer names.
  const ranges = rangesHolding(others.filter((literal) => literal.length > first.length));
  if (ranges !== undefined) ways.push({ among: 'suffixes', ranges });
  return ways;
}

function countCarets(text: string): number {
  let count = 0;
  for (let at = text.indexOf('^'); at >= 0; at = text.indexOf('^', at + 1)) count++;
  return count;
}

function isPlainOrPrefix(key: string): boolean {
  return !WildCard.isPattern(key.replace(/\*+ *$/, ''));
}

// The same names are tried again and again. Strangers choose them, so what is remembered is bounded.
const MAX_REMEMBERED = 4096;
const MAX_REMEMBERED_LENGTH = 256;
const remembered = new Map<string, readonly string[]>();

/** What a fuzzy key may begin: the parts of a name, and its pinyin. Han, kana and hangul names are written without
 *  blanks, so each of their endings counts as a part: 小东 finds 王小东. */
export function fuzzyKeys(name: ComponentGroups): readonly string[] {
  const text = GROUPS.map((group) => name[group] ?? '').join('=');
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const groups = GROUPS.map((group) => wordsOf(name[group] ?? ''));
  const keys = [
    ...groups.flat().flatMap((part) => [part, ...endingsOf(part)]),
    ...groups.flatMap((parts) => pinyinKeys(parts)),
  ];
  const unique = [...new Set(keys.map(searchKey))];
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  if (text.length <= MAX_REMEMBERED_LENGTH) remembered.set(text, unique);
  return unique;
}

function fuzzyCriterion(key: string): NameCriterion | undefined {
  const wanted = wordsOf(key).map((part) => searchKey(part).replace(TRUNCATED, ''));
  if (wanted.length === 0) return undefined;
  return {
    test: (name) => {
      const parts = fuzzyKeys(name);
      return wanted.every((want) => parts.some((part) => part.startsWith(want)));
    },
    ways: wanted.map((want) => ({ among: 'parts', ranges: [prefixRange(want)] })),
  };
}
