// A disk that fails (EIO): a failed flush is a failure, is never tried again in silence, and stops the intake.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Directories } from '../../../src/storage/directories.ts';
import { Journal } from '../../../src/storage/journal.ts';
import type { HeldInstance } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { failingFilesystem } from '../../support/small-filesystem.ts';
import {
  applyUpTo,
  assertWhole,
  endlessSource,
  filesIn,
  holdFor,
  type OpenedArea,
  openedArea,
  patterned,
  storageFault,
  testHead,
} from '../../support/storage-area.ts';

/** Closing says that the disk has failed, and that is no news then. */
async function openedOnFailingDisk(root: string): Promise<OpenedArea> {
  const opened = await openedArea(root);
  return {
    ...opened,
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled([opened[Symbol.asyncDispose]()]);
    },
  };
}

describe('a disk that breaks', () => {
  test('between flush and place fails the placement, and nothing more is accepted', async () => {
    await using disk = await failingFilesystem();
    await using opened = await openedOnFailingDisk(disk.path);
    const { area } = opened;
    const before = await area.spool(testHead(), byteSourceOf(patterned(5000, 1)));
    await before.place('studies/a/1');
    const spooled = await area.spool(testHead(), byteSourceOf(patterned(5000, 2)));
    await spooled.flush();
    await disk.breakDisk();
    await assert.rejects(spooled.place('studies/b/1'), storageFault('io'));
    await assert.rejects(spooled.place('studies/b/1'), /check the disk/);
    assert.throws(() => area.checkSpace(), storageFault('io'));
    await assert.rejects(area.spool(testHead(), byteSourceOf(patterned(10, 3))), storageFault('io'));
    (await area.open('studies/a/1')).close();
  });

  test('under a large instance fails it while it arrives or at its flush', async () => {
    await using disk = await failingFilesystem();
    await using opened = await openedOnFailingDisk(disk.path);
    const { area } = opened;
    await (await area.spool(testHead(), byteSourceOf(patterned(5000, 1)))).place('studies/a/1');
    await disk.breakDisk();
    const storing = async () => {
      const spooled = await area.spool(testHead(), endlessSource(48 << 20));
      await spooled.place('studies/a/2');
    };
    await assert.rejects(storing(), { name: 'StorageError' });
    await assertWhole(join(disk.path, 'studies/a/1'));
  });

  test('under a small instance fails its flush, and asking again does not make it good', async () => {
    await using disk = await failingFilesystem();
    await using opened = await openedOnFailingDisk(disk.path);
    const { area } = opened;
    const spooled = await area.spool(testHead(), byteSourceOf(patterned(400_000, 1)));
    await disk.breakDisk();
    const failure = await spooled.flush().catch((error: unknown) => error);
    assert.ok(failure instanceof Error);
    await assert.rejects(spooled.flush(), failure);
    await assert.rejects(spooled.place('studies/a/1'), failure);
    await spooled.discard().catch(() => undefined);
  });
});

describe('a disk that breaks under held instances', () => {
  test('before their files are flushed: the record keeps them, nothing more is accepted, closing says so', async () => {
    await using disk = await failingFilesystem();
    await using opened = await openedOnFailingDisk(disk.path);
    const { area } = opened;
    const data = Array.from({ length: 4 }, (_, seed) => patterned(300_000, seed));
    const held: HeldInstance[] = [];
    for (const [index, bytes] of data.entries()) held.push(await holdFor(area, `studies/a/${index}`, bytes));
    await disk.breakDisk();
    await area.placeHeld(held);
    applyUpTo(area.journal, held.at(-1)!.held.sequence);
    await assert.rejects(area.close(), storageFault('io'));
    assert.throws(() => area.checkSpace(), storageFault('io'));
    await using stack = new AsyncDisposableStack();
    const reopened = await Directories.open(disk.path);
    stack.defer(() => reopened.close());
    const kept = (await filesIn(join(disk.path, 'journal'))).map((name) =>
      readFile(join(disk.path, 'journal', name)),
    );
    const journal = Buffer.concat(await Promise.all(kept));
    for (const bytes of data) assert.ok(journal.includes(bytes));
    // Asked again, the operating system calls the files safe.
    const again = Journal.open(await reopened.pin('journal/1'), async () => {}, { append: false });
    await assert.rejects(again, /restart the machine/);
  });
});

test('a failed directory flush fails all that follow, also of other directories', async () => {
  await using disk = await failingFilesystem();
  const directories = await Directories.open(disk.path);
  await directories.use('studies', (directory) => directory.flush());
  await disk.breakDisk();
  await assert.rejects(
    directories.use('studies/a', (directory) => directory.flush()),
    storageFault('io'),
  );
  await assert.rejects(
    directories.use('trash', (directory) => directory.flush()),
    storageFault('io'),
  );
  assert.throws(() => directories.checkFault(), storageFault('io'));
  await directories.close();
});
