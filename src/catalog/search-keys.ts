// The one search index: rows of (kind, key, owner). Every key is folded text, so every engine compares bytes,
// and every narrowed query is the same walk along the same index.

import type { DicomJson } from '../dicom/dicom-json.ts';
import { TAG } from './attributes.ts';
import type { QueryLevel } from './catalog.ts';
import { type Criterion, intervalRange, nameValues, textValues, type Way } from './match.ts';
import { suffixKeys } from './name-suffixes.ts';
import { compareKeys, foldValue, searchKey, TRUNCATED } from './normalise.ts';
import { foldGroups, fuzzyKeys, nameKeys } from './person-name.ts';
import { foldMoment } from './temporal.ts';
import type { KeyRange } from './wild-card.ts';
import { wordKeys } from './words.ts';

/** What a row of the index is about. The numbers are stored: never reuse one. */
export const KIND = {
  patientId: 1,
  patientName: 2,
  patientNamePart: 3,
  patientBirthDate: 4,
  patientNameSuffix: 5,
  studyDate: 10,
  accessionNumber: 11,
  studyId: 12,
  /** Modality in study, then the study's date: both narrow at once. */
  modality: 13,
  sopClass: 14,
  /** Of the description. */
  studyWord: 15,
  seriesDate: 20,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export interface SearchKey {
  readonly kind: Kind;
  readonly key: string;
}

export const OWNER_LEVEL: Readonly<Record<Kind, QueryLevel>> = {
  [KIND.patientId]: 'PATIENT',
  [KIND.patientName]: 'PATIENT',
  [KIND.patientNamePart]: 'PATIENT',
  [KIND.patientBirthDate]: 'PATIENT',
  [KIND.patientNameSuffix]: 'PATIENT',
  [KIND.studyDate]: 'STUDY',
  [KIND.accessionNumber]: 'STUDY',
  [KIND.studyId]: 'STUDY',
  [KIND.modality]: 'STUDY',
  [KIND.sopClass]: 'STUDY',
  [KIND.studyWord]: 'STUDY',
  [KIND.seriesDate]: 'SERIES',
};

/** Kinds that are walked backwards, so that the newest come first. */
export const NEWEST_FIRST: ReadonlySet<Kind> = new Set([KIND.studyDate, KIND.modality, KIND.seriesDate]);

type KeysOf = (attributes: DicomJson) => readonly string[];

// Kinds that carry a walk over everybody (patientId, studyDate) have a row for every owner, '' without a value.
const KEYS_OF: Readonly<Record<Kind, KeysOf>> = {
  [KIND.patientId]: (attributes) => orBlank(textKeys(attributes, TAG.PatientID)),
  [KIND.patientName]: (attributes) => nameValues(attributes[TAG.PatientName]).flatMap(nameKeys),
  [KIND.patientNamePart]: (attributes) => nameValues(attributes[TAG.PatientName]).flatMap(fuzzyKeys),
  [KIND.patientBirthDate]: (attributes) => dates(attributes, TAG.PatientBirthDate),
  [KIND.patientNameSuffix]: (attributes) =>
    suffixKeys(nameValues(attributes[TAG.PatientName]).flatMap(foldGroups)),
  [KIND.studyDate]: (attributes) => orBlank(dates(attributes, TAG.StudyDate)),
  [KIND.accessionNumber]: (attributes) => textKeys(attributes, TAG.AccessionNumber),
  [KIND.studyId]: (attributes) => textKeys(attributes, TAG.StudyID),
  [KIND.modality]: (attributes) =>
    textKeys(attributes, TAG.ModalitiesInStudy).flatMap((modality) =>
      orBlank(dates(attributes, TAG.StudyDate)).map((date) => modalityKey(modality, date)),
    ),
  [KIND.sopClass]: (attributes) => textKeys(attributes, TAG.SOPClassesInStudy),
  [KIND.studyWord]: descriptionKeys,
  [KIND.seriesDate]: (attributes) => dates(attributes, TAG.SeriesDate),
};

/** All keys of one owner, from its attributes including the computed ones. */
export function searchKeysOf(level: QueryLevel, attributes: DicomJson): SearchKey[] {
  return Object.values(KIND)
    .filter((kind) => OWNER_LEVEL[kind] === level)
    .flatMap((kind) => [...new Set(KEYS_OF[kind](attributes))].map((key) => ({ kind, key })));
}

/** A way into the index that finds every owner which can match one criterion. */
export interface AccessPath {
  readonly kind: Kind;
  readonly ranges: readonly KeyRange[];
}

/** The commonly narrowest first. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  [TAG.PatientID]: KIND.patientId,
  [TAG.AccessionNumber]: KIND.accessionNumber,
  [TAG.PatientName]: KIND.patientName,
  [TAG.StudyID]: KIND.studyId,
  [TAG.StudyDate]: KIND.studyDate,
  [TAG.SeriesDate]: KIND.seriesDate,
  [TAG.PatientBirthDate]: KIND.patientBirthDate,
  [TAG.SOPClassesInStudy]: KIND.sopClass,
  [TAG.SOPClassUID]: KIND.sopClass,
};

/** Of the keys of names. Only Patient Name has an index. */
const KIND_AMONG: Readonly<Record<NonNullable<Way['among']>, Kind>> = {
  groups: KIND.patientName,
  suffixes: KIND.patientNameSuffix,
  parts: KIND.patientNamePart,
};

/** Every access path that the criteria open. */
export function accessPaths(criteria: readonly Criterion[]): AccessPath[] {
  const paths: AccessPath[] = [];
  for (const [attribute, kind] of Object.entries(KIND_OF)) {
    const criterion = criteria.find((candidate) => candidate.attribute === attribute);
    for (const { ranges, among } of criterion?.ways ?? []) {
      if (ranges.some(isEverything)) continue;
      paths.push({ kind: among === undefined ? kind : KIND_AMONG[among], ranges });
    }
  }
  const modality = modalityPath(criteria);
  return modality === undefined ? paths : [...paths, modality];
}

function modalityPath(criteria: readonly Criterion[]): AccessPath | undefined {
  const values = [TAG.Modality, TAG.ModalitiesInStudy]
    .map((attribute) => criteria.find((criterion) => criterion.attribute === attribute)?.exact)
    .find((exact) => exact !== undefined);
  if (values === undefined) return undefined;
  const interval = criteria.find((criterion) => criterion.attribute === TAG.StudyDate)?.interval;
  const date = interval === undefined ? { from: '', to: undefined } : intervalRange(interval);
  return {
    kind: KIND.modality,
    ranges: values.map((value) => ({
      from: modalityKey(searchKey(value), date.from),
      to: modalityKey(searchKey(value), date.to ?? AFTER_DATES),
    })),
  };
}

/** A way along the dates of studies, newest first: of all of them, or of those with one modality. */
export interface DatePath extends AccessPath {
  /** What stands before the date in its keys. */
  readonly beforeDate: string;
}

export const ALL_STUDIES: DatePath = {
  kind: KIND.studyDate,
  ranges: [{ from: '', to: undefined }],
  beforeDate: '',
};

/** undefined when the path does not go by date alone. */
export function datePathOf(path: AccessPath): DatePath | undefined {
  const [range, ...others] = path.ranges;
  if (range === undefined || others.length > 0 || range.contains !== undefined) return undefined;
  if (path.kind === KIND.studyDate) return { ...path, beforeDate: '' };
  if (path.kind !== KIND.modality) return undefined;
  return { ...path, beforeDate: range.from.slice(0, range.from.lastIndexOf(SEPARATOR) + 1) };
}

function isEverything(range: KeyRange): boolean {
  return range.from === '' && range.to === undefined && range.contains === undefined;
}

/** Where a study stands in the order of their dates: by its latest, undated ones by ''. */
export function studyDateKey(attributes: DicomJson): string {
  return dates(attributes, TAG.StudyDate).sort().at(-1) ?? '';
}

/** Of all the rows that lead a walk of `path` to one owner, whether this is the one it meets first; so an
 *  owner is reported once without remembering those already seen. */
export function isFirstEncounter(
  path: AccessPath,
  range: number,
  key: string,
  attributes: DicomJson,
): boolean {
  const own = KEYS_OF[path.kind](attributes);
  for (let i = 0; i < range; i++) if (own.some((other) => isInRange(other, path.ranges[i]))) return false;
  const backwards = NEWEST_FIRST.has(path.kind);
  return !own.some(
    (other) => isInRange(other, path.ranges[range]) && compareKeys(other, key) * (backwards ? -1 : 1) < 0,
  );
}

function isInRange(key: string, range: KeyRange | undefined): boolean {
  return (
    range !== undefined &&
    compareKeys(key, range.from) >= 0 &&
    (range.to === undefined || compareKeys(key, range.to) < 0) &&
    (range.contains === undefined || key.includes(range.contains) || key.includes(TRUNCATED))
  );
}

/** Separates modality and date: no folded text holds it before its first printable character. */
const SEPARATOR = '\u0001';
const AFTER_DATES = ':';

function modalityKey(modality: string, date: string): string {
  return modality + SEPARATOR + date;
}

function orBlank(keys: readonly string[]): readonly string[] {
  return keys.length === 0 ? [''] : keys;
}

function textKeys(attributes: DicomJson, attribute: string): string[] {
  return textValues(attributes[attribute]).map((value) => searchKey(foldValue(value)));
}

function dates(attributes: DicomJson, attribute: string): string[] {
  return textValues(attributes[attribute])
    .map((value) => foldMoment('DA', value))
    .filter((date) => date !== undefined);
}

/** What words of a study's description may be found by. */
export function descriptionKeys(attributes: DicomJson): string[] {
  return textValues(attributes[TAG.StudyDescription]).flatMap(wordKeys);
}
