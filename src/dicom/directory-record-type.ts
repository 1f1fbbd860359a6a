// Which directory record stands for an instance of a SOP class, and the keys that it has to have (PS3.3 §F.4, §F.5).

import type { DicomJson, JsonElement } from './dicom-json.ts';
import { tagOf, vrOf } from './dictionary.ts';
import { tagKey } from './tag.ts';

interface RecordType {
  readonly type: string;
  /** Attributes by keyword: what the record has even when the instance has not, then what it has if it can. */
  readonly required: readonly string[];
  readonly optional?: readonly string[];
}

export const PATIENT_RECORD: RecordType = {
  type: 'PATIENT',
  required: ['PatientID', 'PatientName'],
  optional: ['PatientBirthDate', 'PatientSex', 'IssuerOfPatientID'],
};
export const STUDY_RECORD: RecordType = {
  type: 'STUDY',
  required: ['StudyDate', 'StudyTime', 'AccessionNumber', 'StudyDescription', 'StudyInstanceUID', 'StudyID'],
};
export const SERIES_RECORD: RecordType = {
  type: 'SERIES',
  required: ['Modality', 'SeriesInstanceUID', 'SeriesNumber'],
  optional: ['SeriesDescription', 'SeriesDate', 'SeriesTime', 'BodyPartExamined'],
};

const NUMBER = ['InstanceNumber'];
const DATED = ['ContentDate', 'ContentTime'];
const CREATED = [
  'ContentLabel',
  'ContentDescription',
  'PresentationCreationDate',
  'PresentationCreationTime',
];

const IMAGE: RecordType = {
  type: 'IMAGE',
  required: NUMBER,
  optional: ['ImageType', 'Rows', 'Columns', 'NumberOfFrames', 'ContentDate', 'ContentTime'],
};

/** By what the UIDs begin with, behind 1.2.840.10008.5.1.4.1.1. The longest beginning counts. */
const TYPES: Readonly<Record<string, RecordType>> = {
  '481.2': { type: 'RT DOSE', required: [...NUMBER, 'DoseSummationType'] },
  '481.3': { type: 'RT STRUCTURE SET', required: [...NUMBER, 'StructureSetLabel', 'StructureSetDate'] },
  '481.5': { type: 'RT PLAN', required: [...NUMBER, 'RTPlanLabel', 'RTPlanDate'] },
  '481.8': { type: 'RT PLAN', required: [...NUMBER, 'RTPlanLabel', 'RTPlanDate'] },
  '481.4': { type: 'RT TREAT RECORD', required: [...NUMBER, 'TreatmentDate', 'TreatmentTime'] },
  '9': { type: 'WAVEFORM', required: [...NUMBER, ...DATED] },
  '11': { type: 'PRESENTATION', required: [...NUMBER, ...CREATED] },
  '4.2': { type: 'SPECTROSCOPY', required: [...NUMBER, ...DATED, 'ImageType', 'NumberOfFrames'] },
  '66': { type: 'RAW DATA', required: [...NUMBER, ...DATED] },
  '66.1': { type: 'REGISTRATION', required: [...NUMBER, ...DATED, 'ContentLabel', 'ContentDescription'] },
  '66.2': { type: 'FIDUCIAL', required: [...NUMBER, ...DATED, 'ContentLabel', 'ContentDescription'] },
  '66.3': { type: 'REGISTRATION', required: [...NUMBER, ...DATED, 'ContentLabel', 'ContentDescription'] },
  '66.4': IMAGE,
  '66.5': { type: 'SURFACE', required: [...NUMBER, ...DATED] },
  '67': { type: 'VALUE MAP', required: [...NUMBER, ...DATED, 'ContentLabel', 'ContentDescription'] },
  '77.1.5.3': { type: 'STEREOMETRIC', required: NUMBER },
  '88': {
    type: 'SR DOCUMENT',
    required: [...NUMBER, 'CompletionFlag', 'VerificationFlag', ...DATED, 'ConceptNameCodeSequence'],
  },
  '88.59': { type: 'KEY OBJECT DOC', required: [...NUMBER, ...DATED, 'ConceptNameCodeSequence'] },
  '104': {
    type: 'ENCAP DOC',
    required: [...NUMBER, 'DocumentTitle', 'MIMETypeOfEncapsulatedDocument'],
    optional: [...DATED, 'ConceptNameCodeSequence'],
  },
};
const ROOT = '1.2.840.10008.5.1.4.1.1.';

export function recordTypeOf(sopClassUid: string): RecordType {
  if (!sopClassUid.startsWith(ROOT)) return IMAGE;
  const components = sopClassUid.slice(ROOT.length).split('.');
  for (let count = components.length; count > 0; count -= 1) {
    const found = TYPES[components.slice(0, count).join('.')];
    if (found !== undefined) return found;
  }
  return IMAGE;
}

/** The keys of a record, from everything that is known of its entity. */
export function recordKeys({ required, optional = [] }: RecordType, attributes: DicomJson): DicomJson {
  const keys: DicomJson = {};
  for (const keyword of [...required, ...optional]) {
    const tag = tagOf(keyword)!;
    const known: JsonElement | undefined = attributes[tagKey(tag)];
    if (known !== undefined && (known.Value ?? []).length > 0) keys[tagKey(tag)] = known;
    else if (required.includes(keyword)) keys[tagKey(tag)] = { vr: vrOf(tag) };
  }
  return keys;
}
