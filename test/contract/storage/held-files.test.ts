// Instances that the durable record holds get their files: never over another, whole, and on the disk before the record
// gives up their bytes.
import assert from 'node:assert/strict';
import { link, mkdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CHUNK_BYTES } from '../../../src/storage/chunk-pool.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import {
  applyUpTo,
  assertWhole,
  filesIn,
  HEAD_BYTES,
  heldAgain,
  holdFor,
  openedArea,
  patterned,
  storageFault,
  temporaryArea,
  testHead,
} from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';

describe('a held instance', () => {
  for (const bytes of [0, 1, 5000, 700_000, CHUNK_BYTES - HEAD_BYTES - 1]) {
    test(`of ${bytes} bytes is placed with sealed head, hash and count, without a file in incoming/`, async () => {
      await using site = await temporaryArea();
      const data = patterned(bytes, 3);
      const instance = await holdFor(site.area, PATH, data);
      assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
      assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
      assert.deepEqual(await site.area.placeHeld([instance]), ['placed']);
      await assertWhole(join(site.root, PATH), data);
      assert.equal((await stat(join(site.root, PATH))).mode & 0o007, 0);
    });
  }

  test('asked for again is the same, and the file is not written again', async () => {
    await using site = await temporaryArea();
    const instance = await holdFor(site.area, PATH, patterned(5000, 1));
    await site.area.placeHeld([instance]);
    const before = await stat(join(site.root, PATH), { bigint: true });
    assert.deepEqual(await site.area.placeHeld([instance]), ['same']);
    const after = await stat(join(site.root, PATH), { bigint: true });
    assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
  });

  test('never overwrites: other bytes, fewer, more, or a head of another reception', async () => {
    await using site = await temporaryArea();
    const data = patterned(5000, 1);
    const instance = await holdFor(site.area, PATH, data);
    await site.area.placeHeld([instance]);
    const placed = await readFile(join(site.root, PATH));
    const changed = Buffer.from(placed);
    changed[changed.length - 1]! ^= 1;
    const otherHead = Buffer.from(placed);
    otherHead[HEAD_BYTES - 1]! ^= 1;
    for (const content of [
      changed,
      otherHead,
      placed.subarray(0, 100),
      Buffer.alloc(0),
      Buffer.concat([placed, Buffer.from('x')]),
    ]) {
      await writeFile(join(site.root, PATH), content);
      assert.deepEqual(await site.area.placeHeld([instance]), ['exists']);
      assert.deepEqual(await readFile(join(site.root, PATH)), content);
    }
  });

  test('does not follow or replace what is no file: a directory, links to somewhere or nowhere', async () => {
    await using site = await temporaryArea();
    const instance = await holdFor(site.area, PATH, patterned(5000, 1));
    await site.area.makeRoom(PATH);
    const file = join(site.root, PATH);
    await mkdir(file);
    assert.deepEqual(await site.area.placeHeld([instance]), ['exists']);
    await rm(file, { recursive: true });
    await writeFile(join(site.root, 'victim'), 'precious');
    for (const target of ['victim', 'nowhere']) {
      await symlink(join(site.root, target), file);
      assert.deepEqual(await site.area.placeHeld([instance]), ['exists']);
      await rm(file);
    }
    assert.equal(await readFile(join(site.root, 'victim'), 'utf8'), 'precious');
    assert.deepEqual(await filesIn(join(site.root, 'studies')), []);
  });

  test('becomes one that waits for its place, to take that of another', async () => {
    await using site = await temporaryArea();
    const first = await holdFor(site.area, PATH, patterned(5000, 1));
    const second = await holdFor(site.area, PATH, patterned(900_000, 2));
    assert.deepEqual(await site.area.placeHeld([first]), ['placed']);
    assert.deepEqual(await site.area.placeHeld([second]), ['exists']);
    await (await site.area.spoolHeld(second)).replace(PATH, 'superseded/1');
    await assertWhole(join(site.root, PATH), patterned(900_000, 2));
    await assertWhole(join(site.root, 'superseded/1'), patterned(5000, 1));
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });

  test('is refused a path out of the area', async () => {
    await using site = await temporaryArea();
    const instance = await holdFor(site.area, PATH, patterned(10, 1));
    for (const path of ['../x', 'studies/../../x', '/etc/x', 'journal/x']) {
      await assert.rejects(site.area.placeHeld([{ ...instance, path }]), storageFault('bad-path'));
    }
  });

  test('that was discarded, or has a file, cannot be held', async () => {
    await using site = await temporaryArea();
    const large = await site.area.spool(testHead(), byteSourceOf(patterned(2 * CHUNK_BYTES, 1)));
    assert.equal(large.isSmall, false);
    await assert.rejects(async () => large.hold('x'), { name: 'StorageError' });
    await large.discard();
    const small = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    assert.equal(small.isSmall, true);
    await small.discard();
    await assert.rejects(async () => small.hold('x'), { name: 'StorageError' });
  });
});

describe('many held instances', () => {
  test('received and placed at once, in many new directories, mix nothing', async () => {
    await using site = await temporaryArea();
    const items = Array.from({ length: 120 }, (_, index) => ({
      path: `studies/2024/${index % 3}/${index % 7}/${index}`,
      data: patterned(100 + 700 * index, index),
    }));
    const held = await Promise.all(items.map(({ path, data }) => holdFor(site.area, path, data)));
    const outcomes = await Promise.all([
      site.area.placeHeld(held.slice(0, 50)),
      site.area.placeHeld(held.slice(50)),
    ]);
    assert.deepEqual(new Set(outcomes.flat()), new Set(['placed']));
    for (const { path, data } of items) await assertWhole(join(site.root, path), data);
  });

  test('are each told their own outcome', async () => {
    await using site = await temporaryArea();
    const held = await Promise.all(
      [0, 1, 2, 3].map((index) => holdFor(site.area, `studies/${index % 2}/${index}`, patterned(500, index))),
    );
    await site.area.placeHeld([held[1]!]);
    await site.area.makeRoom(held[2]!.path);
    await writeFile(join(site.root, held[2]!.path), 'something else');
    assert.deepEqual(await site.area.placeHeld(held), ['placed', 'same', 'exists', 'placed']);
  });

  test('of which one cannot be placed: the failure is told, the others are the same afterwards', async () => {
    await using site = await temporaryArea();
    const held = await Promise.all(
      ['a', 'b', 'c'].map((name) => holdFor(site.area, `studies/1/${name}`, patterned(500, 1))),
    );
    // As if the disk gave less back than was written.
    const short = { ...held[1]!, held: { ...held[1]!.held, contentAt: 1 << 30 } };
    await assert.rejects(site.area.placeHeld([held[0]!, short, held[2]!]), storageFault('io'));
    assert.deepEqual(await filesIn(join(site.root, 'studies')), ['1/a', '1/c']);
    assert.deepEqual(await site.area.placeHeld([held[0]!, held[2]!]), ['same', 'same']);
  });
});

describe('after a new start', () => {
  test('what the durable record holds is placed, a half file is seen as such', async () => {
    await using folder = await tempFolder('held');
    const data = [patterned(5000, 1), patterned(900_000, 2), patterned(70_000, 3)];
    {
      await using before = await openedArea(folder.path);
      const held = [];
      for (const [index, bytes] of data.entries()) {
        held.push(await holdFor(before.area, `studies/a/${index}`, bytes));
      }
      await before.area.placeHeld(held.slice(1));
      await truncate(join(folder.path, 'studies/a/2'), 30_000);
    }
    await using site = await openedArea(folder.path);
    const outcomes: string[] = [];
    for await (const { note, held, isApplied } of site.area.journal.replay()) {
      assert.equal(isApplied, false);
      outcomes.push(...(await site.area.placeHeld([await heldAgain(site.area, held, note)])));
    }
    assert.deepEqual(outcomes, ['placed', 'same', 'exists']);
    await assertWhole(join(folder.path, 'studies/a/0'), data[0]);
    await assertWhole(join(folder.path, 'studies/a/1'), data[1]);
  });

  test('nothing is left in journal/ once all is applied', async () => {
    await using folder = await tempFolder('held');
    const site = await openedArea(folder.path);
    const instance = await holdFor(site.area, PATH, patterned(5000, 1));
    await site.area.placeHeld([instance]);
    applyUpTo(site.area.journal, instance.held.sequence);
    await site.area.close();
    assert.deepEqual(await filesIn(join(folder.path, 'journal')), []);
    await assertWhole(join(folder.path, PATH), patterned(5000, 1));
  });
});

describe('a placed file that is gone, moved or replaced when the record gives up its bytes', () => {
  const disturbances: [string, (file: string, root: string) => Promise<void>][] = [
    ['was removed', (file) => rm(file)],
    ['went with its directory', (file) => rm(join(file, '../..'), { recursive: true })],
    [
      'became a symbolic link',
      async (file) => {
        await rm(file);
        await symlink('elsewhere', file);
      },
    ],
    ['has a second name', (file, root) => link(file, join(root, 'superseded/second'))],
  ];
  for (const [what, disturb] of disturbances) {
    test(`because it ${what} does not keep the area from closing`, async () => {
      await using folder = await tempFolder('held');
      const site = await openedArea(folder.path);
      const instance = await holdFor(site.area, PATH, patterned(5000, 1));
      await site.area.placeHeld([instance]);
      applyUpTo(site.area.journal, instance.held.sequence);
      await disturb(join(folder.path, PATH), folder.path);
      await site.area.close();
      assert.deepEqual(await filesIn(join(folder.path, 'journal')), []);
    });
  }
});
