// MariaDB: opening, refusing, migrating.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { openMariadb } from '../../../src/catalog/mariadb/engine.ts';
import { type CopyingMigration, MIGRATIONS } from '../../../src/catalog/mariadb/migrations.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord, text } from '../../support/catalog-generator.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { MariadbServer, mariadbAddress } from '../../support/mariadb-server.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start();
});
after(() => server[Symbol.asyncDispose]());

const freshUrl = async () => server.url(await server.freshDatabase());
const freshAddress = async () => mariadbAddress(await freshUrl());

describe('opening', () => {
  test('each connection gets a strict session that reads what was committed last', async (t) => {
    const engine = await openMariadb(await freshAddress());
    t.after(() => engine.close());
    const { rows } = await sql<Record<string, unknown>>`
      select @@tx_isolation as isolation, @@sql_mode as mode, @@character_set_client as charset,
        @@autocommit as autocommit`.execute(engine.db);
    assert.deepEqual(
      { ...rows[0] },
      {
        isolation: 'READ-COMMITTED',
        mode: 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
        charset: 'utf8mb4',
        autocommit: 1,
      },
    );
  });

  test('whole numbers beyond 32 bits go in and come back as they are', async (t) => {
    const url = await freshUrl();
    const catalog = await openCatalog(url);
    t.after(() => catalog.close());
    const fileBytes = 2 ** 52 + 1;
    await catalog.ingest([instanceRecord(1, 1, 1, { fileBytes })]);
    assert.equal((await catalog.counts()).bytes, fileBytes);
    assert.equal((await catalog.locate('1.2.826.1.1.1.1'))?.location.fileBytes, fileBytes);
  });

  test('a server older than MariaDB 10.3 is refused, with its version and what is needed', async () => {
    await using old = await MariadbServer.start({ args: ['--version=10.2.44-MariaDB'] });
    const url = old.url(await old.freshDatabase());
    await assert.rejects(openCatalog(url), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'catalog-request');
      assert.match(
        error.message,
        /the server is version 10\.2\.44-MariaDB; MariaDB 10\.3 or later is needed/,
      );
      return true;
    });
    const tables = await old.asRoot((root) =>
      root.query<object[]>("select 1 from information_schema.tables where table_schema like 'vault%'"),
    );
    assert.deepEqual([...tables], []);
  });

  test('by the socket of the same machine', async () => {
    const catalog = await openCatalog(server.url(await server.freshDatabase(), 'socket', 1));
    await catalog.ingest([instanceRecord(1, 1, 1)]);
    await catalog.close();
  });

  const wrong = (change: (url: string) => string) => async () => change(await freshUrl());
  const refusals: [what: string, url: () => Promise<string>, code: string, words: RegExp][] = [
    ['a wrong password', wrong((url) => url.replace('p%40ss', 'other')), 'catalog-unreachable', /password/],
    [
      'a database that is not there',
      async () => server.url('vault_0'),
      'catalog-unreachable',
      /create the database/,
    ],
    ["somebody else's database", async () => server.url('mysql'), 'catalog-unreachable', /every right/],
    [
      'a port where nothing listens',
      async () => server.url('vault_1', 'tcp', 1),
      'catalog-unreachable',
      /:1:/,
    ],
    [
      'a socket that is not there',
      async () => `${server.url('vault_1')}?socketPath=/nonexistent/socket`,
      'catalog-unreachable',
      /nonexistent/,
    ],
  ];
  for (const [what, url, code, words] of refusals) {
    test(`${what} is refused with ${code}, and the password is not told`, async () => {
      await assert.rejects(
        openCatalog(await url()),
        (error: Error & { code?: string }) =>
          error.code === code && words.test(error.message) && !/w\/o|p%40ss|other/.test(error.message),
      );
    });
  }

  test("another program's database is refused with catalog-corrupt and left alone", async () => {
    const database = await server.freshDatabase();
    await server.asRoot((root) => root.query('create table recipes (name text)'), database);
    await assert.rejects(openCatalog(server.url(database)), {
      code: 'catalog-corrupt',
      message: /not a catalogue/,
    });
  });

  test('a server that loses its last commits with the power is told in one line', async (t) => {
    const warningsOf = async () => {
      const warnings: string[] = [];
      const catalog = await openCatalog(await freshUrl(), (words) => warnings.push(words));
      await catalog.close();
      return warnings;
    };
    assert.deepEqual(await warningsOf(), []);
    await server.asRoot((root) => root.query('set global innodb_flush_log_at_trx_commit = 2'));
    t.after(() => server.asRoot((root) => root.query('set global innodb_flush_log_at_trx_commit = 1')));
    const [line = '', ...more] = await warningsOf();
    assert.match(line, /innodb_flush_log_at_trx_commit is 2. Set it to 1/);
    assert.deepEqual(more, []);
  });

  test('what does not fit is refused with catalog-request and changes nothing', async (t) => {
    const catalog = await openCatalog(await freshUrl());
    t.after(() => catalog.close());
    const long = instanceRecord(1, 1, 1);
    const refused = { ...long, instance: { ...long.instance, uid: '1.'.repeat(40) } };
    await assert.rejects(catalog.ingest([instanceRecord(2, 1, 1), refused]), { code: 'catalog-request' });
    assert.equal((await catalog.counts()).instances, 0);
  });

  test('a batch longer than the server takes is catalog-request, and its records go in one by one', async (t) => {
    await using small = await MariadbServer.start({ args: ['--max-allowed-packet=1M'] });
    const catalog = await openCatalog(small.url(await small.freshDatabase()));
    t.after(() => catalog.close());
    const comment = { '00204000': text('LT', '\u5c71'.repeat(20_000)) };
    const records = Array.from({ length: 64 }, (_, i) => instanceRecord(1, 1, i, { attributes: comment }));
    await assert.rejects(catalog.ingest(records), { code: 'catalog-request' });
    for (const record of records.slice(0, 3)) await catalog.ingest([record]);
    assert.equal((await catalog.counts()).instances, 3);
  });

  test('what the server offers is encrypted', async () => {
    await using folder = await tempFolder('certificate');
    await chmod(folder.path, 0o755);
    const [key, certificate] = [join(folder.path, 'key.pem'), join(folder.path, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes', '-newkey', 'rsa:2048'];
    await promisify(execFile)('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', certificate]);
    await chmod(key, 0o644);
    await using encrypting = await MariadbServer.start({
      args: [`--ssl-key=${key}`, `--ssl-cert=${certificate}`, '--require-secure-transport=on'],
    });
    const url = encrypting.url(await encrypting.freshDatabase());
    const engine = await openMariadb(mariadbAddress(url));
    const { rows } = await sql<{ Value: string }>`show session status like 'ssl_cipher'`.execute(engine.db);
    assert.match(rows[0]?.Value ?? '', /^TLS_/);
    await encrypting.kill();
    await encrypting.startAgain();
    assert.equal((await engine.db.selectFrom('total').selectAll().execute()).length, 16);
    await engine.close();
  });

  test('a server that falls silent in the middle of a statement is catalog-unreachable', async (t) => {
    await using proxy = await CuttingProxy.start(server.port);
    const address = mariadbAddress(server.url(await server.freshDatabase(), 'tcp', proxy.port));
    const engine = await openMariadb(address, { answerMs: 300 });
    t.after(() => engine.close());
    const ask = () => engine.db.selectFrom('total').selectAll().execute();
    await ask();
    proxy.silent = true;
    await assert.rejects(ask(), (error) => engine.describe(error).code === 'catalog-unreachable');
    proxy.silent = false;
    assert.equal((await ask()).length, 16);
  });
});

describe('migrations', () => {
  const addNote: CopyingMigration = {
    version: 2,
    changes: ['study'],
    makes: [],
    up: async (db) => {
      await sql`alter table study add column if not exists note text`.execute(db);
    },
  };
  const withNote = { migrations: [...MIGRATIONS, addNote] };

  async function filled(): Promise<string> {
    const url = await freshUrl();
    const catalog = await openCatalog(url);
    await catalog.ingest([instanceRecord(1, 1, 1)]);
    await catalog.close();
    return url;
  }

  test('a newer schema is refused with catalog-newer and a line that says what to do', async () => {
    const address = await freshAddress();
    await (await openMariadb(address, withNote)).close();
    await assert.rejects(openMariadb(address), { code: 'catalog-newer', message: /version 2.*up to 1/ });
  });

  test('a step keeps the content', async (t) => {
    const engine = await openMariadb(mariadbAddress(await filled()), withNote);
    t.after(() => engine.close());
    const { rows } = await sql`select uid, note from study`.execute(engine.db);
    assert.deepEqual(
      rows.map((row) => ({ ...(row as object) })),
      [{ uid: '1.2.826.1.1', note: null }],
    );
  });

  test('a first start that was interrupted at any table goes on', async () => {
    const address = await freshAddress();
    for (const table of ['patient', 'series', 'search_key', 'total'] as const) {
      const stopping: CopyingMigration = {
        ...MIGRATIONS[0]!,
        up: async (db) => {
          await MIGRATIONS[0]!.up(db);
          await sql`set foreign_key_checks = 0`.execute(db);
          await sql`drop table ${sql.table(table)}`.execute(db);
          throw new Error('interrupted');
        },
      };
      await assert.rejects(openMariadb(address, { migrations: [stopping] }), /interrupted/);
    }
    const engine = await openMariadb(address);
    assert.equal((await engine.db.selectFrom('total').selectAll().execute()).length, 16);
    await engine.close();
  });
});
