// The embedded engine: one file, held by one daemon, a commit returns when the disk has it.

import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Expression, Kysely, type SqlBool, sql } from 'kysely';
import { codeOf, messageOf } from '../../util/errors.ts';
import type { Beyond, Engine } from '../engine.ts';
import { CatalogError, type CatalogErrorCode } from '../errors.ts';
import { type Migration, migrate, newestOf, VERSION_ROW } from '../migrate.ts';
import { TRUNCATED } from '../normalise.ts';
import type { CatalogSchema } from '../schema.ts';
import { NodeSqliteDialect } from './dialect.ts';
import { MIGRATIONS } from './migrations.ts';

const PRAGMAS = [
  // First: with it the index of the write-ahead log lives in memory, and nobody else can open the file.
  'pragma locking_mode = exclusive',
  'pragma busy_timeout = 2000',
  'pragma journal_mode = wal',
  // A commit is on the disk when it returns, also after power loss.
  'pragma synchronous = full',
  'pragma foreign_keys = on',
  'pragma cache_size = -8192',
  'pragma temp_store = memory',
  // Checkpoints write each page once for many commits; the log stays below some 32 MiB.
  'pragma wal_autocheckpoint = 4000',
  'pragma journal_size_limit = 33554432',
];

const SEARCH_KEY = sql.ref('search_key');

/** Opens or makes the catalogue in `file`. */
export async function openSqlite(
  file: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Engine> {
  const describe = (error: unknown): CatalogError => describeFailure(file, error);
  let identity: string | undefined;
  const db = new Kysely<CatalogSchema>({
    dialect: new NodeSqliteDialect({
      file,
      pragmas: PRAGMAS,
      afterCommit: () => {
        if (identity === undefined) return;
        const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
        if (fileIdentity(file) !== identity || log === undefined) throw vanished(file);
      },
    }),
  });
  try {
    await migrate(db, migrations, {
      readVersion: () => readVersion(db, file),
      change: (_, version, pending) => change(db, file, version, pending),
    });
    identity = fileIdentity(file);
  } catch (error) {
    await db.destroy().catch(() => undefined);
    throw describe(error);
  }
  return {
    db,
    transaction: (work) => db.transaction().execute(work),
    // There is one writer, and it has the lock before it reads.
    locked: (query) => query,
    totalRow: 1,
    beyond,
    mayHold: (text) =>
      sql<SqlBool>`(instr(${SEARCH_KEY}, ${text}) > 0 or instr(${SEARCH_KEY}, ${TRUNCATED}) > 0)`,
    scanStretch: 16_384,
    isShared: false,
    clockOffsetMs: async () => 0,
    warnings: [],
    describe,
    close: () => db.destroy(),
  };
}

// SQLite seeks on every column of a row value.
const beyond: Beyond = (columns, direction, values): Expression<SqlBool> => {
  const [first, second] = columns;
  const operator = direction === 'asc' ? sql`>` : sql`<`;
  return sql<SqlBool>`(${sql.ref(first)}, ${sql.ref(second)}) ${operator} (${values[0]}, ${values[1]})`;
};

async function readVersion(db: Kysely<CatalogSchema>, file: string): Promise<number> {
  const tables = await db.introspection.getTables();
  if (tables.length === 0) return 0;
  const known = tables.some((table) => table.name === 'schema_version');
  const row = known ? await db.selectFrom('schema_version').select('version').executeTakeFirst() : undefined;
  if (row !== undefined) return row.version;
  throw new CatalogError('catalog-corrupt', `${file} is a database, but not a catalogue; name another file`);
}

/** In one transaction: the schema is the new one, or the one that was there. */
async function change(
  db: Kysely<CatalogSchema>,
  file: string,
  version: number,
  pending: readonly Migration[],
): Promise<void> {
  if (version > 0) await backUp(db, file, version);
  await db.transaction().execute(async (transaction) => {
    for (const migration of pending) await migration.up(transaction);
    const row = { id: VERSION_ROW, version: newestOf(pending) };
    await transaction.replaceInto('schema_version').values(row).execute();
  });
}

/** A whole copy beside the file, in place of that of an earlier change. */
async function backUp(db: Kysely<CatalogSchema>, file: string, version: number): Promise<void> {
  const copy = `${file}.version-${version}`;
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  await sql`vacuum into ${unfinished}`.execute(db);
  const prefix = `${basename(file)}.version-`;
  for (const name of readdirSync(dirname(file))) {
    if (name.startsWith(prefix)) rmSync(join(dirname(file), name));
  }
  renameSync(unfinished, copy);
}

/** Device and inode. A file that was removed keeps taking commits for nobody. */
function fileIdentity(file: string): string | undefined {
  const main = statSync(file, { throwIfNoEntry: false });
  return main === undefined ? undefined : `${main.dev}:${main.ino}`;
}

function vanished(file: string): CatalogError {
  return new CatalogError(
    'catalog-unreachable',
    `The catalogue file ${file} was removed or replaced while in use; put it back and start again, or rebuild it`,
  );
}

// Primary result codes of SQLite (sqlite.org/rescode.html).
const CODES: Readonly<Record<number, CatalogErrorCode>> = {
  3: 'catalog-unreachable', // SQLITE_PERM
  5: 'catalog-busy',
  6: 'catalog-busy', // SQLITE_LOCKED
  8: 'catalog-unreachable', // SQLITE_READONLY
  10: 'catalog-unreachable', // SQLITE_IOERR
  11: 'catalog-corrupt',
  13: 'catalog-full',
  14: 'catalog-unreachable', // SQLITE_CANTOPEN
  26: 'catalog-corrupt', // SQLITE_NOTADB
};

const ADVICE: Readonly<Partial<Record<CatalogErrorCode, string>>> = {
  'catalog-busy': 'another process uses it: stop that one first',
  'catalog-corrupt': 'the file is damaged or no catalogue: restore a copy, or rebuild it from the volume',
  'catalog-full': 'free some space on its volume',
  'catalog-unreachable': 'see to the folder and its permissions',
};

function describeFailure(file: string, error: unknown): CatalogError {
  if (error instanceof CatalogError) return error;
  const result = codeOf(error) === 'ERR_SQLITE_ERROR' ? (error as { errcode?: number }).errcode : undefined;
  const code = CODES[(result ?? 0) & 0xff] ?? 'catalog-failed';
  const advice = ADVICE[code];
  const words = `Catalogue ${file}: ${messageOf(error)}${advice === undefined ? '' : `; ${advice}`}`;
  return new CatalogError(code, words, { cause: error });
}
