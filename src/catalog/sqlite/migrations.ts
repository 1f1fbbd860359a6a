// The schema in SQLite, version by version. A published version is never edited.

import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { Migration } from '../migrate.ts';
import type { CatalogSchema } from '../schema.ts';

export const MIGRATIONS: readonly Migration[] = [{ version: 1, up: createTables }];

const ROWS = sql`strict`;
/** The table is the index of its primary key. */
const CLUSTERED = sql`strict, without rowid`;

type Column = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

const required: Column = (column) => column.notNull();
const key: Column = (column) => column.primaryKey();
const references =
  (target: string): Column =>
  (column) =>
    column.notNull().references(target);

// SQLite compares text by its bytes unless told otherwise (BINARY), which is what search keys want.
async function createTables(db: Kysely<CatalogSchema>): Promise<void> {
  await table(db, 'schema_version', { id: key }, ['version']).modifyEnd(ROWS).execute();

  await table(
    db,
    'patient',
    { id: key, identity: (column) => column.notNull().unique() },
    ['studies', 'series', 'instances', 'bytes'],
    ['patient_id', 'issuer', 'attributes', 'received_at'],
  )
    .modifyEnd(ROWS)
    .execute();

  await table(
    db,
    'study',
    { id: key, patient_id: references('patient.id'), uid: (column) => column.notNull().unique() },
    ['series', 'instances', 'bytes'],
    ['study_date', 'modalities', 'sop_classes', 'received_at', 'attributes'],
  )
    .modifyEnd(ROWS)
    .execute();
  // With the date, so that a list is put in order without reading the rows.
  await db.schema
    .createIndex('study_by_patient')
    .on('study')
    .columns(['patient_id', 'id', 'study_date'])
    .execute();

  await table(
    db,
    'series',
    { id: key, study_id: references('study.id') },
    ['instances', 'bytes'],
    ['uid', 'modality', 'received_at', 'attributes'],
  )
    .modifyEnd(ROWS)
    .execute();
  await db.schema.createIndex('series_by_uid').unique().on('series').columns(['uid', 'study_id']).execute();
  await db.schema.createIndex('series_by_study').on('series').columns(['study_id', 'id']).execute();

  const locationNumbers = ['data_set_bytes', 'data_set_offset', 'file_bytes'];
  const locationTexts = ['path', 'transfer_syntax_uid', 'sha256', 'received_at', 'source_ae_title'];
  await table(
    db,
    'instance',
    { id: key, series_id: references('series.id'), uid: (column) => column.notNull().unique() },
    ['number', ...locationNumbers],
    ['sop_class_uid', ...locationTexts, 'attributes'],
  )
    .addColumn('verified_at', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('verified_result', 'text', (column) => column.notNull().defaultTo(''))
    .modifyEnd(ROWS)
    .execute();
  await db.schema
    .createIndex('instance_by_series')
    .on('instance')
    .columns(['series_id', 'number', 'id'])
    .execute();
  await db.schema.createIndex('instance_by_verified').on('instance').columns(['verified_at', 'id']).execute();

  await table(db, 'superseded', { id: key }, locationNumbers, ['uid', ...locationTexts])
    .modifyEnd(ROWS)
    .execute();
  await db.schema
    .createIndex('superseded_by_uid')
    .unique()
    .on('superseded')
    .columns(['uid', 'path'])
    .execute();

  await table(db, 'study_modality', { study_id: references('study.id') }, ['series'], ['modality'])
    .addPrimaryKeyConstraint('study_modality_key', ['study_id', 'modality'])
    .modifyEnd(CLUSTERED)
    .execute();
  await table(db, 'study_sop_class', { study_id: references('study.id') }, ['instances'], ['sop_class_uid'])
    .addPrimaryKeyConstraint('study_sop_class_key', ['study_id', 'sop_class_uid'])
    .modifyEnd(CLUSTERED)
    .execute();

  await table(db, 'search_key', {}, ['kind', 'owner_id'], ['search_key'])
    .addPrimaryKeyConstraint('search_key_key', ['kind', 'search_key', 'owner_id'])
    .modifyEnd(CLUSTERED)
    .execute();

  await table(db, 'total', { id: key }, ['patients', 'studies', 'series', 'instances', 'bytes'])
    .modifyEnd(ROWS)
    .execute();
  await db
    .insertInto('total')
    .values({ id: 1, patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 })
    .execute();
  await table(db, 'intake', {}, ['slot', 'files', 'bytes'], ['day'])
    .addPrimaryKeyConstraint('intake_key', ['day', 'slot'])
    .modifyEnd(CLUSTERED)
    .execute();
  await createTrash(db);
  await createUpkeep(db);
  await createJobs(db);
  await createDeliveries(db);
}

async function createDeliveries(db: Kysely<CatalogSchema>): Promise<void> {
  await table(
    db,
    'delivery',
    { id: key },
    ['bytes', 'quiet_s', 'attempts'],
    [
      ...['destination', 'instance_uid', 'sop_class_uid', 'study_uid', 'sha256', 'state', 'transaction_uid'],
      ...['queued_at', 'ready_at', 'sent_at', 'asked_at', 'committed_at', 'error'],
    ],
  )
    .modifyEnd(ROWS)
    .execute();
  const index = (name: string) => db.schema.createIndex(name).on('delivery');
  await index('delivery_by_instance').unique().columns(['instance_uid', 'destination']).execute();
  await index('delivery_by_study').columns(['study_uid', 'destination', 'state']).execute();
  await index('delivery_by_state').columns(['destination', 'state', 'queued_at', 'bytes']).execute();
  await index('delivery_by_transaction').columns(['destination', 'state', 'transaction_uid']).execute();
}

async function createJobs(db: Kysely<CatalogSchema>): Promise<void> {
  await table(
    db,
    'job',
    { id: key },
    ['priority', 'done', 'total', 'attempts', 'losses', 'cancelling'],
    [
      ...['kind', 'job_key', 'state', 'title', 'payload', 'checkpoint', 'error'],
      ...['due_at', 'again_at', 'lease_token', 'created_at', 'updated_at'],
    ],
  )
    .modifyEnd(ROWS)
    .execute();
  await db.schema.createIndex('job_by_key').unique().on('job').column('job_key').execute();
  await db.schema.createIndex('job_by_state').on('job').columns(['state', 'priority', 'due_at']).execute();
}

async function createUpkeep(db: Kysely<CatalogSchema>): Promise<void> {
  const findingTexts = ['kind', 'path', 'uid', 'reason', 'found_at', 'state', 'closed_at'];
  await table(db, 'finding', { id: key }, [], findingTexts).modifyEnd(ROWS).execute();
  await db.schema.createIndex('finding_by_path').on('finding').columns(['path', 'id']).execute();
  await db.schema.createIndex('finding_by_state').on('finding').columns(['state', 'id']).execute();
  const actionTexts = ['at', 'done_by', 'action', 'outcome'];
  await table(db, 'finding_action', { id: key, finding_id: references('finding.id') }, [], actionTexts)
    .modifyEnd(ROWS)
    .execute();
  await db.schema
    .createIndex('action_by_finding')
    .on('finding_action')
    .columns(['finding_id', 'id'])
    .execute();
  const counts = ['files', 'bytes', 'findings', 'repaired'];
  await table(db, 'check_run', { id: key }, counts, ['started_at', 'ended_at', 'state'])
    .modifyEnd(ROWS)
    .execute();
  await table(db, 'notice', {}, [], ['notice_key', 'code', 'level', 'params', 'raised_at'])
    .addPrimaryKeyConstraint('notice_primary', ['notice_key'])
    .modifyEnd(ROWS)
    .execute();
  await table(db, 'progress', {}, [], ['name', 'value'])
    .addPrimaryKeyConstraint('progress_key', ['name'])
    .modifyEnd(ROWS)
    .execute();
}

async function createTrash(db: Kysely<CatalogSchema>): Promise<void> {
  const trashTexts = ['level', 'keys', 'attributes', 'deleted_at', 'deleted_by', 'reason', 'state'];
  await table(db, 'trash', {}, ['files', 'bytes'], ['id', ...trashTexts])
    .addPrimaryKeyConstraint('trash_key', ['id'])
    .modifyEnd(ROWS)
    .execute();
  await table(
    db,
    'trash_item',
    { id: key },
    ['file_bytes'],
    ['trash_id', 'uid', 'path', 'sha256', 'received_at'],
  )
    .modifyEnd(ROWS)
    .execute();
  await db.schema
    .createIndex('trash_item_by_trash')
    .unique()
    .on('trash_item')
    .columns(['trash_id', 'uid', 'path'])
    .execute();
  await db.schema.createIndex('trash_item_by_uid').on('trash_item').columns(['uid', 'id']).execute();
  const protectionTexts = ['patient_id', 'issuer', 'protected_at', 'protected_by', 'reason'];
  await table(db, 'protection', { identity: key }, [], protectionTexts).modifyEnd(ROWS).execute();
}

function table(
  db: Kysely<CatalogSchema>,
  name: string,
  keys: Readonly<Record<string, Column>>,
  numbers: readonly string[],
  texts: readonly string[] = [],
): CreateTableBuilder<string, string> {
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, build] of Object.entries(keys)) {
    builder = builder.addColumn(
      column,
      column === 'uid' || column === 'identity' ? 'text' : 'integer',
      build,
    );
  }
  for (const column of numbers) builder = builder.addColumn(column, 'integer', required);
  for (const column of texts) builder = builder.addColumn(column, 'text', required);
  return builder;
}
