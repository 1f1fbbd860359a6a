// Patients, studies, series and instances as the API shows them, from the attributes that the catalogue keeps.

import { z } from 'zod';
import type { InstanceLocation, Match } from '../archive/archive.ts';
import type { DicomJson, JsonValue } from '../dicom/dicom-json.ts';
import { tagOf } from '../dicom/dictionary.ts';
import { sopClassName } from '../dicom/sop-class.ts';
import { tagKey } from '../dicom/tag.ts';
import { transferSyntax } from '../dicom/transfer-syntax.ts';

export const patientAnswer = z.object({
  id: z.string(),
  issuer: z.string().optional(),
  name: z.object({
    alphabetic: z.string().optional(),
    ideographic: z.string().optional(),
    phonetic: z.string().optional(),
  }),
  birthDate: z.string().optional(),
  sex: z.string().optional(),
});

const described = {
  studyUid: z.string(),
  patient: patientAnswer,
  date: z.string().optional().meta({ description: 'YYYY-MM-DD' }),
  time: z.string().optional().meta({ description: 'HH:MM:SS' }),
  accession: z.string().optional(),
  description: z.string().optional(),
  modalities: z.array(z.string()),
  bytes: z.number(),
  receivedAt: z.string(),
};
export const describedStudy = z.object(described);
export const studyAnswer = z.object({ ...described, series: z.int(), instances: z.int() });

export const seriesAnswer = z.object({
  seriesUid: z.string(),
  number: z.number().optional(),
  modality: z.string().optional(),
  description: z.string().optional(),
  date: z.string().optional(),
  bodyPart: z.string().optional(),
  instances: z.int(),
  bytes: z.number(),
  thumbnailInstance: z.string().optional(),
});

const named = z.object({ uid: z.string(), name: z.string() });
export const instanceAnswer = z.object({
  sopInstanceUid: z.string(),
  sopClass: named,
  number: z.number().optional(),
  frames: z.int(),
  rows: z.int().optional(),
  columns: z.int().optional(),
  bytes: z.number(),
  receivedAt: z.string(),
  transferSyntax: named,
  source: z.string(),
});

/** The DICOM JSON name of an attribute. */
export function keyOf(keyword: string): string {
  return tagKey(tagOf(keyword)!);
}

export function textOf(attributes: DicomJson, keyword: string): string | undefined {
  const value = attributes[keyOf(keyword)]?.Value?.[0];
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text === '' ? undefined : text;
}

function numberOf(attributes: DicomJson, keyword: string): number | undefined {
  const text = textOf(attributes, keyword);
  const number = Number(text);
  return text === undefined || !Number.isFinite(number) ? undefined : number;
}

/** Without what is undefined: optional properties are left out. */
function given<T extends object>(
  properties: T,
): { [K in keyof T]: Exclude<T[K], undefined> } & { [K in keyof T]?: T[K] } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as never;
}

export function patientView(attributes: DicomJson): z.infer<typeof patientAnswer> {
  const name = nameOf(attributes[keyOf('PatientName')]?.Value?.[0]);
  return {
    id: textOf(attributes, 'PatientID') ?? '',
    name,
    ...given({
      issuer: textOf(attributes, 'IssuerOfPatientID'),
      birthDate: isoDate(textOf(attributes, 'PatientBirthDate')),
      sex: textOf(attributes, 'PatientSex'),
    }),
  };
}

export function describedStudyView({ attributes, bytes, receivedAt }: Match): z.infer<typeof describedStudy> {
  return {
    studyUid: textOf(attributes, 'StudyInstanceUID') ?? '',
    patient: patientView(attributes),
    ...given({
      date: isoDate(textOf(attributes, 'StudyDate')),
      time: isoTime(textOf(attributes, 'StudyTime')),
      accession: textOf(attributes, 'AccessionNumber'),
      description: textOf(attributes, 'StudyDescription'),
    }),
    modalities: (attributes[keyOf('ModalitiesInStudy')]?.Value ?? []).map(String),
    bytes,
    receivedAt,
  };
}

export function studyView(match: Match): z.infer<typeof studyAnswer> {
  return {
    ...describedStudyView(match),
    series: numberOf(match.attributes, 'NumberOfStudyRelatedSeries') ?? 0,
    instances: numberOf(match.attributes, 'NumberOfStudyRelatedInstances') ?? 0,
  };
}

export function seriesView(
  { attributes, bytes }: Match,
  thumbnailInstance: string | undefined,
): z.infer<typeof seriesAnswer> {
  return {
    seriesUid: textOf(attributes, 'SeriesInstanceUID') ?? '',
    instances: numberOf(attributes, 'NumberOfSeriesRelatedInstances') ?? 0,
    bytes,
    ...given({
      number: numberOf(attributes, 'SeriesNumber'),
      modality: textOf(attributes, 'Modality'),
      description: textOf(attributes, 'SeriesDescription'),
      date: isoDate(textOf(attributes, 'SeriesDate')),
      bodyPart: textOf(attributes, 'BodyPartExamined'),
      thumbnailInstance,
    }),
  };
}

export function instanceView(
  { sopInstanceUid, sopClassUid, location }: InstanceLocation,
  attributes: DicomJson,
): z.infer<typeof instanceAnswer> {
  const { transferSyntaxUid, fileBytes, receivedAt, sourceAeTitle } = location;
  return {
    sopInstanceUid,
    sopClass: { uid: sopClassUid, name: sopClassName(sopClassUid) },
    frames: numberOf(attributes, 'NumberOfFrames') ?? 1,
    bytes: fileBytes,
    receivedAt,
    transferSyntax: { uid: transferSyntaxUid, name: transferSyntax(transferSyntaxUid).name },
    source: sourceAeTitle,
    ...given({
      number: numberOf(attributes, 'InstanceNumber'),
      rows: numberOf(attributes, 'Rows'),
      columns: numberOf(attributes, 'Columns'),
    }),
  };
}

function nameOf(value: JsonValue | undefined): z.infer<typeof patientAnswer>['name'] {
  if (typeof value === 'string') return { alphabetic: value };
  const { Alphabetic, Ideographic, Phonetic } = (value ?? {}) as Record<string, unknown>;
  const text = (group: unknown) => (typeof group === 'string' ? group : undefined);
  return given({
    alphabetic: text(Alphabetic),
    ideographic: text(Ideographic),
    phonetic: text(Phonetic),
  });
}

/** As the file has it where that is no date. */
function isoDate(value: string | undefined): string | undefined {
  return value?.replace(/^(\d{4})\.?(\d{2})\.?(\d{2})$/, '$1-$2-$3');
}

function isoTime(value: string | undefined): string | undefined {
  return value?.replace(/^(\d{2}):?(\d{2}):?(\d{2}).*$/, '$1:$2:$3');
}
