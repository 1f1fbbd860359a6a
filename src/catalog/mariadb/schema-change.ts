// A change of the schema that can be taken back. MariaDB commits every statement that changes a schema by itself, so
// the tables that are to be changed are copied first, and whoever next opens the database puts the copies back when the
// change has not come to its end, or when it is too old for what it came to.
//
// While it lasts the version is negative: of daemons that run, none begins a transaction (see driver.ts), so that the
// copies stay what they are copies of. It is over when a daemon takes the new schema up; then the copies go.

import { type Kysely, sql } from 'kysely';
import type { MariadbAddress } from '../../util/catalog-address.ts';
import { messageOf } from '../../util/errors.ts';
import { CatalogError } from '../errors.ts';
import { newestOf, VERSION_ROW } from '../migrate.ts';
import type { CatalogSchema } from '../schema.ts';
import { ConnectionLost, nameOf } from './faults.ts';
import type { CopyingMigration } from './migrations.ts';

type Database = Kysely<CatalogSchema>;

/** The row of `schema_version` that says to which version the steps have brought it. */
const REACHED_ROW = 2;
const COPIES = 'schema_copy';

/** Of one table that is changed or made. */
interface Copy {
  readonly name: string;
  /** Holds its rows; '' when the table was not there. */
  readonly copy: string;
  /** What makes it as it was; a copy lacks foreign keys and the next number. */
  readonly statement: string;
}

/** The version of a schema that is whole: a change that cannot be gone on with is taken back. */
export async function settledVersion(db: Database, address: MariadbAddress, newest: number): Promise<number> {
  const tables = await tableNames(db);
  if (tables.size === 0) return 0;
  if (!tables.has('schema_version')) {
    throw new CatalogError(
      'catalog-corrupt',
      `${nameOf(address)} is a database, but not a catalogue; name another one`,
    );
  }
  // The first step makes this table before all others and fills it last.
  const rows = await db.selectFrom('schema_version').selectAll().execute();
  const version = rows.find(({ id }) => id === VERSION_ROW)?.version ?? 0;
  const reached = rows.find(({ id }) => id === REACHED_ROW)?.version;
  if (version >= 0) {
    await dropCopies(db);
    return version;
  }
  const before = -version;
  if (reached === newest || before > newest) return reached ?? before;
  await putBack(db, before);
  return before;
}

/** Every statement may be the last one. Without a connection the next start puts the copies back. */
export async function change(
  db: Database,
  version: number,
  pending: readonly CopyingMigration[],
): Promise<void> {
  if (version === 0) {
    await run(db, pending);
    await setVersion(db, newestOf(pending));
    return;
  }
  // Waits for the transactions of daemons that run.
  await setVersion(db, -version);
  try {
    await copyTables(db, version, pending);
    await run(db, pending);
    const reached = { id: REACHED_ROW, version: newestOf(pending) };
    await db.insertInto('schema_version').values(reached).execute();
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    await putBack(db, version).catch((second: unknown) => {
      const later = 'what it had changed is put back at the next start, because now it could not be';
      throw new Error(`${messageOf(error)}; ${later}: ${messageOf(second)}`, { cause: error });
    });
    throw error;
  }
}

/** From here on there is no way back to the version before. */
export async function takeUp(db: Database, newest: number): Promise<void> {
  const row = await db
    .selectFrom('schema_version')
    .select('version')
    .where('id', '=', VERSION_ROW)
    .executeTakeFirst();
  if (row?.version !== newest) await endChange(db, newest);
}

async function run(db: Database, pending: readonly CopyingMigration[]): Promise<void> {
  for (const migration of pending) await db.transaction().execute((transaction) => migration.up(transaction));
}

async function setVersion(db: Database, version: number): Promise<void> {
  // In one statement: there must be a version at every moment.
  await db.replaceInto('schema_version').values({ id: VERSION_ROW, version }).execute();
}

async function endChange(db: Database, version: number): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('schema_version').where('id', '=', REACHED_ROW).execute();
    await setVersion(transaction, version);
  });
  await dropCopies(db);
}

async function copyTables(
  db: Database,
  version: number,
  pending: readonly CopyingMigration[],
): Promise<void> {
  const tables = await tableNames(db);
  await sql`create table ${sql.table(COPIES)} (name varchar(64) primary key, copy varchar(64) not null,
    statement mediumtext not null, is_complete int not null)`.execute(db);
  for (const name of new Set(pending.flatMap(({ makes }) => makes))) {
    if (!tables.has(name)) await noteCopy(db, { name, copy: '', statement: '' }, 1);
  }
  for (const name of new Set<string>(pending.flatMap(({ changes }) => changes))) {
    // One that an earlier step makes goes as a whole.
    if (tables.has(name)) await copyTable(db, name, `${name}_version_${version}`);
  }
}

async function copyTable(db: Database, name: string, copy: string): Promise<void> {
  const { rows } = await sql<{ 'Create Table': string }>`show create table ${sql.table(name)}`.execute(db);
  await noteCopy(db, { name, copy, statement: rows[0]?.['Create Table'] ?? '' }, 0);
  await sql`create table ${sql.table(copy)} like ${sql.table(name)}`.execute(db);
  await sql`insert into ${sql.table(copy)} select * from ${sql.table(name)}`.execute(db);
  await sql`update ${sql.table(COPIES)} set is_complete = 1 where name = ${name}`.execute(db);
}

async function noteCopy(db: Database, { name, copy, statement }: Copy, isComplete: 0 | 1): Promise<void> {
  await sql`insert into ${sql.table(COPIES)} (name, copy, statement, is_complete)
    values (${name}, ${copy}, ${statement}, ${isComplete})`.execute(db);
}

/** Copies take the place of what they are copies of: no row is read, so that a start does not wait for it. It can be
 *  begun again wherever it ended. */
async function putBack(db: Database, version: number): Promise<void> {
  const tables = await tableNames(db);
  const copies = tables.has(COPIES)
    ? await sql<Copy>`select * from ${sql.table(COPIES)} where is_complete = 1`.execute(db)
    : { rows: [] };
  // Others refer to a table that is not there for a moment.
  await sql`set foreign_key_checks = 0`.execute(db);
  try {
    for (const { name, copy, statement } of copies.rows) {
      if (copy === '' || tables.has(copy)) await sql`drop table if exists ${sql.table(name)}`.execute(db);
      if (copy === '') continue;
      if (tables.has(copy)) await sql`rename table ${sql.table(copy)} to ${sql.table(name)}`.execute(db);
      await completeTable(db, name, statement);
    }
  } finally {
    await sql`set foreign_key_checks = 1`.execute(db);
  }
  await endChange(db, version);
}

/** Gives a table that was a copy what copies do not have. */
async function completeTable(db: Database, name: string, statement: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select constraint_name as name from information_schema.referential_constraints
      where constraint_schema = database() and table_name = ${name}`.execute(db);
  const known = new Set(rows.map((row) => row.name));
  const keys = [...statement.matchAll(/CONSTRAINT `(?<key>[^`]+)` FOREIGN KEY [^\n]*?(?=,?\n)/g)];
  const changes = keys.filter(({ groups }) => !known.has(groups?.key ?? '')).map(([key]) => `add ${key}`);
  const next = /\bAUTO_INCREMENT=(?<number>\d+)/.exec(statement)?.groups?.number;
  if (next !== undefined) changes.push(`auto_increment = ${next}`);
  if (changes.length === 0) return;
  await sql`alter table ${sql.table(name)} ${sql.raw(changes.join(', '))}`.execute(db);
}

async function dropCopies(db: Database): Promise<void> {
  if (!(await tableNames(db)).has(COPIES)) return;
  const { rows } = await sql<Copy>`select * from ${sql.table(COPIES)}`.execute(db);
  for (const { copy } of rows) {
    if (copy !== '') await sql`drop table if exists ${sql.table(copy)}`.execute(db);
  }
  await sql`drop table ${sql.table(COPIES)}`.execute(db);
}

async function tableNames(db: Database): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = database()`.execute(db);
  return new Set(rows.map(({ name }) => name));
}
