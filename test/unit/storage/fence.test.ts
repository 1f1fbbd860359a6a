// On a volume of another machine: who was cut off and comes back acknowledges nothing any more, and who takes over waits
// until that is certain.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fence } from '../../../src/storage/fence.ts';
import { storageFault } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const FROM_AFAR = 'another-boot-of-another-machine';

test('the holder may acknowledge as long as nobody has taken over', async (t) => {
  await using folder = await tempFolder('fence');
  const path = join(folder.path, 'holder');
  const fence = await Fence.raise({ path, name: 'holder' });
  t.after(() => fence.lower());
  assert.equal(fence.check(), undefined, 'looked a moment ago');
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  now += 60_000;
  await fence.check();
  assert.equal(fence.check(), undefined, 'and has just looked again');
  await writeFile(path, FROM_AFAR);
  now += 60_000;
  await assert.rejects(async () => fence.check(), storageFault('unusable'));
  assert.throws(() => fence.check(), /another daemon has taken over/);
});

test('a holder that was suspended looks before it acknowledges, whichever clock stood still', async (t) => {
  await using folder = await tempFolder('fence');
  const path = join(folder.path, 'holder');
  const fence = await Fence.raise({ path, name: 'holder' });
  t.after(() => fence.lower());
  await writeFile(path, FROM_AFAR);
  const wake = Date.now() + 3_600_000;
  t.mock.method(Date, 'now', () => wake);
  await assert.rejects(async () => fence.check(), storageFault('unusable'));
});

test('whoever takes over from another machine waits, from a dead process of this one or a clean end does not', async (t) => {
  await using folder = await tempFolder('fence');
  const path = join(folder.path, 'holder');
  const raise = async (waitMs: number) => {
    const start = performance.now();
    const fence = await Fence.raise({ path, name: 'holder', waitMs });
    return { fence, tookMs: performance.now() - start };
  };
  await writeFile(path, FROM_AFAR);
  const waited = await raise(300);
  assert.ok(waited.tookMs >= 299);
  const sameBoot = await raise(60_000);
  const later = Date.now() + 60_000;
  t.mock.method(Date, 'now', () => later);
  await assert.rejects(async () => waited.fence.check(), storageFault('unusable'));
  await sameBoot.fence.lower();
  assert.equal(await readFile(path, 'utf8'), '');
  const after = await raise(60_000);
  await after.fence.lower();
});
