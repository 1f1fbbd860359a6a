// Schema versions: forward only, one step at a time, each in its own transaction.

import type { Kysely } from 'kysely';
import { CatalogError } from './errors.ts';
import type { CatalogSchema } from './schema.ts';

type Database = Kysely<CatalogSchema>;

/** Brings the schema from the version before to this one. */
export interface Migration {
  readonly version: number;
  up(db: Database): Promise<void>;
}

export interface MigrationHooks {
  /** Version of the schema, 0 for an empty database. Throws CatalogError when it is no catalogue. */
  readVersion(db: Database): Promise<number>;
  /** Keeps a copy of a database that holds something, before it changes. */
  backUp(db: Database, fromVersion: number): Promise<void>;
}

/** Brings the database to the newest version in `migrations`, or refuses it. */
export async function migrate(
  db: Database,
  migrations: readonly Migration[],
  hooks: MigrationHooks,
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
  if (pending.length > 0 && current > 0) await hooks.backUp(db, current);
  for (const migration of pending) {
    await db.transaction().execute(async (transaction) => {
      await migration.up(transaction);
      await transaction.deleteFrom('schema_version').execute();
      await transaction.insertInto('schema_version').values({ id: 1, version: migration.version }).execute();
    });
  }
}
