// Five hundred transport connections that say nothing (PS3.8 §9.2, ARTIM): work goes on beside them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertServes, foundUids, hashesByGet } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { ByteConnection } from '../support/byte-connection.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const IDLE = 500;

describe(`${IDLE} idle connections`, () => {
  let folder: TempFolder;
  let daemon: Daemon;
  const idle: ByteConnection[] = [];

  before(async () => {
    folder = await tempFolder('idle');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    for (const connection of idle) connection.destroy();
    await daemon[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test('an association that stores goes on while they come', async () => {
    const instances = Array.from({ length: 20 }, () => madeInstance());
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts(instances),
    });
    const perInstance = IDLE / instances.length;
    for (const instance of instances) {
      const opening = Array.from({ length: perInstance }, () => ByteConnection.open(daemon.port));
      assert.equal((await store(association, instance)).Status, 0);
      idle.push(...(await Promise.all(opening)));
    }
    await association.release();
    assert.deepEqual(
      await foundUids(
        daemon,
        instances.map(({ sopInstanceUid }) => sopInstanceUid),
      ),
      new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid)),
    );
    const hashes = await hashesByGet(daemon, instances);
    for (const { sopInstanceUid, dataSet } of instances)
      assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
  });

  test('new associations are served while they stay', async () => {
    await assertServes(daemon);
    const { peakBytes } = daemon.memory();
    assert.ok(peakBytes < 200 << 20, `peak ${peakBytes >> 20} MB`);
  });

  test('SIGTERM does not wait for them', async () => {
    const started = Date.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - started < 10_000);
    await Promise.all(idle.map((connection) => connection.closed));
  });
});
