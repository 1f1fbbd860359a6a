// How entities become rows, and which search keys they gain and lose.

import type { Insertable } from 'kysely';
import type { DicomJson } from '../dicom/dicom-json.ts';
import type { QueryLevel, StoredLocation } from './catalog.ts';
import { computedOfPatient, computedOfStudy, mergedAttributes } from './computed.ts';
import {
  type InstanceState,
  type PatientState,
  present,
  type SeriesState,
  type StudyState,
} from './ingest-state.ts';
import type { InstanceTable, PatientTable, SeriesTable, StudyTable, SupersededTable } from './schema.ts';
import { type SearchKey, searchKeysOf, studyDateKey } from './search-keys.ts';

export const LOCATION_COLUMNS = [
  'path',
  'transfer_syntax_uid',
  'sha256',
  'data_set_bytes',
  'data_set_offset',
  'file_bytes',
  'received_at',
  'source_ae_title',
] as const;

export type Row<T> = Omit<Insertable<T>, 'id'>;

export function patientRow(patient: PatientState): Row<PatientTable> {
  const { identity, patientId, issuer, attributes, receivedAt, studies, series, instances, bytes } = patient;
  return {
    identity,
    patient_id: patientId,
    issuer,
    attributes,
    received_at: receivedAt,
    studies,
    series,
    instances,
    bytes,
  };
}

export function studyRow(study: StudyState): Row<StudyTable> {
  const { uid, attributes, receivedAt, series, instances, bytes } = study;
  const sets = { modalities: present(study.modalities), sop_classes: present(study.sopClasses) };
  return {
    patient_id: study.patient.id as number,
    uid,
    study_date: studyDateKey(JSON.parse(attributes) as DicomJson),
    attributes,
    received_at: receivedAt,
    series,
    instances,
    bytes,
    ...sets,
  };
}

export function seriesRow(series: SeriesState): Row<SeriesTable> {
  const { uid, modality, attributes, receivedAt, instances, bytes } = series;
  return {
    study_id: series.study.id as number,
    uid,
    modality,
    attributes,
    received_at: receivedAt,
    instances,
    bytes,
  };
}

export function instanceRow(instance: InstanceState): Row<InstanceTable> {
  const { uid, sopClassUid, number, attributes, location } = instance;
  const own = {
    series_id: instance.series.id as number,
    uid,
    sop_class_uid: sopClassUid,
    number,
    attributes,
  };
  return { ...own, ...locationRow(location) };
}

export function locationRow(
  location: StoredLocation,
): Pick<Row<SupersededTable>, (typeof LOCATION_COLUMNS)[number]> {
  return {
    path: location.path,
    transfer_syntax_uid: location.transferSyntaxUid,
    sha256: location.sha256,
    data_set_bytes: location.dataSetBytes,
    data_set_offset: location.dataSetOffset,
    file_bytes: location.fileBytes,
    received_at: location.receivedAt,
    source_ae_title: location.sourceAeTitle,
  };
}

/** Search keys of an entity, as they were and as they are. */
export interface KeyChange {
  readonly owner: number;
  readonly before: readonly SearchKey[];
  readonly after: readonly SearchKey[];
}

export function keyName({ kind, key }: SearchKey): string {
  return `${kind} ${key}`;
}

/** What an entity's attributes were and are; undefined when it was not, is not, or nothing changed. */
interface Attributes {
  readonly before: DicomJson | undefined;
  readonly after: DicomJson | undefined;
}

/** undefined when the keys cannot have changed. */
export function keyChange<E extends PatientState | StudyState | SeriesState>(
  level: QueryLevel,
  entity: E,
  attributesOf: (entity: E, remains: boolean) => Attributes | undefined,
): KeyChange | undefined {
  if (entity.id === undefined || !entity.changed) return undefined;
  const attributes = attributesOf(entity, entity.instances > 0);
  if (attributes === undefined) return undefined;
  const keysOf = (json: DicomJson | undefined): SearchKey[] =>
    json === undefined ? [] : searchKeysOf(level, json);
  return { owner: entity.id, before: keysOf(attributes.before), after: keysOf(attributes.after) };
}

export function patientAttributes(patient: PatientState, remains: boolean): Attributes | undefined {
  const { patientId: patient_id } = patient;
  return ownAttributes(
    patient,
    remains,
    computedOfPatient({ patient_id, studies: 0, series: 0, instances: 0 }),
  );
}

export function seriesAttributes(series: SeriesState, remains: boolean): Attributes | undefined {
  return ownAttributes(series, remains, {});
}

function ownAttributes(
  entity: PatientState | SeriesState,
  remains: boolean,
  computed: DicomJson,
): Attributes | undefined {
  if (remains && entity.stored === entity.attributes) return undefined;
  return {
    before: entity.stored === undefined ? undefined : mergedAttributes(entity.stored, computed),
    after: remains ? mergedAttributes(entity.attributes, computed) : undefined,
  };
}

export function studyAttributes(study: StudyState, remains: boolean): Attributes | undefined {
  const { stored } = study;
  if (remains && stored !== undefined && !isStudyDescriptionChanged(study)) return undefined;
  const withSets = (text: string, modalities: string, sop_classes: string): DicomJson =>
    mergedAttributes(
      text,
      computedOfStudy({ uid: study.uid, series: 0, instances: 0, modalities, sop_classes }),
    );
  return {
    before: stored && withSets(stored.attributes, present(stored.modalities), present(stored.sopClasses)),
    after: remains
      ? withSets(study.attributes, present(study.modalities), present(study.sopClasses))
      : undefined,
  };
}

export function isStudyDescriptionChanged(study: StudyState): boolean {
  const { stored } = study;
  return (
    stored === undefined ||
    stored.attributes !== study.attributes ||
    stored.patientId !== study.patient.id ||
    present(stored.modalities) !== present(study.modalities) ||
    present(stored.sopClasses) !== present(study.sopClasses)
  );
}
