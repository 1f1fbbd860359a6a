// The embedded engine: opening, refusing, migrating, failing.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import type { Migration } from '../../../src/catalog/migrate.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { openSqlite } from '../../../src/catalog/sqlite/engine.ts';
import { MIGRATIONS } from '../../../src/catalog/sqlite/migrations.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { fillUp, smallFilesystem } from '../../support/small-filesystem.ts';

function freshFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'catalog.sqlite');
}

async function filledFile(t: TestContext): Promise<string> {
  const file = freshFile(t);
  const catalog = await openCatalog(`sqlite:${file}`);
  await catalog.ingest([instanceRecord(1, 1, 1)]);
  await catalog.close();
  return file;
}

describe('opening', () => {
  test('commits are durable and foreign keys hold', async (t) => {
    const engine = await openSqlite(freshFile(t));
    t.after(() => engine.close());
    const pragma = async (
      name: 'synchronous' | 'foreign_keys' | 'journal_mode' | 'cache_size',
    ): Promise<unknown> => {
      const { rows } = await sql<Record<string, unknown>>`select * from ${sql.id(`pragma_${name}`)}`.execute(
        engine.db,
      );
      return Object.values(rows[0] ?? {})[0];
    };
    assert.equal(await pragma('synchronous'), 2);
    assert.equal(await pragma('foreign_keys'), 1);
    assert.equal(await pragma('journal_mode'), 'wal');
    assert.ok(Number(await pragma('cache_size')) >= -32_768, 'at most 32 MiB');
  });

  test('a file that another opening holds is refused with catalog-busy', async (t) => {
    const file = freshFile(t);
    const catalog = await openCatalog(`sqlite:${file}`);
    t.after(() => catalog.close());
    await assert.rejects(openCatalog(`sqlite:${file}`), { code: 'catalog-busy' });
  });

  test('a file that is no database is refused with catalog-corrupt and left alone', async (t) => {
    const file = freshFile(t);
    writeFileSync(
      file,
      'This is a text of some length, not a database, and it is dear to somebody. '.repeat(50),
    );
    await assert.rejects(openCatalog(`sqlite:${file}`), { code: 'catalog-corrupt' });
  });

  test("another program's database is refused", async (t) => {
    const file = freshFile(t);
    const foreign = new DatabaseSync(file);
    foreign.exec('create table recipes (name text)');
    foreign.close();
    await assert.rejects(openCatalog(`sqlite:${file}`), {
      code: 'catalog-corrupt',
      message: /not a catalogue/,
    });
  });

  test('a folder that is not there is catalog-unreachable', async () => {
    await assert.rejects(openCatalog('sqlite:/nonexistent/folder/catalog.sqlite'), {
      code: 'catalog-unreachable',
    });
  });

  test('an unknown kind of catalogue is refused without showing its password', async () => {
    await assert.rejects(
      openCatalog('oracle://user:secret@host/db'),
      (error: Error) => !error.message.includes('secret'),
    );
  });
});

describe('migrations', () => {
  const addNote: Migration = {
    version: 2,
    up: async (db) => {
      await db.schema.alterTable('study').addColumn('note', 'text').execute();
    },
  };

  test('a newer schema is refused with catalog-newer and a line that says what to do', async (t) => {
    const file = freshFile(t);
    await (await openSqlite(file, [...MIGRATIONS, addNote])).close();
    await assert.rejects(openSqlite(file), { code: 'catalog-newer', message: /version 2.*up to 1/ });
  });

  test('a step keeps the content and leaves a whole copy of the version before', async (t) => {
    const file = await filledFile(t);
    const engine = await openSqlite(file, [...MIGRATIONS, addNote]);
    const { rows } = await sql<{ note: null; uid: string }>`select uid, note from study`.execute(engine.db);
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ uid: '1.2.826.1.1', note: null }],
    );
    await engine.close();
    const copy = await openSqlite(`${file}.version-1`);
    assert.equal((await copy.db.selectFrom('study').select('uid').execute()).length, 1);
    await copy.close();
  });

  test('the copy of the next change takes the place of it', async (t) => {
    const file = await filledFile(t);
    const next: Migration = {
      ...addNote,
      version: 3,
      up: async (db) => void (await sql`analyze`.execute(db)),
    };
    await (await openSqlite(file, [...MIGRATIONS, addNote])).close();
    await (await openSqlite(file, [...MIGRATIONS, addNote, next])).close();
    assert.equal(existsSync(`${file}.version-1`), false);
    assert.equal(existsSync(`${file}.version-2`), true);
  });

  test('a step that fails changes nothing, and the next start tries again', async (t) => {
    const file = await filledFile(t);
    const failing: Migration = {
      version: 2,
      up: async (db) => {
        await addNote.up(db);
        throw new Error('out of luck');
      },
    };
    await assert.rejects(openSqlite(file, [...MIGRATIONS, failing]), {
      code: 'catalog-failed',
      message: /out of luck/,
    });
    await (await openSqlite(file)).close();
    await (await openSqlite(file, [...MIGRATIONS, addNote])).close();
  });

  test('an unchanged version makes no copy', async (t) => {
    const file = await filledFile(t);
    await (await openSqlite(file)).close();
    assert.equal(existsSync(`${file}.version-1`), false);
  });
});

describe('failing', () => {
  test('a file that vanishes while in use is told to whoever ingests, not kept quiet', async (t) => {
    const file = freshFile(t);
    const catalog = await openCatalog(`sqlite:${file}`);
    t.after(() => catalog.close());
    await catalog.ingest([instanceRecord(1, 1, 1)]);
    renameSync(file, `${file}.elsewhere`);
    await assert.rejects(catalog.ingest([instanceRecord(1, 1, 2)]), { code: 'catalog-unreachable' });
  });

  test('a full volume takes nothing and is read as before; with room again it goes on', async () => {
    await using disk = await smallFilesystem(8);
    const catalog = await openCatalog(`sqlite:${join(disk.path, 'catalog.sqlite')}`);
    await using _ = { [Symbol.asyncDispose]: () => catalog.close() };
    await catalog.ingest([instanceRecord(1, 1, 1)]);
    const filler = join(disk.path, 'filler');
    await fillUp(filler);
    const many = Array.from({ length: 256 }, (_, i) => instanceRecord(2, 1, i));
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(catalog.ingest(many), { code: 'catalog-full', message: /free some space/ });
      assert.equal((await catalog.counts()).instances, 1);
      const pages = await Array.fromAsync(catalog.find({ level: 'STUDY', identifier: {} }));
      assert.equal(pages.flat().length, 1);
    }
    rmSync(filler);
    await catalog.ingest(many);
    assert.equal((await catalog.counts()).instances, 257);
  });

  test('a damaged file answers catalog-corrupt and the thread lives on', async (t) => {
    const file = await filledFile(t);
    truncateSync(file, 4096 * 6);
    const outcome = await openCatalog(`sqlite:${file}`).then(
      async (catalog) => {
        t.after(() => catalog.close());
        const failure = await catalog.locate('1.2.826.1.1.1.1').catch((error: unknown) => error);
        await catalog.counts().catch((error: unknown) => error);
        return failure;
      },
      (error: unknown) => error,
    );
    assert.equal((outcome as { code?: string }).code, 'catalog-corrupt');
  });
});
