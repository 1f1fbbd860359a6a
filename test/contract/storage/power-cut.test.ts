// Power loss (design §4): the disk as it is at the moment of the acknowledgement holds everything acknowledged.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { powerCutFilesystem } from '../../support/small-filesystem.ts';
import { assertWhole, filesIn, patterned, testHead } from '../../support/storage-area.ts';

const OPTIONS = { reserveBytes: 0 };
const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';

async function spool(area: StorageArea, bytes: number, seed: number) {
  return await area.spool(testHead(), byteSourceOf(patterned(bytes, seed)));
}

async function replayed(area: StorageArea): Promise<string[]> {
  const records: string[] = [];
  for await (const { record } of area.journal.replay()) records.push(record);
  return records;
}

describe('when the power goes', () => {
  test('a file that nobody flushed is lost (what makes the tests below mean something)', async () => {
    await using disk = await powerCutFilesystem(64);
    await writeFile(join(disk.path, 'unflushed'), patterned(5000, 1));
    await using left = await disk.cutPower();
    assert.ok(!(await readdir(left.path)).includes('unflushed'));
  });

  for (const [kind, bytes] of [
    ['small', 5000],
    ['large', 3_000_000],
  ] as const) {
    test(`after a ${kind} instance was placed in new directories, it is whole, and its record is replayed`, async () => {
      await using disk = await powerCutFilesystem(64);
      const area = await StorageArea.open(disk.path, OPTIONS);
      const spooled = await spool(area, bytes, 1);
      await Promise.all([spooled.flush(), area.journal.append(PATH)]);
      await spooled.place(PATH);
      {
        await using left = await disk.cutPower();
        const survivor = await StorageArea.open(left.path, OPTIONS);
        await assertWhole(join(left.path, PATH), patterned(bytes, 1));
        assert.deepEqual(await replayed(survivor), [PATH]);
        assert.deepEqual(await filesIn(join(left.path, 'incoming')), []);
        await survivor.close();
      }
      await area.close();
    });
  }

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
          const spooled = await spool(area, 4000, item.seed);
          await Promise.all([spooled.flush(), area.journal.append(item.path)]);
          await spooled.place(item.path);
          acknowledged.push(item);
        }),
      );
      await using left = await disk.cutPower();
      const survivor = await StorageArea.open(left.path, OPTIONS);
      for (const { path, seed } of acknowledged)
        await assertWhole(join(left.path, path), patterned(4000, seed));
      const records = await replayed(survivor);
      assert.deepEqual(records.sort(), acknowledged.map(({ path }) => path).sort());
      await survivor.close();
    }
    await area.close();
  });

  test('after the record but before the placement, the record is replayed and no file is there', async () => {
    await using disk = await powerCutFilesystem(64);
    const area = await StorageArea.open(disk.path, OPTIONS);
    const spooled = await spool(area, 5000, 1);
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
