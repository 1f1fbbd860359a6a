// The engine for many: a MariaDB server that several daemons may share. A commit returns when the server has it on
// its disk, and a transaction that another daemon or a broken connection spoils begins again.

import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Expression, Kysely, type SqlBool, sql } from 'kysely';
import type { MariadbAddress } from '../../util/catalog-address.ts';
import type { Beyond, Engine } from '../engine.ts';
import { CatalogError } from '../errors.ts';
import { migrate, newestOf } from '../migrate.ts';
import { MAX_KEY_LENGTH, TRUNCATED } from '../normalise.ts';
import type { Connection } from '../prepared.ts';
import type { CatalogSchema } from '../schema.ts';
import { MariadbDialect } from './dialect.ts';
import { ConnectionLost, describeFailure, isConflict, nameOf, ServerSilent } from './faults.ts';
import { type CopyingMigration, MIGRATIONS, TOTAL_ROWS } from './migrations.ts';
import { change, settledVersion, takeUp } from './schema-change.ts';

/** Other daemons may be in the way again and again, but not for long. */
const CONFLICT_MS = 15_000;
const MAX_PAUSE_MS = 50;
/** A second broken connection is no accident. */
const MAX_LOST = 2;
const CLOCK_MS = 60_000;
/** For another daemon that changes the schema at the same moment. */
const SCHEMA_LOCK_S = 60;

export interface MariadbOptions {
  readonly migrations?: readonly CopyingMigration[];
  /** Longest silence of the server in the middle of a statement. */
  readonly answerMs?: number;
}

/** Opens the catalogue in a database, or makes it there; from then on older versions of the program cannot. */
export async function openMariadb(
  address: MariadbAddress,
  { migrations = MIGRATIONS, answerMs = 10_000 }: MariadbOptions = {},
): Promise<Engine> {
  const describe = (error: unknown): CatalogError => describeFailure(address, error);
  try {
    const { warnings, maxStatementBytes } = await prepareServer(address, migrations, 'take up');
    const schemaVersion = newestOf(migrations);
    const dialect = new MariadbDialect({
      address,
      repeatReads: true,
      answerMs,
      maxStatementBytes,
      schemaVersion,
    });
    const db = new Kysely<CatalogSchema>({ dialect });
    return {
      db,
      transaction: (work) => repeated(() => db.transaction().execute(work)),
      locked: (query) => query.forUpdate(),
      totalRow: 1 + randomInt(TOTAL_ROWS),
      beyond,
      mayHold,
      scanStretch: undefined,
      isShared: true,
      clockOffsetMs: clockOffset(db),
      warnings,
      describe,
      close: () => db.destroy(),
    };
  } catch (error) {
    throw describe(error);
  }
}

/** Changes the schema to what this version of the program needs, so that an older one that is started can still take
 *  the change back. */
export async function bringForwardMariadb(
  address: MariadbAddress,
  migrations: readonly CopyingMigration[] = MIGRATIONS,
): Promise<void> {
  await prepareServer(address, migrations, 'leave').catch((error: unknown) => {
    throw describeFailure(address, error);
  });
}

/** Clocks drift slowly: the server is asked now and then. */
function clockOffset(db: Connection): () => Promise<number> {
  let known: { readonly offsetMs: number; readonly at: number } | undefined;
  return async () => {
    if (known !== undefined && performance.now() - known.at < CLOCK_MS) return known.offsetMs;
    const asked = Date.now();
    const { rows } = await sql<{ ms: number }>`
      select round(unix_timestamp(now(3)) * 1000) as ms`.execute(db);
    const offsetMs = Math.round((rows[0]?.ms ?? asked) - (asked + Date.now()) / 2);
    known = { offsetMs, at: performance.now() };
    return offsetMs;
  };
}

/** Runs a transaction until it is known to be committed. When the answer to the commit is lost, nobody knows: it
 *  begins again, and finds what it wanted to do already done. */
async function repeated<T>(transaction: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let lost = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (error instanceof ConnectionLost && !(error instanceof ServerSilent)) {
        lost += 1;
        if (lost > MAX_LOST) throw error;
        continue;
      }
      if (!isConflict(error) || performance.now() - start > CONFLICT_MS) throw error;
      // Not in step with whoever was in the way.
      await pause(Math.random() * Math.min(MAX_PAUSE_MS, 5 * attempt));
    }
  }
}

// MariaDB seeks on the first column only, and not at all on a row value.
const beyond: Beyond = (columns, direction, values): Expression<SqlBool> => {
  const [first, second] = columns.map((column) => sql.ref(column));
  const [key, tie] = values;
  return direction === 'asc'
    ? sql<SqlBool>`(${first} >= ${key} and (${first} > ${key} or ${second} > ${tie}))`
    : sql<SqlBool>`(${first} <= ${key} and (${first} < ${key} or ${second} < ${tie}))`;
};

// Of bytes the server searches a pattern by skipping (Boyer-Moore), of characters it does not; and it compares lengths
// fastest: few keys are as long as those that hide their end.
const mayHold: Engine['mayHold'] = (text): Expression<SqlBool> => {
  const key = sql.ref('search_key');
  const literal = sql`replace(replace(replace(${text}, '|', '||'), '%', '|%'), '_', '|_')`;
  const holds = sql`cast(${key} as binary) like concat('%', ${literal}, '%') escape '|'`;
  const hidesEnd = sql`(length(${key}) >= ${MAX_KEY_LENGTH} and instr(${key}, ${TRUNCATED}) > 0)`;
  return sql<SqlBool>`(${holds} or ${hidesEnd})`;
};

/** Looks at the server and brings the schema up to date, on a connection of its own that waits as long as it takes. */
async function prepareServer(
  address: MariadbAddress,
  migrations: readonly CopyingMigration[],
  then: 'take up' | 'leave',
): Promise<ServerFacts> {
  const maxStatementBytes = Number.POSITIVE_INFINITY;
  const dialect = new MariadbDialect({ address, repeatReads: false, answerMs: 0, maxStatementBytes });
  const pool = new Kysely<CatalogSchema>({ dialect });
  try {
    return await pool.connection().execute(async (db) => {
      const facts = await examine(db, address);
      await lockSchema(db, address);
      const newest = newestOf(migrations);
      const hooks = { readVersion: () => settledVersion(db, address, newest), change };
      // On another node of a cluster another daemon may be making the same tables.
      await repeated(() => migrate(db, migrations, hooks));
      if (then === 'take up') await repeated(() => takeUp(db, newest));
      return facts;
    });
  } finally {
    await pool.destroy();
  }
}

interface ServerFacts {
  readonly warnings: readonly string[];
  readonly maxStatementBytes: number;
}

async function examine(db: Connection, address: MariadbAddress): Promise<ServerFacts> {
  const { rows } = await sql<{ packet: number; flush: number; binlog: number; sync: number }>`
    select @@max_allowed_packet as packet, @@global.innodb_flush_log_at_trx_commit as flush,
      @@global.log_bin as binlog, @@global.sync_binlog as sync`.execute(db);
  const { packet = 0, flush, binlog, sync } = rows[0] ?? {};
  const setting =
    flush !== 1
      ? `innodb_flush_log_at_trx_commit is ${flush}`
      : binlog === 1 && sync !== 1
        ? `log_bin is on and sync_binlog is ${sync}`
        : undefined;
  const warning =
    `Catalogue ${nameOf(address)} does not keep its last transactions through a power failure: ${setting}. ` +
    'Set it to 1; after a power failure until then, run `rebuild`';
  return { warnings: setting === undefined ? [] : [warning], maxStatementBytes: packet };
}

/** Several daemons may start at once. The lock goes with the connection. */
async function lockSchema(db: Connection, address: MariadbAddress): Promise<void> {
  const name = `angiovault schema ${address.database}`;
  const locking = sql<{ got: number | null }>`select get_lock(${name}, ${SCHEMA_LOCK_S}) as got`;
  const { rows } = await locking.execute(db);
  if (rows[0]?.got === 1) return;
  throw new CatalogError(
    'catalog-busy',
    `Catalogue ${nameOf(address)}: another daemon is changing the schema; start again when it is done`,
  );
}
