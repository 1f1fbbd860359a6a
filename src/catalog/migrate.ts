// Schema versions: forward only. A change happens as a whole, or the schema is again what the version before knows.

import type { Kysely } from 'kysely';
import { CatalogError } from './errors.ts';
import type { CatalogSchema } from './schema.ts';

type Database = Kysely<CatalogSchema>;

/** Brings the schema from the version before to this one. */
export interface Migration {
  readonly version: number;
  up(db: Database): Promise<void>;
}

/** The row of `schema_version` that says the version. */
export const VERSION_ROW = 1;

export interface MigrationHooks<M extends Migration> {
  /** Version of the schema, 0 for an empty database. Throws CatalogError when it is no catalogue. */
  readVersion(db: Database): Promise<number>;
  /** Brings the schema from a version on; when that fails, it is what it was. */
  change(db: Database, fromVersion: number, pending: readonly M[]): Promise<void>;
}

/** Brings the database to the newest version in `migrations`, or refuses it. */
export async function migrate<M extends Migration>(
  db: Database,
  migrations: readonly M[],
  hooks: MigrationHooks<M>,
): Promise<void> {
  const newest = newestOf(migrations);
  const current = await hooks.readVersion(db);
  if (current > newest) {
    throw new CatalogError(
      'catalog-newer',
      `The catalogue has schema version ${current}, this program knows versions up to ${newest}; ` +
        'install the version of the program that wrote it, or a newer one',
    );
  }
  const pending = migrations.filter((migration) => migration.version > current);
  if (pending.length > 0) await hooks.change(db, current, pending);
}

/** The version of the last one. */
export function newestOf(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}
