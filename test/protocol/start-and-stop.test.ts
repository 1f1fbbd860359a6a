// How the daemon starts, refuses to start, and stops (the fixed command line): exit codes, one line for a wrong
// option, SIGTERM in the middle of work.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { filesIn, foundUids, hashesByGet, storeOnce } from '../support/archive-state.ts';
import { AssociationOverError, ByteAssociation } from '../support/byte-association.ts';
import { within } from '../support/byte-connection.ts';
import { encodeCommand } from '../support/byte-elements.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { dataPdu } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store, storeCommand } from '../support/byte-services.ts';
import { runAngiovault, startDaemon } from '../support/daemon.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Runs `serve` that must not start; its exit code and what it said. */
async function refusal(args: readonly string[]): Promise<{ code: number | null; lines: string[] }> {
  const process = runAngiovault('serve', args);
  const { code } = await within(process.ended, 20_000, 'the end of a start that must fail').finally(() =>
    process.signal('SIGKILL'),
  );
  const lines = process.stderr.split('\n').filter((line) => line !== '');
  assert.equal(process.stdout.includes('ready'), false);
  return { code, lines };
}

describe('a wrong option or setting: exit 2 with one line that names the key', () => {
  const wrong: readonly (readonly [string, readonly string[]])[] = [
    ['--dimse-port', ['--dimse-port', 'eleven']],
    ['--dimse-port', ['--dimse-port', '70000']],
    ['--http-port', ['--http-port', '-1']],
    ['--ae-title', ['--ae-title', 'A_TITLE_OF_TOO_MANY_LETTERS']],
    ['--peer', ['--peer', 'NOT-A-PEER']],
    ['--unknown-callers', ['--unknown-callers', 'some']],
    ['--catalog', ['--catalog', 'oracle:x']],
    ['--no-such-option', ['--no-such-option', '1']],
    ['surplus', ['surplus']],
  ];
  for (const [key, args] of wrong) {
    test(args.join(' '), async () => {
      await using folder = await tempFolder('refused');
      const { code, lines } = await refusal(['--data', folder.path, ...args]);
      assert.equal(code, 2);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.includes(key), lines[0]);
    });
  }

  const settings: readonly (readonly [string, string])[] = [
    ['aeTitel', '{ "aeTitel": "X" }'],
    ['dimse.port', '{ "dimse": { "port": "many" } }'],
    ['peers[0].port', '{ "peers": [{ "aeTitle": "WS", "host": "127.0.0.1", "port": 0 }] }'],
    ['JSON', '{ "aeTitle": '],
  ];
  for (const [key, text] of settings) {
    test(`config.json ${text}`, async () => {
      await using folder = await tempFolder('refused');
      await writeFile(join(folder.path, 'config.json'), text);
      const { code, lines } = await refusal(['--data', folder.path, '--dimse-port', '0', '--http-port', '0']);
      assert.equal(code, 2);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.includes(key), lines[0]);
    });
  }
});

describe('catalogue or volume unusable: exit 3, and what it is', () => {
  const unusable: readonly (readonly [string, string, (dataDir: string) => Promise<void>])[] = [
    ['the archive directory is a file', 'archive', (dataDir) => writeFile(join(dataDir, 'archive'), '')],
    [
      'the catalogue is no database',
      'catalog.sqlite',
      (dataDir) =>
        writeFile(join(dataDir, 'catalog.sqlite'), 'a letter to grandmother, not a catalogue\n'.repeat(100)),
    ],
    [
      'the catalogue is a directory',
      'catalog.sqlite',
      async (dataDir) => {
        await mkdir(join(dataDir, 'catalog.sqlite'));
      },
    ],
  ];
  for (const [name, names, prepare] of unusable) {
    test(name, async () => {
      await using folder = await tempFolder('unusable');
      await prepare(folder.path);
      const { code, lines } = await refusal(['--data', folder.path, '--dimse-port', '0', '--http-port', '0']);
      assert.equal(code, 3);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.includes(names), lines[0]);
    });
  }

  test('the data directory is a file: one line that names it', async () => {
    await using folder = await tempFolder('unusable');
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    for (const data of [file, join(file, 'below')]) {
      const { code, lines } = await refusal(['--data', data]);
      assert.equal(code, 3);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.includes(data), lines[0]);
    }
  });

  test('a port that somebody else has is said so', async () => {
    await using folder = await tempFolder('unusable');
    const other = createServer().listen(0, '0.0.0.0');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, lines } = await refusal([
      '--data',
      folder.path,
      '--dimse-port',
      String(port),
      '--http-port',
      '0',
    ]);
    other.close();
    assert.notEqual(code, 0);
    assert.ok(
      lines.some((line) => line.includes(String(port))),
      lines.join('\n'),
    );
  });
});

describe('SIGTERM: exit 0 within 10 s', () => {
  // The grace of 8 s is for those who are sending.
  const SOON_MS = 5000;

  test('associations on which nothing happens are aborted soon, whether their peers hang up or not', async () => {
    await using folder = await tempFolder('sigterm');
    await using daemon = await startDaemon({ dataDir: folder.path });
    const contexts = storageContexts([madeInstance()]);
    const silent = await ByteAssociation.request({ port: daemon.port, contexts });
    const used = await ByteAssociation.request({ port: daemon.port, contexts });
    await store(used, madeInstance());
    const started = Date.now();
    const stopped = daemon.stop();
    await assert.rejects(silent.receive(SOON_MS), { by: 'abort' });
    assert.deepEqual(await stopped, { code: 0, signal: null });
    assert.ok(Date.now() - started < SOON_MS, `${Date.now() - started} ms`);
  });

  test('a data set that is half here arrives and is answered; then its association is aborted', async () => {
    await using folder = await tempFolder('sigterm');
    await using daemon = await startDaemon({ dataDir: folder.path });
    const instance = madeInstance();
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([instance]),
    });
    const idle = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([instance]),
    });
    const { id } = association.contextFor(instance.sopClassUid);
    await association.connection.write(
      dataPdu(id, true, true, encodeCommand(storeCommand(association, instance))),
      dataPdu(id, false, false, instance.dataSet.subarray(0, 300)),
    );
    const started = Date.now();
    const stopped = daemon.stop();
    // By then the daemon is stopping.
    await assert.rejects(idle.receive(SOON_MS), { by: 'abort' });
    await association.connection.write(dataPdu(id, false, true, instance.dataSet.subarray(300)));
    const { command } = await association.receive();
    assert.equal(command.Status, 0);
    await assert.rejects(association.receive(SOON_MS), { by: 'abort' });
    assert.deepEqual(await stopped, { code: 0, signal: null });
    assert.ok(Date.now() - started < 2 * SOON_MS);
  });

  test('with an association in the middle of a data set that never ends', async () => {
    await using folder = await tempFolder('sigterm');
    const kept = madeInstance();
    const cut = madeInstance();
    {
      await using daemon = await startDaemon({ dataDir: folder.path });
      assert.equal(await storeOnce(daemon, kept), 0);
      const association = await ByteAssociation.request({
        port: daemon.port,
        contexts: storageContexts([cut]),
      });
      const { id } = association.contextFor(cut.sopClassUid);
      await association.connection.write(
        dataPdu(id, true, true, encodeCommand(storeCommand(association, cut))),
        dataPdu(id, false, false, cut.dataSet.subarray(0, 300)),
      );
      const started = Date.now();
      const stopped = daemon.stop();
      await assert.rejects(association.receive(12_000), AssociationOverError);
      assert.deepEqual(await stopped, { code: 0, signal: null });
      assert.ok(Date.now() - started < 10_000);
      assert.deepEqual(filesIn(folder.path, 'incoming'), []);
    }
    await using again = await startDaemon({ dataDir: folder.path });
    assert.deepEqual(
      await foundUids(again, [kept.sopInstanceUid, cut.sopInstanceUid]),
      new Set([kept.sopInstanceUid]),
    );
    assert.equal((await hashesByGet(again, [kept])).get(kept.sopInstanceUid), sha256(kept.dataSet));
  });

  test('twice in a row changes nothing', async () => {
    await using folder = await tempFolder('sigterm');
    await using daemon = await startDaemon({ dataDir: folder.path });
    daemon.process.signal('SIGTERM');
    daemon.process.signal('SIGTERM');
    assert.deepEqual(await within(daemon.process.ended, 10_000, 'the end'), { code: 0, signal: null });
  });
});

test('two daemons on one data directory: the second refuses to start (exit 3)', async () => {
  await using folder = await tempFolder('twice');
  await using daemon = await startDaemon({ dataDir: folder.path });
  const { code, lines } = await refusal(['--data', folder.path, '--dimse-port', '0', '--http-port', '0']);
  assert.equal(code, 3, lines.join('\n'));
  assert.equal(await storeOnce(daemon, madeInstance()), 0);
});
