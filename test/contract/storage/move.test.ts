// Other names for stored files: to trash/ or quarantine/ and back, never over anything.
import assert from 'node:assert/strict';
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import {
  assertWhole,
  filesIn,
  patterned,
  storageFault,
  temporaryArea,
  testHead,
} from '../../support/storage-area.ts';

async function place(area: StorageArea, path: string, seed: number): Promise<void> {
  await (await area.spool(testHead(), byteSourceOf(patterned(500, seed)))).place(path);
}

describe('move', () => {
  test('takes a file to trash/ and back', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await site.area.move('studies/a/1', 'trash/2024/1');
    assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
    await site.area.move('trash/2024/1', 'studies/a/1');
    await assertWhole(join(site.root, 'studies/a/1'), patterned(500, 1));
    assert.deepEqual(await filesIn(join(site.root, 'trash')), []);
  });

  test('never overwrites', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await place(site.area, 'trash/1', 2);
    await assert.rejects(site.area.move('studies/a/1', 'trash/1'), storageFault('exists'));
    await assertWhole(join(site.root, 'studies/a/1'), patterned(500, 1));
    await assertWhole(join(site.root, 'trash/1'), patterned(500, 2));
  });

  test('finishes what was interrupted with the file under both names', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await place(site.area, 'trash/other', 2);
    await link(join(site.root, 'studies/a/1'), join(site.root, 'trash/1'));
    await site.area.move('studies/a/1', 'trash/1');
    assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
    await assertWhole(join(site.root, 'trash/1'), patterned(500, 1));
  });

  test('finishes where the durable record gave both names a file of the same bytes, and no others', async () => {
    await using site = await temporaryArea();
    for (const bytes of [0, 500, 3_000_000]) {
      const data = patterned(bytes, 1);
      await (await site.area.spool(testHead(), byteSourceOf(data))).place('studies/a/1');
      await (await site.area.spool(testHead(), byteSourceOf(data))).place('trash/1');
      await site.area.move('studies/a/1', 'trash/1');
      assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
      await assertWhole(join(site.root, 'trash/1'), data);
      const other = Buffer.from(data);
      if (bytes > 0) other[bytes - 1]! ^= 1;
      await (await site.area.spool(testHead(), byteSourceOf(other))).place('studies/a/1');
      if (bytes > 0) await assert.rejects(site.area.move('studies/a/1', 'trash/1'), storageFault('exists'));
      await site.area.move('studies/a/1', `trash/other-${bytes}`);
      await site.area.move('trash/1', `trash/done-${bytes}`);
    }
  });

  test('to where it is changes nothing', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await site.area.move('studies/a/1', 'studies/a/1');
    await assertWhole(join(site.root, 'studies/a/1'), patterned(500, 1));
  });

  test('of nothing is missing, whether the file or its directory', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await assert.rejects(site.area.move('studies/a/2', 'trash/2'), storageFault('missing'));
    await assert.rejects(site.area.move('studies/b/2', 'trash/2'), storageFault('missing'));
  });

  test('by two at once happens once', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    const outcomes = await Promise.allSettled([
      site.area.move('studies/a/1', 'trash/1'),
      site.area.move('studies/a/1', 'trash/2'),
    ]);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await filesIn(join(site.root, 'trash'))).length, 1);
  });

  test('refuses paths out of the area, and incoming/ and journal/', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    for (const path of ['../x', 'incoming/x', 'journal/x', 'studies/a/../../../x']) {
      await assert.rejects(site.area.move('studies/a/1', path), storageFault('bad-path'));
      await assert.rejects(site.area.move(path, 'trash/x'), storageFault('bad-path'));
    }
  });
});
