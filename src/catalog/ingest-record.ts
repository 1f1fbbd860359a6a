// An InstanceRecord on its way into the catalogue: checked, and its attributes as bounded JSON texts.

import { createHash } from 'node:crypto';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { firstText, TAG } from './attributes.ts';
import type { InstanceRecord, StoredLocation } from './catalog.ts';
import type { Route } from './delivery-store.ts';
import { CatalogError } from './errors.ts';

export interface IngestRecord {
  readonly patientId: string;
  readonly issuer: string;
  readonly patient: string;
  readonly studyUid: string;
  readonly study: string;
  readonly seriesUid: string;
  readonly series: string;
  readonly modality: string;
  readonly uid: string;
  readonly sopClassUid: string;
  readonly number: number;
  readonly instance: string;
  readonly location: StoredLocation;
  readonly supersededPath: string | undefined;
  readonly expectedSha256: string | undefined;
  /** Where it goes from here. */
  readonly routes?: readonly Route[];
}

/** Most characters kept of one level's attributes; beyond it the large ones are left to the file. */
const MAX_TEXT = 65_536;
const MAX_LARGE_ELEMENT = 2_048;

/** Instances without a number come last. */
const NO_NUMBER = 2_147_483_647;

export function ingestRecordOf(record: InstanceRecord): IngestRecord {
  const { patient, study, series, instance, location } = record;
  for (const [what, uid] of [
    ['Study Instance UID', study.uid],
    ['Series Instance UID', series.uid],
    ['SOP Instance UID', instance.uid],
    ['SOP Class UID', instance.sopClassUid],
  ]) {
    if (uid === '') {
      throw new CatalogError('catalog-request', `${location.path} has no ${what} and cannot be catalogued`);
    }
  }
  return {
    patientId: patient.id,
    issuer: patient.issuer,
    patient: sharedText(patient.attributes),
    studyUid: study.uid,
    study: sharedText(study.attributes),
    seriesUid: series.uid,
    series: sharedText(series.attributes),
    modality: firstText(series.attributes, TAG.Modality).replaceAll('\\', ''),
    uid: instance.uid,
    sopClassUid: instance.sopClassUid,
    number: instanceNumber(instance.attributes),
    instance: attributesText(instance.attributes),
    location,
    supersededPath: record.supersededPath,
    expectedSha256: record.expectedSha256,
  };
}

/** Of attributes that several records of a batch have in common. */
const texts = new WeakMap<DicomJson, string>();

function sharedText(attributes: DicomJson): string {
  const known = texts.get(attributes);
  if (known !== undefined) return known;
  const text = attributesText(attributes);
  texts.set(attributes, text);
  return text;
}

/** The same text for the same attributes, in whatever order they come. */
function attributesText(attributes: DicomJson): string {
  const text = JSON.stringify(isSorted(attributes) ? attributes : sorted(attributes));
  if (text.length <= MAX_TEXT) return text;
  const small = Object.entries(sorted(attributes)).filter(
    ([, element]) => JSON.stringify(element).length <= MAX_LARGE_ELEMENT,
  );
  return JSON.stringify(Object.fromEntries(small));
}

function isSorted(attributes: DicomJson): boolean {
  let before = '';
  for (const attribute in attributes) {
    if (attribute < before) return false;
    before = attribute;
  }
  return true;
}

function sorted(attributes: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function instanceNumber(attributes: DicomJson): number {
  const number = Number.parseInt(firstText(attributes, TAG.InstanceNumber), 10);
  return Number.isInteger(number) && Math.abs(number) < NO_NUMBER ? number : NO_NUMBER;
}

/** Who a record's patient is. Persons without a Patient ID have nothing in common but that, so each of their
 *  studies is a patient of its own. */
export function patientIdentity(record: Pick<IngestRecord, 'patientId' | 'issuer' | 'studyUid'>): string {
  const { patientId, issuer, studyUid } = record;
  const words = patientId === '' ? ['study', studyUid] : ['id', issuer, patientId];
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url');
}
