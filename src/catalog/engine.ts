// What a database engine brings beside its Kysely dialect. Every engine folder has the same files.

import type { Expression, SelectQueryBuilder, SqlBool } from 'kysely';
import type { CatalogError } from './errors.ts';
import type { Connection } from './prepared.ts';
import type { CatalogSchema } from './schema.ts';

export interface Engine {
  readonly db: Connection;
  /** Runs `work` in a durable transaction, again from the start when the engine asks for that. */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Within a transaction: no other process changes the rows that `query` finds before it ends. */
  readonly locked: Locked;
  /** The row of `total` that this process adds to. Those who share a database have different ones, most of the
   *  time: they would wait for each other's commit. */
  readonly totalRow: number;
  /** (first, second) > (values) or < (values), in the form that this engine answers by seeking. */
  readonly beyond: Beyond;
  /** Whether a search key holds `text`, or hides its end and might. */
  readonly mayHold: (text: string) => Expression<SqlBool>;
  /** How many keys one statement may look through; undefined when the database works beside this thread. */
  readonly scanStretch: number | undefined;
  /** Whether other daemons may use the same database at the same time. */
  readonly isShared: boolean;
  /** What has to be added to the time of this machine to get that of the database. */
  clockOffsetMs(): Promise<number>;
  /** What an administrator should know, one line each. */
  readonly warnings: readonly string[];
  /** What a failure of the database means to the caller. */
  describe(error: unknown): CatalogError;
  close(): Promise<void>;
}

export type Locked = <TB extends keyof CatalogSchema, O>(
  query: SelectQueryBuilder<CatalogSchema, TB, O>,
) => SelectQueryBuilder<CatalogSchema, TB, O>;

export type Beyond = (
  columns: readonly [string, string],
  direction: 'asc' | 'desc',
  values: readonly [string | number, string | number],
) => Expression<SqlBool>;
