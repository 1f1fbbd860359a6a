// Schema versions: forward only, one step at a time, each in a transaction where the engine can do that.

import type { Kysely } from 'kysely';
import { CatalogError } from './errors.ts';
import type { CatalogSchema } from './schema.ts';

type Database = Kysely<CatalogSchema>;

/** Brings the schema from the version before to this one. */
export interface Migration {
  readonly version: number;
  up(db: Database): Promise<void>;
}

export interface MigrationHooks<M extends Migration> {
  /** Version of the schema, 0 for an empty database. Throws CatalogError when it is no catalogue. */
  readVersion(db: Database): Promise<number>;
  /** Keeps a copy of what holds something, before `pending` changes it. */
  backUp(db: Database, fromVersion: number, pending: readonly M[]): Promise<void>;
}

/** Brings the database to the newest version in `migrations`, or refuses it. */
export async function migrate<M extends Migration>(
  db: Database,
  migrations: readonly M[],
  hooks: MigrationHooks<M>,
): Promise<void> {
  const newest = migrations.at(-1)?.version ?? 0;
  const current = await hooks.readVersion(db);
  if (current > newest) {
    throw new CatalogError(
      'catalog-newer',
      `The catalogue has schema version ${current}, this program knows versions up to ${newest}; ` +
        'install the version of the program that wrote it, or a newer one',
    );
  }
  const pending = migrations.filter((migration) => migration.version > current);
  if (pending.length > 0 && current > 0) await hooks.backUp(db, current, pending);
  for (const migration of pending) {
    await db.transaction().execute(async (transaction) => {
      await migration.up(transaction);
      // In one statement: where `up` has ended the transaction, there must be a version at every moment.
      await transaction.replaceInto('schema_version').values({ id: 1, version: migration.version }).execute();
    });
  }
}
