// Reads the rows that a batch can touch: one statement per table, whatever the size of the batch.

import type { Selectable } from 'kysely';
import type { StoredLocation } from './catalog.ts';
import type { Engine } from './engine.ts';
import { type IngestRecord, patientIdentity } from './ingest-record.ts';
import {
  IngestState,
  type PatientState,
  type SeriesState,
  type StudyState,
  seriesKey,
} from './ingest-state.ts';
import { type Connection, type Prepared, prepareList } from './prepared.ts';
import type { InstanceTable, PatientTable, SeriesTable, StudyTable, SupersededTable } from './schema.ts';

export interface LoadState {
  /** The batch, applied to what there is. */
  batch(connection: Connection, batch: readonly IngestRecord[]): Promise<IngestState>;
  /** These instances as they are, with everything above them. */
  instances(connection: Connection, uids: readonly string[]): Promise<IngestState>;
}

/** Prepares the reading half of ingest. What may be changed is locked, always in this order: instances, series, studies,
 *  patients. The rows behind a study's sets change only with the study. */
export function prepareLoad({ db, locked }: Engine): LoadState {
  const statements = {
    instances: prepareList((uids: readonly string[]) =>
      locked(db.selectFrom('instance').selectAll().where('uid', 'in', uids)),
    ),
    superseded: prepareList((uids: readonly string[]) =>
      db.selectFrom('superseded').selectAll().where('uid', 'in', uids),
    ),
    seriesByUid: prepareList((uids: readonly string[]) =>
      locked(db.selectFrom('series').selectAll().where('uid', 'in', uids)),
    ),
    seriesById: prepareList((ids: readonly number[]) =>
      locked(db.selectFrom('series').selectAll().where('id', 'in', ids)),
    ),
    studiesByUid: prepareList((uids: readonly string[]) =>
      locked(db.selectFrom('study').selectAll().where('uid', 'in', uids)),
    ),
    studiesById: prepareList((ids: readonly number[]) =>
      locked(db.selectFrom('study').selectAll().where('id', 'in', ids)),
    ),
    patientsByIdentity: prepareList((identities: readonly string[]) =>
      locked(db.selectFrom('patient').selectAll().where('identity', 'in', identities)),
    ),
    patientsById: prepareList((ids: readonly number[]) =>
      locked(db.selectFrom('patient').selectAll().where('id', 'in', ids)),
    ),
    modalities: prepareList((ids: readonly number[]) =>
      db.selectFrom('study_modality').selectAll().where('study_id', 'in', ids),
    ),
    sopClasses: prepareList((ids: readonly number[]) =>
      db.selectFrom('study_sop_class').selectAll().where('study_id', 'in', ids),
    ),
  };

  const loadBatch: LoadState['batch'] = async (connection, batch) => {
    const instances = await statements.instances(connection, [...new Set(batch.map((record) => record.uid))]);
    const hashes = new Map(instances.map((row) => [row.uid, row.sha256]));
    // The usual repetition, sent again unchanged, needs nothing more.
    const changing = new Set(
      batch.filter((record) => hashes.get(record.uid) !== record.location.sha256).map((record) => record.uid),
    );
    const news = batch.filter((record) => changing.has(record.uid));
    const state = await loadAround(
      connection,
      news,
      instances.filter((row) => changing.has(row.uid)),
    );
    for (const record of news) state.apply(record);
    return state;
  };

  /** What `news` and the instances in `conflicts` belong to. */
  const loadAround = async (
    connection: Connection,
    news: readonly IngestRecord[],
    conflicts: readonly Selectable<InstanceTable>[],
  ): Promise<IngestState> => {
    const read = <A, R>(statement: Prepared<readonly A[], R>, keys: Iterable<A>): Promise<R[]> =>
      statement(connection, [...new Set(keys)]);

    const superseded = await read(
      statements.superseded,
      conflicts.map((row) => row.uid),
    );
    const seriesRows = byId([
      ...(await read(
        statements.seriesByUid,
        news.map((record) => record.seriesUid),
      )),
      ...(await read(
        statements.seriesById,
        conflicts.map((row) => row.series_id),
      )),
    ]);
    const namedStudies = await read(
      statements.studiesByUid,
      news.map((record) => record.studyUid),
    );
    const conflictSeries = conflicts.flatMap((row) => seriesRows.get(row.series_id) ?? []);
    const studyRows = byId([
      ...namedStudies,
      ...(await read(
        statements.studiesById,
        missing(
          conflictSeries.map((row) => row.study_id),
          byId(namedStudies),
        ),
      )),
    ]);
    const namedPatients = await read(statements.patientsByIdentity, news.map(patientIdentity));
    const studyPatients = [...studyRows.values()].map((row) => row.patient_id);
    const patientRows = [
      ...namedPatients,
      ...(await read(statements.patientsById, missing(studyPatients, byId(namedPatients)))),
    ];
    const modalities = await read(statements.modalities, studyRows.keys());
    const sopClasses = await read(statements.sopClasses, studyRows.keys());

    const state = new IngestState();
    const patients = new Map<number, PatientState>();
    for (const row of patientRows) {
      const patient = patientState(row);
      patients.set(row.id, patient);
      state.patients.set(patient.identity, patient);
    }
    const studies = new Map<number, StudyState>();
    for (const row of studyRows.values()) {
      const patient = patients.get(row.patient_id);
      if (patient === undefined) continue;
      const study = studyState(
        row,
        patient,
        new Map(modalities.filter((m) => m.study_id === row.id).map((m) => [m.modality, m.series])),
        new Map(sopClasses.filter((s) => s.study_id === row.id).map((s) => [s.sop_class_uid, s.instances])),
      );
      studies.set(row.id, study);
      state.studies.set(study.uid, study);
    }
    const series = new Map<number, SeriesState>();
    for (const row of seriesRows.values()) {
      // A series of this UID in a study that the batch does not touch is another series.
      const study = studies.get(row.study_id);
      if (study === undefined) continue;
      series.set(row.id, seriesState(row, study));
      state.series.set(seriesKey(study.uid, row.uid), series.get(row.id) as SeriesState);
    }
    for (const row of conflicts) {
      const parent = series.get(row.series_id);
      if (parent === undefined) continue;
      state.instances.set(row.uid, {
        id: row.id,
        uid: row.uid,
        series: parent,
        sopClassUid: row.sop_class_uid,
        number: row.number,
        attributes: row.attributes,
        location: locationOf(row),
        changed: false,
      });
    }
    for (const row of superseded) {
      state.superseded.set(row.uid, [...(state.superseded.get(row.uid) ?? []), locationOf(row)]);
    }
    return state;
  };

  return {
    batch: loadBatch,
    instances: async (connection, uids) =>
      loadAround(connection, [], await statements.instances(connection, uids)),
  };
}

/** The columns of a StoredLocation. */
export function locationOf(row: Selectable<InstanceTable> | Selectable<SupersededTable>): StoredLocation {
  return {
    path: row.path,
    transferSyntaxUid: row.transfer_syntax_uid,
    sha256: row.sha256,
    dataSetBytes: row.data_set_bytes,
    dataSetOffset: row.data_set_offset,
    fileBytes: row.file_bytes,
    receivedAt: row.received_at,
    sourceAeTitle: row.source_ae_title,
  };
}

function patientState(row: Selectable<PatientTable>): PatientState {
  const { id, identity, issuer, attributes, instances, bytes, studies, series } = row;
  const own = { identity, patientId: row.patient_id, issuer, studies, series, stored: attributes };
  return { id, attributes, receivedAt: row.received_at, instances, bytes, changed: false, ...own };
}

function studyState(
  row: Selectable<StudyTable>,
  patient: PatientState,
  modalities: Map<string, number>,
  sopClasses: Map<string, number>,
): StudyState {
  const { id, uid, attributes, instances, bytes, series } = row;
  const stored = {
    attributes,
    patientId: row.patient_id,
    modalities: new Map(modalities),
    sopClasses: new Map(sopClasses),
  };
  const own = { uid, patient, series, modalities, sopClasses, stored };
  return { id, attributes, receivedAt: row.received_at, instances, bytes, changed: false, ...own };
}

function seriesState(row: Selectable<SeriesTable>, study: StudyState): SeriesState {
  const { id, uid, attributes, instances, bytes, modality } = row;
  const own = { uid, study, modality, stored: attributes };
  return { id, attributes, receivedAt: row.received_at, instances, bytes, changed: false, ...own };
}

function byId<R extends { id: number }>(rows: readonly R[]): Map<number, R> {
  return new Map(rows.map((row) => [row.id, row]));
}

function missing(ids: readonly number[], present: ReadonlyMap<number, unknown>): number[] {
  return ids.filter((id) => !present.has(id));
}
