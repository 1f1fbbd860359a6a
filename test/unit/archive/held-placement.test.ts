// Small instances get their files behind the sender's back: whatever stands in the way, none is lost, none is altered,
// and of several contents the one received last counts.
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { fileHashes, filesIn } from '../../support/archive-state.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { type OpenedArchive, openArchive, selected } from '../../support/open-archive.ts';
import { hashOf, pathOf } from '../../support/recorded-receptions.ts';
import { smallFilesystem } from '../../support/small-filesystem.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const LARGE_BYTES = 1_500_000;

/** With so many bytes of noise, even, that begin differently for every `seed`. */
function instanceOf(bytes: number, seed: number, options: Partial<MadeInstance> = {}): MadeInstance {
  const value = Buffer.concat([NOISE.subarray(2 * seed), NOISE]).subarray(0, bytes);
  return madeInstance({ ...options, elements: [{ tag: 0x7fe00010, vr: 'OW', value }] });
}

/** Every time of receipt is a millisecond after the one before. */
function ticking(): () => Date {
  let time = Date.UTC(2026, 1, 1);
  return () => new Date(time++);
}

function filesOf(folder: string, part: 'studies' | 'superseded', uid: string): string[] {
  return filesIn(folder, part)
    .filter((file) => file.includes(uid))
    .map((file) => join(folder, 'archive', part, file));
}

function hashesIn(folder: string, part: 'studies' | 'superseded', uid: string): string[] {
  return filesOf(folder, part, uid).map((file) => {
    const { claimed, actual } = fileHashes(file);
    assert.equal(claimed, actual, file);
    return actual;
  });
}

async function findings({ storage, catalog }: OpenedArchive): Promise<string[]> {
  const found = await Array.fromAsync(verifyArchive(storage, catalog));
  return found.map(({ kind, path }) => `${kind} ${path}`);
}

/** Threads of this name that start while the test runs. */
function startedThreads(t: TestContext): Worker[] {
  const started: Worker[] = [];
  const listener = (worker: Worker) => started.push(worker);
  process.on('worker', listener);
  t.after(() => process.off('worker', listener));
  return started;
}

describe('an acknowledged small instance', () => {
  test('has its file and is found when somebody asks, and leaves nothing in journal/ at the end', async () => {
    await using folder = await tempFolder('held');
    const all = [700, 60_000, 900_000].map((bytes, seed) => instanceOf(bytes, seed));
    {
      await using opened = await openArchive(folder.path);
      await Promise.all(all.map((instance) => opened.acknowledge(instance)));
      for (const { studyUid } of all) assert.equal((await selected(opened.archive, studyUid)).length, 1);
      assert.deepEqual(await findings(opened), []);
      assert.deepEqual(filesIn(folder.path, 'incoming'), []);
    }
    for (const instance of all) {
      assert.deepEqual(hashesIn(folder.path, 'studies', instance.sopInstanceUid), [hashOf(instance)]);
    }
    await using again = await openArchive(folder.path);
    assert.deepEqual([again.replayed, again.faults], [0, []]);
  });

  test('gets its file also when nobody asks', async () => {
    await using folder = await tempFolder('held');
    await using opened = await openArchive(folder.path);
    const told = Promise.withResolvers<string>();
    opened.archive.on('instanceStored', ({ record }) => told.resolve(record.location.path));
    const instance = madeInstance();
    await opened.acknowledge(instance);
    const path = await told.promise;
    assert.equal(path, pathOf(instance));
    assert.equal(fileHashes(join(folder.path, 'archive', path)).actual, hashOf(instance));
  });

  test('that comes again is a duplicate, and the first file is not touched', async () => {
    await using folder = await tempFolder('held');
    await using opened = await openArchive(folder.path, ticking());
    for (const bytes of [5000, LARGE_BYTES]) {
      const instance = instanceOf(bytes, 1);
      const first = await opened.store(instance);
      const file = join(folder.path, 'archive', first.record.location.path);
      const before = await stat(file, { bigint: true });
      const content = await readFile(file);
      for (let time = 0; time < 2; time += 1) {
        const again = await opened.store(instance);
        assert.equal(again.outcome, 'duplicate');
        assert.equal(again.record.location.receivedAt, first.record.location.receivedAt);
      }
      const after = await stat(file, { bigint: true });
      assert.deepEqual([after.ino, after.mtimeNs, after.nlink], [before.ino, before.mtimeNs, 1n]);
      assert.deepEqual(await readFile(file), content);
      assert.deepEqual(filesOf(folder.path, 'superseded', instance.sopInstanceUid), []);
    }
    assert.deepEqual(await findings(opened), []);
  });

  test('sent ten times at once is one instance', async () => {
    await using folder = await tempFolder('held');
    await using opened = await openArchive(folder.path, ticking());
    const instance = madeInstance();
    const outcomes: string[] = [];
    opened.archive.on('instanceStored', ({ outcome }) => outcomes.push(outcome));
    await Promise.all(Array.from({ length: 10 }, () => opened.acknowledge(instance)));
    assert.equal((await opened.archive.counts()).instances, 1);
    assert.deepEqual(outcomes.sort(), [...Array.from({ length: 9 }, () => 'duplicate'), 'stored']);
    assert.deepEqual(filesOf(folder.path, 'superseded', instance.sopInstanceUid), []);
  });
});

describe('what bears the name of its file', () => {
  const obstacles: [string, (file: string, folder: string) => Promise<void>][] = [
    ['a directory', (file) => mkdir(file)],
    [
      'a directory with something in it',
      async (file) => {
        await mkdir(file);
        await writeFile(join(file, 'precious'), 'precious');
      },
    ],
    [
      'a symbolic link to a file',
      async (file, folder) => {
        await writeFile(join(folder, 'victim'), 'precious');
        await symlink(join(folder, 'victim'), file);
      },
    ],
    ['a symbolic link to nowhere', (file) => symlink('/nowhere/at/all', file)],
  ];
  for (const [what, put] of obstacles) {
    test(`${what} does not lose it: it gets a name with its hash beside that`, async () => {
      await using folder = await tempFolder('held');
      await using opened = await openArchive(folder.path, ticking());
      const instance = madeInstance();
      await opened.storage.makeRoom(pathOf(instance));
      const file = join(folder.path, 'archive', pathOf(instance));
      await put(file, folder.path);
      const { record } = await opened.store(instance);
      assert.equal(
        record.location.path,
        pathOf(instance).replace('.dcm', `.${hashOf(instance).slice(0, 16)}.dcm`),
      );
      const [found] = await selected(opened.archive, instance.studyUid);
      await (await opened.archive.openInstance(found!)).close();
      // The same again, and other content: both find what is there.
      await opened.store(instance);
      const newer = madeInstance({ ...instance, patientName: 'Newer^One' });
      await opened.store(newer);
      const [current] = await selected(opened.archive, instance.studyUid);
      assert.equal(current!.location.sha256, hashOf(newer));
      await (await opened.archive.openInstance(current!)).close();
      const [older] = await opened.catalog.superseded(instance.sopInstanceUid);
      await (await opened.storage.open(older!.path)).close();
      assert.equal(older!.sha256, hashOf(instance));
      if (what.endsWith('to a file')) {
        assert.equal(await readFile(join(folder.path, 'victim'), 'utf8'), 'precious');
      }
    });
  }

  for (const [what, content] of [
    ['half of it', (file: Buffer) => file.subarray(0, file.length / 2)],
    ['nothing', () => Buffer.alloc(0)],
    ['something foreign', () => Buffer.from('not ours')],
  ] as const) {
    test(`a file with ${what} is kept aside and does not lose it`, async () => {
      await using folder = await tempFolder('held');
      await using opened = await openArchive(folder.path, ticking());
      const instance = madeInstance();
      await opened.storage.makeRoom(pathOf(instance));
      const present = content(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), instance.dataSet]));
      await writeFile(join(folder.path, 'archive', pathOf(instance)), present);
      await opened.store(instance);
      assert.deepEqual(hashesIn(folder.path, 'studies', instance.sopInstanceUid), [hashOf(instance)]);
      const [aside] = filesOf(folder.path, 'superseded', instance.sopInstanceUid);
      assert.deepEqual(await readFile(aside!), present);
      assert.deepEqual(await findings(opened), []);
    });
  }
});

describe('one SOP Instance UID', () => {
  test('small, large and small again, one after the other: the last one is current, all are kept and listed', async () => {
    await using folder = await tempFolder('held');
    await using opened = await openArchive(folder.path, ticking());
    const first = instanceOf(5000, 1);
    const all = [first, instanceOf(LARGE_BYTES, 2, first), instanceOf(70_000, 3, first)];
    for (const instance of all) await opened.store(instance);
    await assertKept(folder.path, opened, all, hashOf(all[2]!));
    // As fast as the sender may: without anybody asking in between.
    const other = instanceOf(5000, 4);
    const fast = [other, instanceOf(LARGE_BYTES, 5, other), instanceOf(70_000, 6, other)];
    for (const instance of fast) await opened.acknowledge(instance);
    await assertKept(folder.path, opened, fast, hashOf(fast[2]!));
  });

  for (const kind of ['one study', 'several studies']) {
    test(`small and large at once from several associations, of ${kind}: the last received is current, all are kept and listed`, async () => {
      await using folder = await tempFolder('held');
      const receivedAt = new Map<string, number>();
      let asked = '';
      const now = ticking();
      await using opened = await openArchive(folder.path, () => {
        const time = now();
        receivedAt.set(asked, time.getTime());
        return time;
      });
      for (let round = 0; round < 6; round += 1) {
        const first = instanceOf(3000, round * 10);
        const all = [3000, LARGE_BYTES, 60_000, 2 * LARGE_BYTES, 900_000, LARGE_BYTES, 5000].map(
          (bytes, index) => {
            const { sopInstanceUid, seriesUid } = first;
            const studyUid =
              kind === 'one study' || index % 2 === 0 ? first.studyUid : madeInstance().studyUid;
            return instanceOf(bytes, round * 10 + index, { sopInstanceUid, studyUid, seriesUid });
          },
        );
        const order = round % 2 === 0 ? all : [...all].reverse();
        await Promise.all(
          order.map((instance) => {
            asked = hashOf(instance);
            return opened.acknowledge(instance);
          }),
        );
        const times = all.map((instance) => receivedAt.get(hashOf(instance))!);
        const last = all[times.indexOf(Math.max(...times))]!;
        await assertKept(folder.path, opened, all, hashOf(last));
      }
      assert.deepEqual(opened.faults, []);
    });
  }

  async function assertKept(
    folder: string,
    opened: OpenedArchive,
    all: readonly MadeInstance[],
    current: string,
  ): Promise<void> {
    const uid = all[0]!.sopInstanceUid;
    const pages = await Array.fromAsync(opened.archive.select({ sopInstanceUids: [uid] }));
    const [found, ...others] = pages.flat();
    assert.deepEqual([found!.location.sha256, others], [current, []]);
    await (await opened.archive.openInstance(found!)).close();
    assert.deepEqual(hashesIn(folder, 'studies', uid), [current]);
    const older = all.map(hashOf).filter((hash) => hash !== current);
    assert.deepEqual(hashesIn(folder, 'superseded', uid).sort(), older.sort());
    const listed = await opened.catalog.superseded(uid);
    for (const { path, sha256 } of listed) {
      assert.equal(fileHashes(join(folder, 'archive', path)).actual, sha256);
    }
    assert.deepEqual(listed.map(({ sha256 }) => sha256).sort(), older);
    assert.deepEqual(filesIn(folder, 'incoming'), []);
    assert.deepEqual(await findings(opened), []);
  }
});

describe('a placing thread that dies', () => {
  test('is started again, and everything acknowledged gets its file', async (t) => {
    await using folder = await tempFolder('held');
    const threads = startedThreads(t);
    await using opened = await openArchive(folder.path);
    await opened.store(madeInstance());
    const [, placing] = threads;
    assert.equal(threads.length, 2, 'that of the catalogue and that which places');
    await placing!.terminate();
    const next = madeInstance();
    await opened.store(next);
    assert.equal(threads.length, 3);
    assert.deepEqual(hashesIn(folder.path, 'studies', next.sopInstanceUid), [hashOf(next)]);
  });

  test('while it works is noticed: the queue tries again, a query waits or is refused, nothing is lost', async (t) => {
    await using folder = await tempFolder('held');
    const threads = startedThreads(t);
    await using opened = await openArchive(folder.path);
    await opened.store(madeInstance());
    for (let round = 0; round < 5; round += 1) {
      const studyUid = madeInstance().studyUid;
      const all = Array.from({ length: 20 }, (_, seed) => instanceOf(600_000, seed, { studyUid }));
      await Promise.all(all.map((instance) => opened.acknowledge(instance)));
      const placing = threads.at(-1)!;
      const asking = opened.archive.counts().then(
        () => undefined,
        (error: unknown) => error,
      );
      await placing.terminate();
      const error = await asking;
      assert.ok(error === undefined || (error instanceof Error && error.name === 'ArchiveError'));
      await opened.archive.counts();
      assert.equal((await selected(opened.archive, studyUid)).length, all.length);
      for (const instance of all) {
        assert.deepEqual(hashesIn(folder.path, 'studies', instance.sopInstanceUid), [hashOf(instance)]);
      }
    }
    assert.deepEqual(await findings(opened), []);
  });
});

/** One instance with its file, and `acknowledged` more for whose files the filler has left no room. */
async function fillUp(
  opened: OpenedArchive,
  volume: string,
  filler: string,
  acknowledged: number,
): Promise<MadeInstance[]> {
  const kept = [instanceOf(5000, 0)];
  await opened.store(kept[0]!);
  const { bavail, bsize } = await statfs(volume);
  await writeFile(filler, Buffer.alloc(bavail * bsize - 300_000));
  for (let seed = 1; seed <= acknowledged; seed += 1) {
    const instance = instanceOf(900_000, seed);
    await opened.acknowledge(instance);
    kept.push(instance);
  }
  return kept;
}

describe('a volume that is full when files are to be made', () => {
  test('refuses queries and says why, is tried again, and gives everything when space returns', async () => {
    await using folder = await tempFolder('held');
    await using disk = await smallFilesystem(40);
    await symlink(disk.path, join(folder.path, 'archive'));
    const kept: MadeInstance[] = [];
    const filler = join(disk.path, 'filler');
    {
      await using opened = await openArchive(folder.path);
      kept.push(...(await fillUp(opened, disk.path, filler, 4)));
      const refusal = {
        code: 'catalog-unavailable',
        message: 'The catalogue has no room for what came last: free some space.',
      };
      await assert.rejects(opened.archive.counts(), refusal);
      await assert.rejects(selected(opened.archive, kept[0]!.studyUid), refusal);
      assert.match(opened.faults.join(), /full/);
      await rm(filler);
      for (const { studyUid } of kept) assert.equal((await selected(opened.archive, studyUid)).length, 1);
      assert.deepEqual(await findings(opened), []);
    }
    await using again = await openArchive(folder.path);
    assert.equal(again.replayed, 0);
  });

  test('and stays so until the program ends: the next start on a volume with room gives everything', async () => {
    await using folder = await tempFolder('held');
    await using disk = await smallFilesystem(40);
    await symlink(disk.path, join(folder.path, 'archive'));
    const kept: MadeInstance[] = [];
    const filler = join(disk.path, 'filler');
    {
      await using opened = await openArchive(folder.path);
      kept.push(...(await fillUp(opened, disk.path, filler, 3)));
    }
    await assert.rejects(openArchive(folder.path), { code: 'no-space' });
    await rm(filler);
    await using opened = await openArchive(folder.path);
    for (const { studyUid } of kept) assert.equal((await selected(opened.archive, studyUid)).length, 1);
    assert.deepEqual(await findings(opened), []);
    assert.deepEqual(opened.faults, []);
  });
});
