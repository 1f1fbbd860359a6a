// The schema in MariaDB, version by version. A published version is never edited. Statements that change a schema
// commit by themselves: the first step can be run again after it was interrupted anywhere, and what the later ones did
// is taken back (see schema-change.ts).

import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from '../migrate.ts';
import type { CatalogSchema } from '../schema.ts';

export interface CopyingMigration extends Migration {
  /** Every table whose columns, indexes or rows the step changes. */
  readonly changes: readonly (keyof CatalogSchema)[];
  /** Every table that it makes. */
  readonly makes: readonly string[];
}

export const MIGRATIONS: readonly CopyingMigration[] = [
  { version: 1, changes: [], makes: [], up: createTables },
];

/** Rows of `total`: daemons add to different ones. */
export const TOTAL_ROWS = 16;

// This collation compares code points, which is the order of the bytes, and does not ignore blanks at the end.
const TABLE = sql`engine = InnoDB row_format = dynamic default charset = utf8mb4 collate = utf8mb4_nopad_bin`;

// An index entry has at most 3072 bytes, 4 for each of these characters.
const IDENTITY = sql`varchar(43)`;
const UID = sql`varchar(64)`;
const CODE = sql`varchar(64)`;
/** yyyymmdd, or nothing. */
const DATE = sql`varchar(8)`;
const PATH = sql`varchar(512)`;
/** MAX_KEY_LENGTH, and a date behind it. */
const SEARCH_KEY = sql`varchar(160)`;
/** Names a job. */
const KEY = sql`varchar(255)`;
/** ISO 8601. */
const TIME = sql`varchar(24)`;
const HASH = sql`varchar(64)`;
/** Attributes have up to 65,536 characters, other texts are as long as the sender made them. */
const TEXT = sql`mediumtext`;
const NUMBER = sql`bigint`;

const COUNTERS = { instances: NUMBER, bytes: NUMBER };
const DESCRIBED = { received_at: TIME, attributes: TEXT };
const LOCATION = {
  path: PATH,
  transfer_syntax_uid: UID,
  sha256: HASH,
  data_set_bytes: NUMBER,
  data_set_offset: NUMBER,
  file_bytes: NUMBER,
  received_at: TIME,
  source_ae_title: TEXT,
};

async function createTables(db: Kysely<CatalogSchema>): Promise<void> {
  // First: it tells an interrupted first start from a database that belongs to another program.
  await table(db, 'schema_version', { id: NUMBER, version: NUMBER })
    .addPrimaryKeyConstraint('schema_version_key', ['id'])
    .execute();

  const patient = { identity: IDENTITY, patient_id: TEXT, issuer: TEXT, studies: NUMBER, series: NUMBER };
  await entity(db, 'patient', { ...patient, ...COUNTERS, ...DESCRIBED })
    .addUniqueConstraint('patient_by_identity', ['identity'])
    .execute();

  // What the indexes by parent add to the parent ends with the row's own id, so that they are as good as unique.
  const sets = { modalities: TEXT, sop_classes: TEXT };
  await entity(db, 'study', {
    patient_id: NUMBER,
    uid: UID,
    study_date: DATE,
    series: NUMBER,
    ...sets,
    ...COUNTERS,
    ...DESCRIBED,
  })
    .addUniqueConstraint('study_by_uid', ['uid'])
    // With the date, so that a list is put in order without reading the rows.
    .addUniqueConstraint('study_by_patient', ['patient_id', 'id', 'study_date'])
    .addForeignKeyConstraint('study_of_patient', ['patient_id'], 'patient', ['id'])
    .execute();

  await entity(db, 'series', { study_id: NUMBER, uid: UID, modality: CODE, ...COUNTERS, ...DESCRIBED })
    .addUniqueConstraint('series_by_uid', ['uid', 'study_id'])
    .addUniqueConstraint('series_by_study', ['study_id', 'id'])
    .addForeignKeyConstraint('series_of_study', ['study_id'], 'study', ['id'])
    .execute();

  const instance = { series_id: NUMBER, uid: UID, sop_class_uid: UID, number: NUMBER, attributes: TEXT };
  await entity(db, 'instance', { ...instance, ...LOCATION })
    .addColumn('verified_at', TIME, (column) => column.notNull().defaultTo(''))
    .addColumn('verified_result', CODE, (column) => column.notNull().defaultTo(''))
    .addUniqueConstraint('instance_by_verified', ['verified_at', 'id'])
    .addUniqueConstraint('instance_by_uid', ['uid'])
    .addUniqueConstraint('instance_by_series', ['series_id', 'number', 'id'])
    .addForeignKeyConstraint('instance_of_series', ['series_id'], 'series', ['id'])
    .execute();

  await entity(db, 'superseded', { uid: UID, ...LOCATION })
    .addUniqueConstraint('superseded_by_uid', ['uid', 'path'])
    .execute();

  await table(db, 'study_modality', { study_id: NUMBER, modality: CODE, series: NUMBER })
    .addPrimaryKeyConstraint('study_modality_key', ['study_id', 'modality'])
    .addForeignKeyConstraint('modality_of_study', ['study_id'], 'study', ['id'])
    .execute();
  await table(db, 'study_sop_class', { study_id: NUMBER, sop_class_uid: UID, instances: NUMBER })
    .addPrimaryKeyConstraint('study_sop_class_key', ['study_id', 'sop_class_uid'])
    .addForeignKeyConstraint('sop_class_of_study', ['study_id'], 'study', ['id'])
    .execute();

  await table(db, 'search_key', { kind: NUMBER, search_key: SEARCH_KEY, owner_id: NUMBER })
    .addPrimaryKeyConstraint('search_key_key', ['kind', 'search_key', 'owner_id'])
    .execute();

  await table(db, 'total', { id: NUMBER, patients: NUMBER, studies: NUMBER, series: NUMBER, ...COUNTERS })
    .addPrimaryKeyConstraint('total_key', ['id'])
    .execute();
  const nothing = { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 };
  await db
    .insertInto('total')
    .ignore()
    .values(Array.from({ length: TOTAL_ROWS }, (_, i) => ({ id: i + 1, ...nothing })))
    .execute();
  await table(db, 'intake', { day: TIME, slot: NUMBER, files: NUMBER, bytes: NUMBER })
    .addPrimaryKeyConstraint('intake_key', ['day', 'slot'])
    .execute();
  await createTrash(db);
  await createUpkeep(db);
  await createJobs(db);
  await createDeliveries(db);
}

async function createDeliveries(db: Kysely<CatalogSchema>): Promise<void> {
  const what = { instance_uid: UID, sop_class_uid: UID, study_uid: UID, sha256: HASH, bytes: NUMBER };
  const how = { quiet_s: NUMBER, attempts: NUMBER, transaction_uid: UID, error: TEXT };
  const times = { queued_at: TIME, ready_at: TIME, sent_at: TIME, asked_at: TIME, committed_at: TIME };
  await entity(db, 'delivery', { destination: CODE, state: CODE, ...what, ...how, ...times })
    .addUniqueConstraint('delivery_by_instance', ['instance_uid', 'destination'])
    .addUniqueConstraint('delivery_by_study', ['study_uid', 'destination', 'state', 'id'])
    .addUniqueConstraint('delivery_by_state', ['destination', 'state', 'queued_at', 'bytes', 'id'])
    .addUniqueConstraint('delivery_by_transaction', ['destination', 'state', 'transaction_uid', 'id'])
    .execute();
}

async function createJobs(db: Kysely<CatalogSchema>): Promise<void> {
  const counts = { priority: NUMBER, done: NUMBER, total: NUMBER, attempts: NUMBER, losses: NUMBER };
  const words = { title: TEXT, payload: TEXT, checkpoint: TEXT, error: TEXT };
  const times = { due_at: TIME, again_at: TIME, created_at: TIME, updated_at: TIME };
  const columns = { kind: CODE, job_key: KEY, state: CODE, cancelling: NUMBER, lease_token: CODE };
  await entity(db, 'job', { ...columns, ...counts, ...words, ...times })
    .addUniqueConstraint('job_by_key', ['job_key'])
    .addUniqueConstraint('job_by_state', ['state', 'priority', 'due_at', 'id'])
    .execute();
}

async function createUpkeep(db: Kysely<CatalogSchema>): Promise<void> {
  const finding = { kind: CODE, path: PATH, uid: UID, reason: TEXT, found_at: TIME };
  await entity(db, 'finding', { ...finding, state: CODE, closed_at: TIME })
    .addUniqueConstraint('finding_by_path', ['path', 'id'])
    .addUniqueConstraint('finding_by_state', ['state', 'id'])
    .execute();
  const action = { finding_id: NUMBER, at: TIME, done_by: TEXT, action: CODE, outcome: TEXT };
  await entity(db, 'finding_action', action)
    .addUniqueConstraint('action_by_finding', ['finding_id', 'id'])
    .addForeignKeyConstraint('action_of_finding', ['finding_id'], 'finding', ['id'])
    .execute();
  const counts = { files: NUMBER, bytes: NUMBER, findings: NUMBER, repaired: NUMBER };
  await entity(db, 'check_run', { started_at: TIME, ended_at: TIME, state: CODE, ...counts }).execute();
  const notice = { code: CODE, level: CODE, params: TEXT, raised_at: TIME };
  await table(db, 'notice', { notice_key: PATH, ...notice })
    .addPrimaryKeyConstraint('notice_primary', ['notice_key'])
    .execute();
  await table(db, 'progress', { name: CODE, value: TEXT })
    .addPrimaryKeyConstraint('progress_key', ['name'])
    .execute();
}

async function createTrash(db: Kysely<CatalogSchema>): Promise<void> {
  const deletion = { deleted_at: TIME, deleted_by: TEXT, reason: TEXT, state: CODE };
  const trash = { id: CODE, level: CODE, keys: TEXT, attributes: TEXT, files: NUMBER, bytes: NUMBER };
  await table(db, 'trash', { ...trash, ...deletion })
    .addPrimaryKeyConstraint('trash_key', ['id'])
    .execute();
  const content = { uid: UID, path: PATH, sha256: HASH, received_at: TIME, file_bytes: NUMBER };
  await entity(db, 'trash_item', { trash_id: CODE, ...content })
    .addUniqueConstraint('trash_item_by_trash', ['trash_id', 'uid', 'path'])
    .addUniqueConstraint('trash_item_by_uid', ['uid', 'id'])
    .execute();
  const protection = { protected_at: TIME, protected_by: TEXT, reason: TEXT };
  await table(db, 'protection', { identity: IDENTITY, patient_id: TEXT, issuer: TEXT, ...protection })
    .addPrimaryKeyConstraint('protection_key', ['identity'])
    .execute();
}

type Columns = Readonly<Record<string, RawBuilder<unknown>>>;

/** A table whose rows get their `id` from the database. */
function entity(
  db: Kysely<CatalogSchema>,
  name: string,
  columns: Columns,
): CreateTableBuilder<string, string> {
  return table(db, name, { id: sql`bigint auto_increment`, ...columns }).addPrimaryKeyConstraint(
    `${name}_key`,
    ['id'],
  );
}

function table(
  db: Kysely<CatalogSchema>,
  name: string,
  columns: Columns,
): CreateTableBuilder<string, string> {
  let builder: CreateTableBuilder<string, string> = db.schema
    .createTable(name)
    .ifNotExists()
    .modifyEnd(TABLE);
  for (const [column, type] of Object.entries(columns)) {
    builder = builder.addColumn(column, type, (definition) => definition.notNull());
  }
  return builder;
}
