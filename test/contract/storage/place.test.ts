// Giving an instance its name (design §4): never over another, all or nothing.
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CHUNK_BYTES } from '../../../src/storage/chunk-pool.ts';
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

describe('place', () => {
  test('flushes first, also when nobody asked for it', async () => {
    await using site = await temporaryArea();
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(100, 1)));
    await spooled.place(PATH);
    await assertWhole(join(site.root, PATH), patterned(100, 1));
  });

  for (const [kind, bytes] of [
    ['small', 100],
    ['large', 2 * CHUNK_BYTES],
  ] as const) {
    test(`never overwrites: the ${kind} second one gets 'exists' and can still be discarded`, async () => {
      await using site = await temporaryArea();
      await (await site.area.spool(testHead(), byteSourceOf(patterned(bytes, 1)))).place(PATH);
      const second = await site.area.spool(testHead(), byteSourceOf(patterned(bytes, 2)));
      await assert.rejects(second.place(PATH), storageFault('exists'));
      await assertWhole(join(site.root, PATH), patterned(bytes, 1));
      await second.discard();
      assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
    });
  }

  test(`after 'exists' can go to another path`, async () => {
    await using site = await temporaryArea();
    await (await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)))).place(PATH);
    const second = await site.area.spool(testHead(), byteSourceOf(patterned(10, 2)));
    await assert.rejects(second.place(PATH), storageFault('exists'));
    await second.place('studies/other/place');
    await assertWhole(join(site.root, 'studies/other/place'), patterned(10, 2));
  });

  test('of twenty instances at one path lets exactly one through', async () => {
    await using site = await temporaryArea();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, index) => {
        const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(2000, index)));
        try {
          await spooled.place(PATH);
        } finally {
          await spooled.discard();
        }
        return index;
      }),
    );
    const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    assert.equal(winners.length, 1);
    await assertWhole(join(site.root, PATH), patterned(2000, winners[0]!));
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });

  test('into many new directories at once makes them all', async () => {
    await using site = await temporaryArea();
    const paths = Array.from(
      { length: 60 },
      (_, index) => `studies/2024/${index % 3}/${index % 7}/${index % 11}/${index}`,
    );
    await Promise.all(
      paths.map(async (path, index) => {
        const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(300, index)));
        await spooled.place(path);
      }),
    );
    assert.deepEqual(
      await filesIn(site.root).then((files) => files.filter((file) => file.startsWith('studies'))),
      paths.sort(),
    );
  });

  test('goes on after somebody removed the directory', async () => {
    await using site = await temporaryArea();
    await (await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)))).place(PATH);
    await rm(join(site.root, 'studies/2024'), { recursive: true });
    await (await site.area.spool(testHead(), byteSourceOf(patterned(10, 2)))).place(PATH);
    await assertWhole(join(site.root, PATH), patterned(10, 2));
  });

  test('refuses a path out of the area and makes nothing', async () => {
    await using site = await temporaryArea();
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    await assert.rejects(spooled.place('studies/../../escape'), storageFault('bad-path'));
    await spooled.discard();
    assert.deepEqual(await readdir(join(site.root, 'studies')), []);
  });

  test('cannot be done twice with one instance', async () => {
    await using site = await temporaryArea();
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    await spooled.place(PATH);
    await assert.rejects(spooled.place('studies/other/place'), storageFault('missing'));
    await spooled.discard();
    await assertWhole(join(site.root, PATH), patterned(10, 1));
  });

  test('fails with the .part gone, and leaves nothing', async () => {
    await using site = await temporaryArea();
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    await spooled.flush();
    for (const name of await filesIn(join(site.root, 'incoming')))
      await rm(join(site.root, 'incoming', name));
    await assert.rejects(spooled.place(PATH), storageFault('missing'));
    assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
  });
});
