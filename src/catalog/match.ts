// Attribute matching (PS3.4 §C.2.2.2): one key of an Identifier becomes one test on the attributes of an entity.
// These tests alone decide what matches; searches in the database only narrow what is tried.

import type { DicomJson, JsonElement } from '../dicom/dicom-json.ts';
import { TAG } from './attributes.ts';
import { foldForms, foldValue } from './normalise.ts';
import { type ComponentGroups, type NameCriterion, type NameWay, nameCriterion } from './person-name.ts';
import {
  combineIntervals,
  FIRST_TIME,
  foldMoment,
  type Interval,
  isTemporalVr,
  isWithin,
  parseInterval,
  type TemporalVr,
} from './temporal.ts';
import { exactRange, type KeyRange, patternRange, WildCard } from './wild-card.ts';

/** A matching key. Universal keys have none: they match everything (PS3.4 §C.2.2.2.3). */
export interface Criterion {
  /** DICOM JSON name of the attribute. */
  readonly attribute: string;
  test(attributes: DicomJson): boolean;
  /** Search keys that can match: ways to find every match. */
  readonly ways?: readonly Way[];
  /** The key as a date or time range. */
  readonly interval?: Interval;
  /** The key's values, when each is to be matched as it is. */
  readonly exact?: readonly string[];
}

/** The union of some ranges. */
export interface Way {
  readonly ranges: readonly KeyRange[];
  /** Of names: which of their keys. */
  readonly among?: NameWay['among'];
}

/** VRs in which wild cards have no meaning (PS3.4 §C.2.2.2.4). Dates and times are left to their own rule. */
const WITHOUT_WILD_CARDS = new Set([
  'UI',
  'AT',
  'IS',
  'DS',
  'SS',
  'US',
  'SL',
  'UL',
  'SV',
  'UV',
  'FL',
  'FD',
  'AS',
]);

const NUMERIC = new Set(['IS', 'DS', 'SS', 'US', 'SL', 'UL', 'SV', 'UV', 'FL', 'FD']);

/** Matches attributes without a value (PS3.4 §C.2.2.2.7). */
const EMPTY_VALUE = '""';

/** The test of one key; undefined when the key is universal. */
export function criterionOf(attribute: string, key: JsonElement, fuzzyNames: boolean): Criterion | undefined {
  if (key.vr === 'SQ') return sequenceCriterion(attribute, key, fuzzyNames);
  if (key.vr === 'PN') return nameKeyCriterion(attribute, key, fuzzyNames);
  const values = textValues(key);
  // Deviation (PS3.4 §C.2.2.2.4): accepts '*' in every VR because requestors fill keys they do not care for with it.
  if (values.length === 0 || values.some((value) => WildCard.isUniversal(value))) return undefined;
  if (values.length === 1 && values[0] === EMPTY_VALUE) return emptyCriterion(attribute);
  if (isTemporalVr(key.vr)) return temporalCriterion(attribute, key.vr, values);
  return textCriterion(attribute, key.vr, values);
}

/** All keys of one Identifier, or of one item of a sequence in it. */
export function criteriaOf(
  identifier: DicomJson,
  fuzzyNames: boolean,
  combinedDateTime = false,
): Criterion[] {
  const criteria: Criterion[] = [];
  for (const [attribute, key] of Object.entries(identifier)) {
    const criterion = criterionOf(attribute, key, fuzzyNames);
    if (criterion !== undefined) criteria.push(criterion);
  }
  return combinedDateTime ? withCombinedDateTime(criteria) : criteria;
}

// Sequence matching (PS3.4 §C.2.2.2.6): one item of the entity must match every key of the key's only item.
function sequenceCriterion(attribute: string, key: JsonElement, fuzzyNames: boolean): Criterion | undefined {
  const item = key.Value?.find(isItem);
  if (item === undefined) return undefined;
  const criteria = criteriaOf(item, fuzzyNames);
  if (criteria.length === 0) return undefined;
  return {
    attribute,
    test: (attributes) =>
      (attributes[attribute]?.Value ?? []).some(
        (candidate) => isItem(candidate) && criteria.every((criterion) => criterion.test(candidate)),
      ),
  };
}

function nameKeyCriterion(attribute: string, key: JsonElement, fuzzyNames: boolean): Criterion | undefined {
  const given = (key.Value ?? []).map(componentGroups).filter((name) => name !== undefined);
  if (given.length === 1 && given[0]?.Alphabetic === EMPTY_VALUE) return emptyCriterion(attribute);
  const tests: NameCriterion[] = [];
  for (const name of given) {
    const criterion = nameCriterion(name, fuzzyNames);
    if (criterion === undefined) return undefined;
    tests.push(criterion);
  }
  if (tests.length === 0) return undefined;
  return {
    attribute,
    test: (attributes) => nameValues(attributes[attribute]).some((name) => tests.some((t) => t.test(name))),
    ways: nameWays(tests),
  };
}

/** Of several names any may match: a way leads to all of them. */
function nameWays([first, ...others]: readonly NameCriterion[]): NameWay[] {
  return (first?.ways ?? []).flatMap(({ among, ranges }) => {
    const ways = others.map((test) => test.ways.find((way) => way.among === among));
    if (ways.includes(undefined)) return [];
    return { among, ranges: [...ranges, ...ways.flatMap((way) => way?.ranges ?? [])] };
  });
}

function emptyCriterion(attribute: string): Criterion {
  return {
    attribute,
    test: (attributes) => {
      const element = attributes[attribute];
      return textValues(element).length === 0 && nameValues(element).length === 0;
    },
  };
}

// Single value matching and range matching of dates and times (PS3.4 §C.2.2.2.1, §C.2.2.2.5).
function temporalCriterion(attribute: string, vr: TemporalVr, values: readonly string[]): Criterion {
  const intervals = values.map((value) => parseInterval(vr, value)).filter((found) => found !== undefined);
  // Deviation (PS3.4 §C.2.2.2.4): accepts wild cards in dates and times because requestors write 202401*.
  if (intervals.length !== values.length) return textCriterion(attribute, vr, values);
  return {
    attribute,
    test: (attributes) =>
      moments(vr, attributes[attribute]).some((moment) =>
        intervals.some((interval) => isWithin(moment, interval)),
      ),
    ...(vr === 'DA' && { ways: [{ ranges: intervals.map(intervalRange) }] }),
    ...(intervals.length === 1 && { interval: intervals[0] as Interval }),
  };
}

/** Search keys of an interval of dates. NUL sorts before every character. */
export function intervalRange(interval: Interval): KeyRange {
  // An undated entity has the key '', which no range of dates includes.
  return { from: interval.from ?? '0', to: interval.to === undefined ? undefined : `${interval.to}\0` };
}

// Single value, list of UID and wild card matching (PS3.4 §C.2.2.2.1, §C.2.2.2.2, §C.2.2.2.4).
function textCriterion(attribute: string, vr: string, values: readonly string[]): Criterion {
  const wildCards = !WITHOUT_WILD_CARDS.has(vr);
  const tests = values.map((value) => textTest(value, wildCards, NUMERIC.has(vr)));
  const foldedValues = isTemporalVr(vr)
    ? (element: JsonElement | undefined) => moments(vr, element)
    : (element: JsonElement | undefined) => textValues(element).map(foldValue);
  return {
    attribute,
    // A multi-valued attribute matches when any of its values does (PS3.4 §C.2.2.2).
    test: (attributes) =>
      foldedValues(attributes[attribute]).some((value) => tests.some((test) => test.test(value))),
    ways: [{ ranges: tests.map((test) => test.range) }],
    ...(tests.every((test) => test.exact) && { exact: values.map(foldValue) }),
  };
}

function textTest(
  key: string,
  wildCards: boolean,
  numeric: boolean,
): { test: (folded: string) => boolean; range: KeyRange; exact: boolean } {
  if (wildCards && WildCard.isPattern(key)) {
    const pattern = WildCard.parse(key, foldForms);
    return { test: (folded) => pattern.test(folded), range: patternRange(pattern), exact: false };
  }
  const folded = foldValue(key);
  const number = numeric ? Number(folded) : Number.NaN;
  const test = Number.isNaN(number)
    ? (value: string) => value === folded
    : (value: string) => value === folded || Number(value) === number;
  return { test, range: exactRange(folded), exact: true };
}

const DATE_AND_TIME: readonly (readonly [date: string, time: string])[] = [
  [TAG.StudyDate, TAG.StudyTime],
  [TAG.SeriesDate, TAG.SeriesTime],
  [TAG.AcquisitionDate, TAG.AcquisitionTime],
  [TAG.ContentDate, TAG.ContentTime],
  [TAG.InstanceCreationDate, TAG.InstanceCreationTime],
  [TAG.PatientBirthDate, TAG.PatientBirthTime],
  [TAG.PerformedProcedureStepStartDate, TAG.PerformedProcedureStepStartTime],
  [TAG.PerformedProcedureStepEndDate, TAG.PerformedProcedureStepEndTime],
];

// PS3.4 §C.2.2.2.5.3: the pair is one range from the first date and time to the last.
function withCombinedDateTime(criteria: readonly Criterion[]): Criterion[] {
  let combined = [...criteria];
  for (const [dateAttribute, timeAttribute] of DATE_AND_TIME) {
    const date = combined.find((criterion) => criterion.attribute === dateAttribute);
    const time = combined.find((criterion) => criterion.attribute === timeAttribute);
    if (date?.interval === undefined || time?.interval === undefined) continue;
    const interval = combineIntervals(date.interval, time.interval);
    combined = combined.filter((criterion) => criterion !== date && criterion !== time);
    combined.push({
      ...date,
      test: (attributes) => {
        const times = moments('TM', attributes[timeAttribute]);
        return moments('DA', attributes[dateAttribute]).some((day) =>
          isWithin(day + (times[0] ?? FIRST_TIME), interval),
        );
      },
    });
  }
  return combined;
}

function moments(vr: TemporalVr, element: JsonElement | undefined): string[] {
  return textValues(element)
    .map((value) => foldMoment(vr, value))
    .filter((moment) => moment !== undefined);
}

/** Values that are text or numbers, blank ones left out. */
export function textValues(element: JsonElement | undefined): string[] {
  const values: string[] = [];
  for (const value of element?.Value ?? []) {
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const text = String(value);
    if (/[^ \0]/.test(text)) values.push(text);
  }
  return values;
}

/** Values that are person names, blank ones left out. */
export function nameValues(element: JsonElement | undefined): ComponentGroups[] {
  return element?.vr === 'PN'
    ? (element.Value ?? []).map(componentGroups).filter((name) => name !== undefined)
    : [];
}

function componentGroups(value: unknown): ComponentGroups | undefined {
  if (typeof value === 'string') {
    // As it stands in a data set: groups separated by '='.
    const [alphabetic, ideographic, phonetic] = value.split('=');
    return {
      ...(alphabetic && { Alphabetic: alphabetic }),
      ...(ideographic && { Ideographic: ideographic }),
      ...(phonetic && { Phonetic: phonetic }),
    };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { Alphabetic, Ideographic, Phonetic } = value as Record<string, unknown>;
  const groups: ComponentGroups = {
    ...(typeof Alphabetic === 'string' && { Alphabetic }),
    ...(typeof Ideographic === 'string' && { Ideographic }),
    ...(typeof Phonetic === 'string' && { Phonetic }),
  };
  return Object.values(groups).some((group: string) => group.trim() !== '') ? groups : undefined;
}

function isItem(value: unknown): value is DicomJson {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
