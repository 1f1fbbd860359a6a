// What a person types to find a study: words that begin something of it, in a certain place or in any.

import type { DicomJson } from '../dicom/dicom-json.ts';
import { TAG } from './attributes.ts';
import type { StudyText } from './catalog.ts';
import { nameValues, textValues } from './match.ts';
import { foldValue, searchKey, TRUNCATED } from './normalise.ts';
import { fuzzyKeys } from './person-name.ts';
import { type AccessPath, descriptionKeys, KIND, type Kind } from './search-keys.ts';
import { prefixRange } from './wild-card.ts';
import { wordsOf } from './words.ts';

/** More are left out of account. */
const MAX_WORDS = 8;
const MAX_WORD_LENGTH = 64;

/** One word of the text. */
export interface TextCriterion {
  test(patient: DicomJson, study: DicomJson): boolean;
  /** Everything that matches lies on one of them. */
  readonly paths: readonly AccessPath[];
}

type Place = Exclude<keyof StudyText, 'any'>;

/** Where a word may stand: the keys of that place, and whether each key is one word of it or the whole value. */
const PLACES: Readonly<
  Record<
    Place,
    { kind: Kind; whole: boolean; keysOf(patient: DicomJson, study: DicomJson): readonly string[] }
  >
> = {
  name: {
    kind: KIND.patientNamePart,
    whole: false,
    keysOf: (patient) => nameValues(patient[TAG.PatientName]).flatMap(fuzzyKeys),
  },
  patientId: {
    kind: KIND.patientId,
    whole: true,
    keysOf: (patient) => valueKeys(patient, TAG.PatientID),
  },
  accessionNumber: {
    kind: KIND.accessionNumber,
    whole: true,
    keysOf: (_, study) => valueKeys(study, TAG.AccessionNumber),
  },
  description: {
    kind: KIND.studyWord,
    whole: false,
    keysOf: (_, study) => descriptionKeys(study),
  },
};
const EVERYWHERE = Object.keys(PLACES) as Place[];

/** What each word of the texts asks for; none when all are blank. */
export function textCriteria({ any = '', ...placed }: StudyText): TextCriterion[] {
  return [
    ...split(any).map((word) => wordCriterion(word, EVERYWHERE)),
    ...Object.entries(placed).flatMap(([name, text]) => {
      const place = name as Place;
      const words = PLACES[place].whole ? [text].filter(isWord) : split(text);
      return words.map((word) => wordCriterion(word, [place]));
    }),
  ];
}

function split(text: string): string[] {
  return foldValue(text).split(/\s+/).filter(isWord).slice(0, MAX_WORDS);
}

function isWord(text: string): boolean {
  return wordsOf(text).length > 0;
}

function wordCriterion(text: string, places: readonly Place[]): TextCriterion {
  const whole = beginningOf(foldValue(text));
  // A name may be typed as ZHANG^SAN, a description as DSA-HEAD: what is indexed are their parts.
  const parts = wordsOf(text).map(beginningOf);
  const longest = parts.reduce((one, other) => (other.length > one.length ? other : one));
  return {
    test: (patient, study) =>
      places.some((place) => {
        const keys = PLACES[place].keysOf(patient, study);
        const wanted = PLACES[place].whole ? [whole] : parts;
        return wanted.every((part) => keys.some((key) => key.startsWith(part)));
      }),
    paths: places.map((place) => ({
      kind: PLACES[place].kind,
      ranges: [prefixRange(PLACES[place].whole ? whole : longest)],
    })),
  };
}

function beginningOf(text: string): string {
  return searchKey(text).replace(TRUNCATED, '').slice(0, MAX_WORD_LENGTH);
}

function valueKeys(attributes: DicomJson, attribute: string): string[] {
  return textValues(attributes[attribute]).map((value) => searchKey(foldValue(value)));
}
