// The daemon with its catalogue on a MariaDB server: what senders and requestors see while that goes away and comes
// back, and a start that must fail.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  faultLines,
  filesIn,
  foundUids,
  hashesByGet,
  logLines,
  storeOnce,
} from '../support/archive-state.ts';
import { ByteAssociation, IMPLICIT_LE } from '../support/byte-association.ts';
import { within } from '../support/byte-connection.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { find, identifier, queryContexts, sha256 } from '../support/byte-services.ts';
import { type Daemon, runAngiovault, startDaemon } from '../support/daemon.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start();
});
after(() => server[Symbol.asyncDispose]());

const start = async (dataDir: string, url: string): Promise<Daemon> =>
  startDaemon({ dataDir, args: ['--catalog', url] });

/** The final status of a query for everything. */
async function queryStatus(daemon: Daemon): Promise<number> {
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: queryContexts('find', ['study']),
  });
  const { status } = await find(association, 'study', identifier('STUDY', []));
  await association.release();
  return status;
}

describe('a daemon on MariaDB', () => {
  for (const end of ['kill', 'stop'] as const) {
    test(`server away (${end}): instances are taken, queries refused in time; back again: everything is found`, async () => {
      await using folder = await tempFolder('mariadb-daemon');
      await using daemon = await start(folder.path, server.url(await server.freshDatabase()));
      const instances = Array.from({ length: 9 }, () => madeInstance({ patientId: 'AWAY' }));
      for (const instance of instances.slice(0, 3)) assert.equal(await storeOnce(daemon, instance), 0);
      await server[end]();
      for (const instance of instances.slice(3, 6)) assert.equal(await storeOnce(daemon, instance), 0);
      // PS3.4 Table C.4-1: Out of Resources.
      assert.equal(await within(queryStatus(daemon), 8000, 'an answer without a catalogue'), 0xa700);
      assert.equal((await daemon.health()).status === 'ok', false);
      await server.startAgain();
      for (const instance of instances.slice(6)) assert.equal(await storeOnce(daemon, instance), 0);
      const all = new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
      assert.deepEqual(
        await foundUids(
          daemon,
          instances.map(({ sopInstanceUid }) => sopInstanceUid),
        ),
        all,
      );
      const hashes = await hashesByGet(daemon, instances);
      for (const { sopInstanceUid, dataSet } of instances)
        assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
      assert.equal((await daemon.health()).status, 'ok');
      assert.equal((await daemon.stop()).code, 0);
    });
  }

  test('instances taken while the server was away are in the catalogue after a kill and a new start', async () => {
    await using folder = await tempFolder('mariadb-daemon');
    const url = server.url(await server.freshDatabase());
    const instances = Array.from({ length: 5 }, () => madeInstance({ patientId: 'KILLED' }));
    {
      await using daemon = await start(folder.path, url);
      await server.kill();
      for (const instance of instances) assert.equal(await storeOnce(daemon, instance), 0);
      await daemon.kill();
    }
    await server.startAgain();
    await using daemon = await start(folder.path, url);
    const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
  });

  test('asked to stop while the server is silent: exit 0 in time, and what was taken is found after the next start', async (t) => {
    await using folder = await tempFolder('mariadb-daemon');
    const url = server.url(await server.freshDatabase());
    const instances = Array.from({ length: 3 }, () => madeInstance({ patientId: 'SILENT' }));
    {
      await using daemon = await start(folder.path, url);
      assert.equal(await storeOnce(daemon, instances[0]!), 0);
      server.signal('SIGSTOP');
      t.after(() => server.signal('SIGCONT'));
      for (const instance of instances.slice(1)) assert.equal(await storeOnce(daemon, instance), 0);
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    }
    server.signal('SIGCONT');
    await using daemon = await start(folder.path, url);
    const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
  });

  test('import asked to stop while the server is silent: it ends within 10 s, and what it took is not taken twice', async (t) => {
    await using folder = await tempFolder('mariadb-import');
    const data = join(folder.path, 'data');
    const disc = join(folder.path, 'disc');
    await mkdir(disc);
    for (let number = 0; number < 800; number += 1) {
      await writeFile(join(disc, `IM${number}`), madeInstance({ transferSyntaxUid: IMPLICIT_LE }).dataSet);
    }
    const args = [disc, '--data', data, '--catalog', server.url(await server.freshDatabase())];
    const importing = runAngiovault('import', args);
    await eventually(() => existsSync(join(data, 'archive/studies/2024')) || undefined, 'a file', 30_000);
    server.signal('SIGSTOP');
    t.after(() => server.signal('SIGCONT'));
    importing.signal('SIGINT');
    const { code } = await within(importing.ended, 12_000, 'the end of `import`');
    assert.equal(code, 1, importing.stderr);
    assert.match(importing.stderr, /^stopped: ended before everything was in the catalogue/m);
    server.signal('SIGCONT');
    const again = runAngiovault('import', args);
    assert.equal((await again.ended).code, 0, again.stderr);
    assert.match(again.stdout, /, replaced older content of 0, skipped 0, failed 0/);
    assert.equal(filesIn(data, 'studies').length, 800);
    const verifying = runAngiovault('verify', args.slice(1));
    assert.equal((await verifying.ended).code, 0, verifying.stdout);
  });

  test('asked to stop while it waits for another daemon that changes the schema: exit 0 in time', async () => {
    await using folder = await tempFolder('mariadb-daemon');
    const database = await server.freshDatabase();
    await server.asRoot(async (root) => {
      await root.query(`select get_lock('angiovault schema ${database}', 0)`);
      const daemon = runAngiovault('serve', ['--data', folder.path, '--catalog', server.url(database)]);
      const waiting = `select id from information_schema.processlist where db = '${database}' and state = 'User lock'`;
      await eventually(async () => (await root.query<object[]>(waiting))[0], 'a daemon that waits');
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      assert.match(daemon.stderr, /ended before everything was closed/);
    });
  });

  test('no server at start: exit 3 with one line, and the password nowhere', async () => {
    await using folder = await tempFolder('mariadb-daemon');
    const args = ['--data', folder.path, '--catalog', server.url('vault_1', 'tcp', 1)];
    const refused = runAngiovault('serve', args);
    const { code } = await within(refused.ended, 20_000, 'the end of a start that must fail');
    assert.equal(code, 3);
    const lines = refused.stderr.split('\n').filter((line) => line !== '');
    assert.equal(lines.length, 1, refused.stderr);
    assert.match(lines[0] ?? '', / catalog: Catalogue 'vault_1' at 127.0.0.1:1: .*ECONNREFUSED/);
    assert.doesNotMatch(lines.join() + logLines(folder.path).join(), /p@ss|p%40ss/);
  });

  test('commits that a power failure could undo are one line of the log', async (t) => {
    await server.asRoot((root) => root.query('set global innodb_flush_log_at_trx_commit = 0'));
    t.after(() => server.asRoot((root) => root.query('set global innodb_flush_log_at_trx_commit = 1')));
    await using folder = await tempFolder('mariadb-daemon');
    await using _ = await start(folder.path, server.url(await server.freshDatabase()));
    const [line = '', ...more] = await eventually(() => {
      const lines = faultLines(folder.path);
      return lines.length > 0 ? lines : undefined;
    }, 'a warning');
    assert.match(line, /innodb_flush_log_at_trx_commit is 0/);
    assert.deepEqual(more, []);
  });
});
