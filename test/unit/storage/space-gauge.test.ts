// The reserve of free space (design §4): below it nothing is taken on.
import assert from 'node:assert/strict';
import { statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { SpaceGauge } from '../../../src/storage/space-gauge.ts';
import { smallFilesystem } from '../../support/small-filesystem.ts';
import { storageFault } from '../../support/storage-area.ts';

describe('the space gauge', () => {
  test('takes on while the reserve is free, and answers without waiting for a second', async () => {
    const gauge = new SpaceGauge(tmpdir(), 1, () => 0);
    await gauge.check();
    assert.equal(gauge.check(), undefined);
  });

  test('refuses below the reserve and names both numbers', async () => {
    const { bavail, bsize } = await statfs(tmpdir());
    const gauge = new SpaceGauge(tmpdir(), bavail * bsize * 2);
    await assert.rejects(async () => gauge.check(), storageFault('no-space'));
    await assert.rejects(async () => gauge.check(), /\d+ bytes left, fewer than the reserve of \d+/);
  });

  test('counts what is on its way, and asks the volume before it refuses', async () => {
    await using disk = await smallFilesystem(4);
    const gauge = new SpaceGauge(disk.path, 1 << 20, () => 0);
    await gauge.check();
    gauge.received(2 << 20);
    assert.equal(gauge.check(), undefined);
    gauge.received((1 << 20) + 1);
    // Nothing was written, so there is room after all; had it been, the answer would be a refusal.
    await gauge.check();
    await writeFile(`${disk.path}/arrived`, Buffer.alloc(3.5 * (1 << 20)));
    gauge.received(3.5 * (1 << 20));
    await assert.rejects(async () => gauge.check(), storageFault('no-space'));
  });

  test('takes on again at once when space has returned', async () => {
    await using disk = await smallFilesystem(4);
    const gauge = new SpaceGauge(disk.path, 1 << 20, () => 0);
    await writeFile(`${disk.path}/other`, Buffer.alloc(3.5 * (1 << 20)));
    await assert.rejects(async () => gauge.check(), storageFault('no-space'));
    await writeFile(`${disk.path}/other`, '');
    await gauge.check();
    assert.equal(gauge.check(), undefined);
  });

  test('near the reserve it sees at once what others write beside', async () => {
    await using disk = await smallFilesystem(4);
    const gauge = new SpaceGauge(disk.path, 1 << 20, () => 0);
    await gauge.check();
    await writeFile(`${disk.path}/catalogue`, Buffer.alloc(1.5 * (1 << 20)));
    await writeFile(`${disk.path}/instance`, Buffer.alloc(2 << 20));
    gauge.received((2 << 20) + 1);
    await assert.rejects(async () => gauge.check(), storageFault('no-space'));
  });

  test('sees within a second that others have filled the volume', async () => {
    await using disk = await smallFilesystem(4);
    let now = 0;
    const gauge = new SpaceGauge(disk.path, 1 << 20, () => now);
    await gauge.check();
    await writeFile(`${disk.path}/other`, Buffer.alloc(3.5 * (1 << 20)));
    assert.equal(gauge.check(), undefined);
    now = 1001;
    await assert.rejects(async () => gauge.check(), storageFault('no-space'));
  });

  test('asks the volume once for all who come at the same time', async () => {
    const gauge = new SpaceGauge(tmpdir(), 1, () => 0);
    const [one, other] = [gauge.check(), gauge.check()];
    assert.ok(one instanceof Promise && other instanceof Promise);
    await Promise.all([one, other]);
  });

  test('says so when the volume is gone, and asks again the next time', async () => {
    const gauge = new SpaceGauge(`${tmpdir()}/no-such-volume`, 1);
    await assert.rejects(async () => gauge.check(), storageFault('missing'));
    await assert.rejects(async () => gauge.check(), storageFault('missing'));
  });
});
