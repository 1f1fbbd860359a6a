// What a database engine brings beside its Kysely dialect. Every engine folder has the same files.

import type { Expression, SqlBool } from 'kysely';
import type { CatalogError } from './errors.ts';
import type { Connection } from './prepared.ts';

export interface Engine {
  readonly db: Connection;
  /** Runs `work` in a durable transaction, again from the start when the engine asks for that. */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** (first, second) > (values) or < (values), in the form that this engine answers by seeking. */
  readonly beyond: Beyond;
  /** What a failure of the database means to the caller. */
  describe(error: unknown): CatalogError;
  close(): Promise<void>;
}

export type Beyond = (
  columns: readonly [string, string],
  direction: 'asc' | 'desc',
  values: readonly [string | number, string | number],
) => Expression<SqlBool>;
