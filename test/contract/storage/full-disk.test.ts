// A full volume (design §4): refused before it hurts, nothing half, and service goes on when space returns.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SLOT_BYTES } from '../../../src/storage/journal-slot.ts';
import type { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { smallFilesystem } from '../../support/small-filesystem.ts';
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

const MIB = 1 << 20;

/** Takes all space but `leftBytes`. */
async function fill(root: string, leftBytes: number): Promise<{ free: () => Promise<void> }> {
  const { bavail, bsize } = await statfs(root);
  const filler = join(root, 'filler');
  await writeFile(filler, Buffer.alloc(bavail * bsize - leftBytes));
  return { free: () => rm(filler) };
}

async function store(area: StorageArea, path: string, bytes: number, seed: number): Promise<void> {
  const spooled = await area.spool(testHead(), byteSourceOf(patterned(bytes, seed)));
  try {
    await Promise.all([spooled.flush(), area.journal.append(path)]);
    await spooled.place(path);
  } finally {
    await spooled.discard();
  }
}

/** Opened, and the journal has made the slot in use and the next, so that no test fills the disk under them. */
async function openWithJournal(root: string, reserveBytes = 0): Promise<OpenedArea> {
  const opened = await openedArea(root, reserveBytes);
  await opened.area.journal.append('first');
  const journal = join(root, 'journal/1');
  for (let made = 0; made < 2; ) {
    const sizes = await Promise.all(
      (await readdir(journal)).map(async (name) => (await stat(join(journal, name))).size),
    );
    made = sizes.filter((size) => size === SLOT_BYTES).length;
  }
  return opened;
}

describe('a volume that fills up', () => {
  test('in the middle of a large instance: no-space, nothing left, and the next small one is stored', async () => {
    await using disk = await smallFilesystem(24);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    const source = endlessSource(64 * MIB);
    await assert.rejects(area.spool(testHead(), source), storageFault('no-space'));
    assert.ok(source.taken < 24 * MIB);
    assert.deepEqual(await filesIn(join(disk.path, 'incoming')), []);
    await store(area, 'studies/a/1', 5000, 1);
    await assertWhole(join(disk.path, 'studies/a/1'), patterned(5000, 1));
  });

  test('before a small instance: no-space at its flush, nothing left, stored when space returns', async () => {
    await using disk = await smallFilesystem(24);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    const filled = await fill(disk.path, 0);
    const spooled = await area.spool(testHead(), byteSourceOf(patterned(50_000, 1)));
    await assert.rejects(spooled.flush(), storageFault('no-space'));
    await assert.rejects(spooled.place('studies/a/1'), storageFault('no-space'));
    await spooled.discard();
    assert.deepEqual(await filesIn(join(disk.path, 'incoming')), []);
    assert.deepEqual(await filesIn(join(disk.path, 'studies')), []);
    await filled.free();
    await store(area, 'studies/a/1', 50_000, 1);
  });

  test('before a small instance, and no room in the durable record: no-space, nothing left, held when space returns', async () => {
    await using disk = await smallFilesystem(40);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    const filled = await fill(disk.path, 0);
    const fillRecord = async () => {
      for (;;) await area.journal.append('filler', Buffer.alloc(MIB));
    };
    await assert.rejects(fillRecord, storageFault('no-space'));
    const data = patterned(900_000, 1);
    await assert.rejects(holdFor(area, 'studies/a/1', data), storageFault('no-space'));
    assert.deepEqual(await filesIn(join(disk.path, 'incoming')), []);
    await filled.free();
    const instance = await holdFor(area, 'studies/a/1', data);
    assert.deepEqual(await area.placeHeld([instance]), ['placed']);
    await assertWhole(join(disk.path, 'studies/a/1'), data);
  });

  test('before a held instance gets its file: no-space, no half file, placed when space returns', async () => {
    await using disk = await smallFilesystem(24);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    const data = [300_000, 5000, 800_000].map((bytes, seed) => patterned(bytes, seed));
    const instances = [];
    for (const [index, bytes] of data.entries()) {
      instances.push(await holdFor(area, `studies/a/${index}`, bytes));
      await area.makeRoom(`studies/a/${index}`);
    }
    const filled = await fill(disk.path, 100_000);
    await assert.rejects(area.placeHeld(instances), storageFault('no-space'));
    for (const file of await filesIn(join(disk.path, 'studies'))) {
      await assertWhole(join(disk.path, 'studies', file), data[Number(file.slice(2))]);
    }
    await filled.free();
    const outcomes = await area.placeHeld(instances);
    assert.ok(!outcomes.includes('exists'), outcomes.join());
    for (const [index, bytes] of data.entries()) {
      await assertWhole(join(disk.path, `studies/a/${index}`), bytes);
    }
  });

  test('under eight who store at once: what was acknowledged is whole, of the rest nothing is left', async () => {
    await using disk = await smallFilesystem(40);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    const stored: { path: string; bytes: number; seed: number }[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async (_, association) => {
        for (let index = 0; ; index += 1) {
          const seed = association * 1000 + index;
          const item = {
            path: `studies/${association}/${index}`,
            bytes: index % 2 === 0 ? 90_000 : MIB,
            seed,
          };
          try {
            await store(area, item.path, item.bytes, seed);
          } catch (error) {
            assert.ok(error instanceof Error && 'code' in error && error.code === 'no-space', String(error));
            return;
          }
          stored.push(item);
        }
      }),
    );
    assert.ok(stored.length > 8);
    for (const { path, bytes, seed } of stored) {
      await assertWhole(join(disk.path, path), patterned(bytes, seed));
    }
    assert.deepEqual(await filesIn(join(disk.path, 'incoming')), []);
    const inPlace = (await filesIn(join(disk.path, 'studies'))).map((path) => `studies/${path}`);
    assert.deepEqual(inPlace, stored.map(({ path }) => path).sort());
  });
});

describe('the reserve', () => {
  test('refuses before the first byte is asked for', async () => {
    await using disk = await smallFilesystem(24);
    await using opened = await openWithJournal(disk.path, 30 * MIB);
    const { area } = opened;
    await assert.rejects(async () => area.checkSpace(), storageFault('no-space'));
  });

  test('is not eaten by one large instance', async () => {
    await using disk = await smallFilesystem(40);
    await using opened = await openWithJournal(disk.path, 10 * MIB);
    const { area } = opened;
    await area.checkSpace();
    await assert.rejects(area.spool(testHead(), endlessSource(64 * MIB)), storageFault('no-space'));
    assert.deepEqual(await filesIn(join(disk.path, 'incoming')), []);
  });

  test('is not eaten by four large instances at once', async () => {
    await using disk = await smallFilesystem(40);
    await using opened = await openWithJournal(disk.path, 10 * MIB);
    const { area } = opened;
    let least = Number.POSITIVE_INFINITY;
    let isOver = false;
    const watch = (async () => {
      while (!isOver) {
        const { bavail, bsize } = await statfs(disk.path);
        least = Math.min(least, bavail * bsize);
      }
    })();
    await Promise.all(
      [1, 2, 3, 4].map(() =>
        assert.rejects(area.spool(testHead(), endlessSource(64 * MIB)), storageFault('no-space')),
      ),
    );
    isOver = true;
    await watch;
    assert.ok(least > 6 * MIB, `only ${least} bytes were left`);
  });
});

describe('the journal on a full volume', () => {
  test('goes on in what it has in advance, then no-space, and goes on again when space returns', async () => {
    await using disk = await smallFilesystem(24);
    const { area } = await openWithJournal(disk.path);
    const filled = await fill(disk.path, 0);
    const kept: string[] = ['first'];
    const record = (index: number) => `${index} ${'x'.repeat(200_000)}`;
    let refused: unknown;
    for (let index = 0; refused === undefined; index += 1) {
      assert.ok(index < 200, 'the journal must end somewhere');
      await area.journal.append(record(index)).then(
        () => kept.push(record(index)),
        (error: unknown) => {
          refused = error;
        },
      );
    }
    assert.ok(kept.length > 20, 'two slots were there in advance');
    assert.ok(refused instanceof Error && 'code' in refused && refused.code === 'no-space');
    await assert.rejects(area.journal.append('still full'.repeat(20_000)), storageFault('no-space'));
    await filled.free();
    await area.journal.append('after');
    await area.close();

    await using again = await openedArea(disk.path);
    const replayed: string[] = [];
    for await (const { note } of again.area.journal.replay()) replayed.push(note);
    assert.deepEqual(replayed, [...kept, 'after']);
    assert.deepEqual(again.area.journal.faults, []);
  });

  test('has a write that failed in the middle: the sequences are not used again, what came before and after is there', async () => {
    await using disk = await smallFilesystem(24);
    const { area } = await openWithJournal(disk.path);
    const [name] = (await readdir(join(disk.path, 'journal/1'))).sort();
    // Its blocks are gone: what a file system does that copies on write.
    const file = join(disk.path, 'journal/1', name!);
    const [from, length] = [2 * 4096, SLOT_BYTES - 2 * 4096].map(String);
    execFileSync('fallocate', ['--punch-hole', '--offset', from!, '--length', length!, file]);
    const filled = await fill(disk.path, 200_000);
    const failed = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) => area.journal.append(`failed ${index}`, Buffer.alloc(90_000))),
    );
    for (const outcome of failed) {
      assert.ok(outcome.status === 'rejected' && outcome.reason.code === 'no-space', outcome.status);
    }
    await filled.free();
    const { sequence, slot } = await area.journal.append('after');
    assert.equal(sequence, 7);
    assert.notEqual(slot, name);
    await area.close();

    await using again = await openedArea(disk.path);
    assert.deepEqual(again.area.journal.faults, []);
    const found = new Map<number, string>();
    for await (const { note, held } of again.area.journal.replay()) found.set(held.sequence, note);
    // What was refused may be found all the same, under the sequence it had.
    for (const [at, note] of found) if (note.startsWith('failed')) assert.equal(note, `failed ${at - 2}`);
    assert.deepEqual([found.get(1), found.get(7), Math.max(...found.keys())], ['first', 'after', 7]);
    assert.equal((await again.area.journal.append('next')).sequence, 8);
  });

  test('gives back early what the catalogue has when there is no room for another slot', async () => {
    await using disk = await smallFilesystem(24);
    await using opened = await openWithJournal(disk.path);
    const { area } = opened;
    await fill(disk.path, 0);
    const slots = new Set<string>();
    for (let index = 0; index < 60; index += 1) {
      const { sequence, slot } = await area.journal.append(`${index}`, Buffer.alloc(MIB));
      slots.add(slot);
      applyUpTo(area.journal, sequence);
    }
    assert.equal(slots.size, 2);
  });

  test('does not keep the area from opening and giving back what it holds', async () => {
    await using disk = await smallFilesystem(24);
    {
      await using before = await openedArea(disk.path);
      await store(before.area, 'studies/a/1', 5000, 1);
    }
    const filled = await fill(disk.path, 0);
    await using opened = await openedArea(disk.path);
    const { area } = opened;
    (await area.open('studies/a/1')).close();
    await assert.rejects(area.journal.append('a'), storageFault('no-space'));
    await filled.free();
    await area.journal.append('a');
    await store(area, 'studies/a/2', 5000, 2);
  });
});
