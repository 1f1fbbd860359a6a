// Newer content for a known instance (design §4): the older one is kept, the path is readable at every moment.
import assert from 'node:assert/strict';
import { copyFile, link, readdir, readFile } from 'node:fs/promises';
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

const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';
const KEPT = 'superseded/2024/1.4.dcm';

async function spool(area: StorageArea, seed: number) {
  return await area.spool(testHead(), byteSourceOf(patterned(3000, seed)));
}

async function place(area: StorageArea, seed: number): Promise<void> {
  await (await spool(area, seed)).place(PATH);
}

describe('replace', () => {
  test('makes the newer current and keeps the older', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await (await spool(site.area, 2)).replace(PATH, KEPT);
    await assertWhole(join(site.root, PATH), patterned(3000, 2));
    await assertWhole(join(site.root, KEPT), patterned(3000, 1));
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });

  test('never leaves the path without a whole file', async () => {
    await using site = await temporaryArea();
    await place(site.area, 0);
    let isOver = false;
    const looks = (async () => {
      let count = 0;
      for (; !isOver; count += 1) await assertWhole(join(site.root, PATH));
      return count;
    })();
    for (let seed = 1; seed <= 40; seed += 1) {
      await (await spool(site.area, seed)).replace(PATH, `superseded/${seed}`);
    }
    isOver = true;
    assert.ok((await looks) > 40);
  });

  test('by ten at once loses none of them', async () => {
    await using site = await temporaryArea();
    await place(site.area, 0);
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        (await spool(site.area, index + 1)).replace(PATH, `superseded/${index}`),
      ),
    );
    const contents = new Set<string>();
    for (const file of [PATH, ...Array.from({ length: 10 }, (_, index) => `superseded/${index}`)]) {
      await assertWhole(join(site.root, file));
      contents.add((await readFile(join(site.root, file))).toString('latin1', 0, 100));
    }
    assert.equal(contents.size, 11);
  });

  test('of a path where nothing is fails as missing and makes no file', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    const spooled = await spool(site.area, 2);
    await assert.rejects(spooled.replace('studies/2024/01/1.2/1.3/other', KEPT), storageFault('missing'));
    await spooled.discard();
    assert.deepEqual(await filesIn(join(site.root, 'superseded')), []);
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });

  test('never overwrites what was superseded earlier, and changes nothing then', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await (await spool(site.area, 2)).replace(PATH, KEPT);
    const third = await spool(site.area, 3);
    await assert.rejects(third.replace(PATH, KEPT), storageFault('exists'));
    await assertWhole(join(site.root, PATH), patterned(3000, 2));
    await assertWhole(join(site.root, KEPT), patterned(3000, 1));
    await third.replace(PATH, 'superseded/another');
    await assertWhole(join(site.root, 'superseded/another'), patterned(3000, 2));
  });

  test('can be repeated after an interruption that left the extra link', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await link(join(site.root, PATH), join(site.root, 'superseded/interrupted'));
    await (await spool(site.area, 2)).replace(PATH, 'superseded/interrupted');
    await assertWhole(join(site.root, PATH), patterned(3000, 2));
    await assertWhole(join(site.root, 'superseded/interrupted'), patterned(3000, 1));
  });

  test('can be repeated after the durable record gave both names a file of the same bytes', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await copyFile(join(site.root, PATH), join(site.root, 'superseded/again'));
    await (await spool(site.area, 2)).replace(PATH, 'superseded/again');
    await assertWhole(join(site.root, PATH), patterned(3000, 2));
    await assertWhole(join(site.root, 'superseded/again'), patterned(3000, 1));
  });

  test('refuses paths out of the area on either side', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    const spooled = await spool(site.area, 2);
    await assert.rejects(spooled.replace('studies/../x', KEPT), storageFault('bad-path'));
    await assert.rejects(spooled.replace(PATH, '../x'), storageFault('bad-path'));
    await spooled.discard();
    assert.deepEqual(await readdir(join(site.root, 'superseded')), []);
  });
});

describe('undoing a replacement that was interrupted', () => {
  test('before it began changes nothing', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await site.area.undoReplacement(PATH, 'superseded/never');
    await assertWhole(join(site.root, PATH), patterned(3000, 1));
  });

  test('after the extra link takes only that away', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await link(join(site.root, PATH), join(site.root, 'superseded/extra'));
    await site.area.undoReplacement(PATH, 'superseded/extra');
    await assertWhole(join(site.root, PATH), patterned(3000, 1));
    assert.deepEqual(await filesIn(join(site.root, 'superseded')), []);
  });

  test('after the exchange makes the older current again', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await (await spool(site.area, 2)).replace(PATH, KEPT);
    await site.area.undoReplacement(PATH, KEPT);
    await assertWhole(join(site.root, PATH), patterned(3000, 1));
    assert.deepEqual(await filesIn(join(site.root, 'superseded')), []);
  });

  test('can be repeated', async () => {
    await using site = await temporaryArea();
    await place(site.area, 1);
    await (await spool(site.area, 2)).replace(PATH, KEPT);
    await site.area.undoReplacement(PATH, KEPT);
    await site.area.undoReplacement(PATH, KEPT);
    await assertWhole(join(site.root, PATH), patterned(3000, 1));
  });
});
