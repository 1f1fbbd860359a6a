// Statements that insert, change and remove patients, studies, series and instances.

import {
  instanceRow,
  isStudyDescriptionChanged,
  LOCATION_COLUMNS,
  type Row,
  studyRow,
} from './ingest-rows.ts';
import type { InstanceState, PatientState, SeriesState, StudyState } from './ingest-state.ts';
import { type Connection, type Prepared, prepare, prepareList, prepareRows } from './prepared.ts';
import type { InstanceTable, PatientTable, SeriesTable, StudyTable } from './schema.ts';

/** `ids` finds rows just inserted by their natural key: not every engine returns them from the insert. */
interface EntityStatements<E, R, I> {
  readonly insert: Prepared<readonly R[], unknown>;
  readonly ids: Prepared<readonly string[], I>;
  readonly update: (connection: Connection, entity: E) => Promise<void>;
  readonly remove: Prepared<readonly number[], unknown>;
}

interface FoundId {
  id: number;
  key: string;
}

export interface Entities {
  readonly patient: EntityStatements<PatientState, Row<PatientTable>, FoundId>;
  readonly study: EntityStatements<StudyState, Row<StudyTable>, FoundId>;
  readonly series: EntityStatements<SeriesState, Row<SeriesTable>, FoundId & { study_id: number }>;
  readonly instance: Omit<EntityStatements<InstanceState, Row<InstanceTable>, FoundId>, 'ids'>;
}

export function prepareEntities(db: Connection): Entities {
  return { patient: patients(db), study: studies(db), series: series(db), instance: instances(db) };
}

// Counters change with every instance, descriptions almost never: the long texts are written only then.

function patients(db: Connection): Entities['patient'] {
  const counters = prepare<PatientState, unknown>((slot) =>
    db
      .updateTable('patient')
      .set({
        received_at: slot('receivedAt'),
        studies: slot('studies'),
        series: slot('series'),
        instances: slot('instances'),
        bytes: slot('bytes'),
      })
      .where('id', '=', slot('id') as number),
  );
  const description = prepare<PatientState, unknown>((slot) =>
    db
      .updateTable('patient')
      .set({ attributes: slot('attributes') })
      .where('id', '=', slot('id') as number),
  );
  return {
    insert: prepareRows(
      [
        'identity',
        'patient_id',
        'issuer',
        'attributes',
        'received_at',
        'studies',
        'series',
        'instances',
        'bytes',
      ],
      (rows: readonly Row<PatientTable>[]) => db.insertInto('patient').values(rows),
    ),
    ids: prepareList((identities: readonly string[]) =>
      db.selectFrom('patient').select(['id', 'identity as key']).where('identity', 'in', identities),
    ),
    update: async (connection, patient) => {
      await counters(connection, patient);
      if (patient.attributes !== patient.stored) await description(connection, patient);
    },
    remove: prepareList((ids: readonly number[]) => db.deleteFrom('patient').where('id', 'in', ids)),
  };
}

function studies(db: Connection): Entities['study'] {
  const counters = prepare<StudyState, unknown>((slot) =>
    db
      .updateTable('study')
      .set({
        received_at: slot('receivedAt'),
        series: slot('series'),
        instances: slot('instances'),
        bytes: slot('bytes'),
      })
      .where('id', '=', slot('id') as number),
  );
  const description = prepare<Row<StudyTable> & { id: number }, unknown>((slot) =>
    db
      .updateTable('study')
      .set({
        patient_id: slot('patient_id'),
        study_date: slot('study_date'),
        attributes: slot('attributes'),
        modalities: slot('modalities'),
        sop_classes: slot('sop_classes'),
      })
      .where('id', '=', slot('id')),
  );
  return {
    insert: prepareRows(
      [
        'patient_id',
        'uid',
        'study_date',
        'attributes',
        'received_at',
        'series',
        'instances',
        'bytes',
        'modalities',
        'sop_classes',
      ],
      (rows: readonly Row<StudyTable>[]) => db.insertInto('study').values(rows),
    ),
    ids: prepareList((uids: readonly string[]) =>
      db.selectFrom('study').select(['id', 'uid as key']).where('uid', 'in', uids),
    ),
    update: async (connection, study) => {
      await counters(connection, study);
      if (isStudyDescriptionChanged(study))
        await description(connection, { ...studyRow(study), id: study.id as number });
    },
    remove: prepareList((ids: readonly number[]) => db.deleteFrom('study').where('id', 'in', ids)),
  };
}

function series(db: Connection): Entities['series'] {
  const counters = prepare<SeriesState, unknown>((slot) =>
    db
      .updateTable('series')
      .set({
        received_at: slot('receivedAt'),
        instances: slot('instances'),
        bytes: slot('bytes'),
        modality: slot('modality'),
      })
      .where('id', '=', slot('id') as number),
  );
  const description = prepare<SeriesState, unknown>((slot) =>
    db
      .updateTable('series')
      .set({ attributes: slot('attributes') })
      .where('id', '=', slot('id') as number),
  );
  return {
    insert: prepareRows(
      ['study_id', 'uid', 'modality', 'attributes', 'received_at', 'instances', 'bytes'],
      (rows: readonly Row<SeriesTable>[]) => db.insertInto('series').values(rows),
    ),
    ids: prepareList((uids: readonly string[]) =>
      db.selectFrom('series').select(['id', 'uid as key', 'study_id']).where('uid', 'in', uids),
    ),
    update: async (connection, one) => {
      await counters(connection, one);
      if (one.attributes !== one.stored) await description(connection, one);
    },
    remove: prepareList((ids: readonly number[]) => db.deleteFrom('series').where('id', 'in', ids)),
  };
}

function instances(db: Connection): Entities['instance'] {
  const columns = ['series_id', 'uid', 'sop_class_uid', 'number', 'attributes', ...LOCATION_COLUMNS] as const;
  const update = prepare<Row<InstanceTable> & { id: number }, unknown>((slot) =>
    db
      .updateTable('instance')
      // Of other bytes nobody knows yet whether they can be read again.
      .set({
        ...Object.fromEntries(columns.map((column) => [column, slot(column)])),
        verified_at: '',
        verified_result: '',
      })
      .where('id', '=', slot('id')),
  );
  return {
    insert: prepareRows(columns, (rows: readonly Row<InstanceTable>[]) =>
      db.insertInto('instance').values(rows),
    ),
    update: async (connection, instance) => {
      await update(connection, { ...instanceRow(instance), id: instance.id as number });
    },
    remove: prepareList((ids: readonly number[]) => db.deleteFrom('instance').where('id', 'in', ids)),
  };
}
