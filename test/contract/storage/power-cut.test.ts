// Power loss (design §4): the disk as it is at the moment of the acknowledgement holds everything acknowledged.
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type HeldInstance, StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { type PowerCutFilesystem, powerCutFilesystem } from '../../support/small-filesystem.ts';
import {
  applyUpTo,
  assertWhole,
  filesIn,
  heldAgain,
  holdFor,
  openedArea,
  patterned,
  testHead,
} from '../../support/storage-area.ts';

const OPTIONS = { reserveBytes: 0 };
const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';
const LARGE = 3_000_000;

async function spool(area: StorageArea, bytes: number, seed: number) {
  return await area.spool(testHead(), byteSourceOf(patterned(bytes, seed)));
}

async function replayed(area: StorageArea): Promise<string[]> {
  const records: string[] = [];
  for await (const { note } of area.journal.replay()) records.push(note);
  return records;
}

/** Every fourth is large. */
function sizeOf(seed: number): number {
  return seed % 4 === 3 ? LARGE : 4000;
}

/** When the power goes now, the record alone gives the instance back, whatever there is of its file. */
async function assertRecordHas(disk: PowerCutFilesystem, data: Buffer): Promise<void> {
  await using left = await disk.cutPower();
  await rm(join(left.path, PATH), { force: true });
  await using survivor = await openedArea(left.path);
  assert.deepEqual(survivor.area.journal.faults, []);
  for await (const { note, held } of survivor.area.journal.replay()) {
    if (note !== PATH) continue;
    assert.deepEqual(await survivor.area.placeHeld([await heldAgain(survivor.area, held, PATH)]), ['placed']);
  }
  await assertWhole(join(left.path, PATH), data);
}

describe('when the power goes', () => {
  test('a file that nobody flushed is lost (what makes the tests below mean something)', async () => {
    await using disk = await powerCutFilesystem(64);
    await writeFile(join(disk.path, 'unflushed'), patterned(5000, 1));
    await using left = await disk.cutPower();
    assert.ok(!(await readdir(left.path)).includes('unflushed'));
  });

  test('after a large instance was placed in new directories, it is whole, and its record is replayed', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const spooled = await spool(area, LARGE, 1);
    await Promise.all([spooled.flush(), area.journal.append(PATH)]);
    await spooled.place(PATH);
    {
      await using left = await disk.cutPower();
      const survivor = await StorageArea.open(left.path, OPTIONS);
      await assertWhole(join(left.path, PATH), patterned(LARGE, 1));
      assert.deepEqual(await replayed(survivor), [PATH]);
      assert.deepEqual(await filesIn(join(left.path, 'incoming')), []);
      await survivor.close();
    }
    await area.close();
  });

  for (const bytes of [0, 5000, 900_000]) {
    test(`at any moment after a small instance of ${bytes} bytes was held, the record or the file has it`, async () => {
      await using disk = await powerCutFilesystem(64);
      const data = patterned(bytes, 1);
      const area = await StorageArea.open(disk.path, OPTIONS);
      const instance = await holdFor(area, PATH, data);
      await assertRecordHas(disk, data);
      await area.placeHeld([instance]);
      // Nobody has flushed the file yet.
      await assertRecordHas(disk, data);
      applyUpTo(area.journal, instance.held.sequence);
      const later = await area.journal.append('later');
      await assertRecordHas(disk, data);
      applyUpTo(area.journal, later.sequence);
      await area.close();
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, PATH), data);
      await using survivor = await openedArea(left.path);
      assert.ok(!(await replayed(survivor.area)).includes(PATH), 'its slot was given back');
      assert.deepEqual(survivor.area.journal.faults, []);
    });
  }

  test('after a held instance took the place of another, both contents are whole without the record', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const [first, second] = [
      await holdFor(area, PATH, patterned(5000, 1)),
      await holdFor(area, PATH, patterned(5000, 2)),
    ];
    assert.deepEqual(await area.placeHeld([first]), ['placed']);
    assert.deepEqual(await area.placeHeld([second]), ['exists']);
    await (await area.spoolHeld(second)).replace(PATH, 'superseded/2024/1.4.dcm');
    {
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, PATH), patterned(5000, 2));
      await assertWhole(join(left.path, 'superseded/2024/1.4.dcm'), patterned(5000, 1));
    }
    await area.close();
  });

  test('after a held instance was moved to where nobody looks for it, it is whole there without the record', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    await area.placeHeld([await holdFor(area, PATH, patterned(5000, 1))]);
    await area.move(PATH, 'superseded/2024/1.4.dcm');
    {
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, 'superseded/2024/1.4.dcm'), patterned(5000, 1));
      assert.deepEqual(await filesIn(join(left.path, 'studies')), []);
    }
    await area.close();
  });

  test('after a slot was given back, what is in the others is replayed and nothing else', async () => {
    await using disk = await powerCutFilesystem(96);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const held: HeldInstance[] = [];
    for (let index = 0; index < 12; index += 1) {
      held.push(await holdFor(area, `studies/${index}`, patterned(1_000_000, index)));
    }
    await area.placeHeld(held);
    // The first slot goes at closing; the second holds what the catalogue has not got.
    applyUpTo(area.journal, held[9]!.held.sequence);
    await area.close();
    await using left = await disk.cutPower();
    const survivor = await StorageArea.open(left.path, OPTIONS);
    const names = await replayed(survivor);
    assert.deepEqual(
      names,
      held.filter(({ held: { slot } }) => slot !== held[0]!.held.slot).map(({ path }) => path),
    );
    assert.deepEqual(survivor.journal.faults, []);
    for (const [index, { path }] of held.entries()) {
      if (!names.includes(path)) await assertWhole(join(left.path, path), patterned(1_000_000, index));
    }
    await survivor.close();
  });

  test('after each of twenty instances stored four at a time, none that was acknowledged is missing', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const acknowledged: { path: string; seed: number }[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all(
        [0, 1, 2, 3].map(async (association) => {
          const item = {
            path: `studies/${turn % 2}/${association % 3}/${turn}-${association}`,
            seed: turn * 4 + association,
          };
          const data = patterned(sizeOf(item.seed), item.seed);
          const spooled = await area.spool(testHead(), byteSourceOf(data));
          if (spooled.isSmall) {
            const held = await spooled.hold(item.path);
            acknowledged.push(item);
            await area.placeHeld([{ held, sealedHead: spooled.sealedHead, path: item.path }]);
            return;
          }
          await Promise.all([spooled.flush(), area.journal.append(item.path)]);
          await spooled.place(item.path);
          acknowledged.push(item);
        }),
      );
      await using left = await disk.cutPower();
      const survivor = await StorageArea.open(left.path, OPTIONS);
      const records: string[] = [];
      for await (const { note, held } of survivor.journal.replay()) {
        records.push(note);
        if (held.bytes === 0) continue;
        const instance = await heldAgain(survivor, held, `superseded/${note}`);
        assert.deepEqual(await survivor.placeHeld([instance]), ['placed']);
      }
      for (const { path, seed } of acknowledged) {
        const kept = sizeOf(seed) < LARGE ? `superseded/${path}` : path;
        await assertWhole(join(left.path, kept), patterned(sizeOf(seed), seed));
      }
      assert.deepEqual(records.sort(), acknowledged.map(({ path }) => path).sort());
      await survivor.close();
    }
    await area.close();
  });

  test('after the record of a large instance but before its placement, the record is replayed and no file is there', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const spooled = await spool(area, LARGE, 1);
    await Promise.all([spooled.flush(), area.journal.append(PATH)]);
    {
      await using left = await disk.cutPower();
      const survivor = await StorageArea.open(left.path, OPTIONS);
      assert.equal(survivor.sweptFiles, 1);
      assert.deepEqual(await filesIn(join(left.path, 'studies')), []);
      assert.deepEqual(await replayed(survivor), [PATH]);
      await survivor.close();
    }
    await spooled.discard();
    await area.close();
  });

  test('after a replacement both contents are whole', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    await (await spool(area, 5000, 1)).place(PATH);
    await (await spool(area, 5000, 2)).replace(PATH, 'superseded/2024/1.4.dcm');
    {
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, PATH), patterned(5000, 2));
      await assertWhole(join(left.path, 'superseded/2024/1.4.dcm'), patterned(5000, 1));
    }
    await area.close();
  });

  test('after a move the file is under its new name only', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    await (await spool(area, 5000, 1)).place(PATH);
    await area.move(PATH, 'trash/2024/1.4.dcm');
    {
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, 'trash/2024/1.4.dcm'), patterned(5000, 1));
      assert.deepEqual(await filesIn(join(left.path, 'studies')), []);
    }
    await area.close();
  });

  test('a placement in a directory that a killed daemon made without flushing it is safe', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    await mkdir(join(disk.path, 'studies/2024/01/1.2/1.3'), { recursive: true });
    await (await spool(area, 5000, 1)).place(PATH);
    {
      await using left = await disk.cutPower();
      await assertWhole(join(left.path, PATH), patterned(5000, 1));
    }
    await area.close();
  });
});
