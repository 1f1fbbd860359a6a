// Start-up after the end came at any step (design §4): the record, the volume and the catalogue in every combination
// that kill -9 or power loss can leave end as if nothing had happened.
import assert from 'node:assert/strict';
import { copyFile, link, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { supersededPath } from '../../../src/archive/instance-path.ts';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { fileHashes, filesIn } from '../../support/archive-state.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { type OpenedArchive, openArchive, selected } from '../../support/open-archive.ts';
import {
  afterNewBoot,
  assemble,
  hashOf,
  pathOf,
  type Reception,
  recordReceptions,
} from '../../support/recorded-receptions.ts';
import { type MountedFilesystem, smallFilesystem } from '../../support/small-filesystem.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

const FIRST = '2026-02-01T08:00:00.000Z';
const SECOND = '2026-02-01T08:00:07.000Z';
const THIRD = '2026-02-01T08:00:09.000Z';

// In memory: what is flushed here is proven with the storage area.
let disk: MountedFilesystem;
before(async () => {
  disk = await smallFilesystem(600);
});
after(() => disk[Symbol.asyncDispose]());

function dataFolder(): Promise<TempFolder> {
  return tempFolder('replay', disk.path);
}

function filesOf(folder: string, part: 'studies' | 'superseded', sopInstanceUid: string): string[] {
  return filesIn(folder, part)
    .filter((file) => file.includes(sopInstanceUid))
    .map((file) => `${part}/${file}`);
}

/** Of every file, proven by its own head. */
function hashesIn(folder: string, part: 'studies' | 'superseded', sopInstanceUid: string): string[] {
  return filesOf(folder, part, sopInstanceUid).map((file) => {
    const { claimed, actual } = fileHashes(join(folder, 'archive', file));
    assert.equal(claimed, actual, file);
    return actual;
  });
}

/** One current content, these older ones, each in one file that the catalogue names. */
async function assertHolds(
  folder: string,
  { archive, catalog }: OpenedArchive,
  current: MadeInstance,
  older: readonly MadeInstance[],
  what: string,
): Promise<void> {
  const uid = current.sopInstanceUid;
  const found = await selected(archive, current.studyUid);
  assert.deepEqual(
    found.map(({ sopInstanceUid, location }) => [sopInstanceUid, location.sha256]),
    [[uid, hashOf(current)]],
    `${what}: current`,
  );
  assert.deepEqual(hashesIn(folder, 'studies', uid), [hashOf(current)], `${what}: in studies/`);
  await (await archive.openInstance(found[0]!)).close();
  const olderHashes = older.map(hashOf).sort();
  assert.deepEqual(hashesIn(folder, 'superseded', uid).sort(), olderHashes, `${what}: in superseded/`);
  const listed = await catalog.superseded(uid);
  assert.deepEqual(listed.map(({ sha256 }) => sha256).sort(), olderHashes, `${what}: listed`);
  assert.deepEqual(
    listed.map(({ path }) => path).sort(),
    filesOf(folder, 'superseded', uid),
    `${what}: where the older is`,
  );
}

/** Nothing anywhere but these instances. */
async function assertNothingElse(
  folder: string,
  { archive, catalog, storage }: OpenedArchive,
  instances: number,
): Promise<void> {
  assert.deepEqual(filesIn(folder, 'incoming'), []);
  assert.deepEqual(await Array.fromAsync(verifyArchive(storage, catalog)), []);
  assert.equal((await archive.counts()).instances, instances);
  assert.equal(filesIn(folder, 'studies').length, instances);
}

/** A data folder in which these receptions have been replayed: their files and their catalogue. */
async function finished(folder: string, receptions: readonly Reception[]): Promise<string> {
  await recordReceptions(folder, receptions);
  await using _opened = await openArchive(folder);
  return folder;
}

async function storedOnce({ archive, store }: OpenedArchive): Promise<number> {
  const { record } = await store(madeInstance());
  return (await selected(archive, record.study.uid)).length;
}

interface Two {
  readonly a: Reception;
  readonly b: Reception;
}

function versions(newer: { studyUid?: string } = {}): Two {
  const a = madeInstance({ patientName: 'First^Version' });
  const b = madeInstance({ ...a, patientName: 'Second^Version', ...newer });
  return { a: { instance: a, receivedAt: FIRST }, b: { instance: b, receivedAt: SECOND } };
}

async function copied(from: string, to: string, file: string): Promise<void> {
  await mkdir(dirname(join(to, 'archive', file)), { recursive: true });
  await copyFile(join(from, 'archive', file), join(to, 'archive', file));
}

describe('one instance in the record', () => {
  type Disturbance = (file: string) => Promise<void>;
  const volumes: Record<string, Disturbance> = {
    'no file': (file) => rm(file),
    'its file': async () => {},
    'half its file': async (file) => truncate(file, (await stat(file)).size / 2),
    'an empty file': (file) => truncate(file, 0),
    'a file of blanks as long as it': async (file) => writeFile(file, Buffer.alloc((await stat(file)).size)),
    'its head and blanks': async (file) => {
      const { size } = await stat(file);
      await truncate(file, size - 50);
      await truncate(file, size);
    },
  };
  const reception = (): Reception => ({ instance: madeInstance(), receivedAt: FIRST });

  for (const [state, applied] of [
    ['not in the catalogue', undefined],
    ['in the catalogue', 0],
    ['in the catalogue for certain', 1],
  ] as const) {
    test(`${state}, with no, half, blank or its whole file: it is there, once`, async () => {
      await using base = await dataFolder();
      await using folder = await dataFolder();
      const cases = Object.entries(volumes).map(([name, disturb]) => ({ name, disturb, ...reception() }));
      const done = await finished(join(base.path, 'done'), cases);
      const record = join(base.path, 'record');
      await recordReceptions(record, cases, applied === 1 ? cases.length : 0);
      await assemble(folder.path, { record, ...(applied === undefined ? {} : { catalog: done }) });
      for (const { instance, disturb } of cases) {
        await copied(done, folder.path, pathOf(instance));
        await disturb(join(folder.path, 'archive', pathOf(instance)));
      }
      // What was applied is looked at only when it may have been lost: with the power.
      if (applied === 1) await afterNewBoot(folder.path);
      {
        await using opened = await openArchive(folder.path);
        for (const { name, instance } of cases) await assertHolds(folder.path, opened, instance, [], name);
        await assertNothingElse(folder.path, opened, cases.length);
        assert.equal(opened.faults.length, 4, 'one for each damaged file');
        assert.equal(filesIn(folder.path, 'quarantine').length, 4);
      }
      assert.deepEqual(filesIn(folder.path, 'journal'), []);
    });
  }

  for (const boot of ['after kill -9', 'after power loss']) {
    test(`taken out of the catalogue and off the volume, ${boot}: it is not made again`, async () => {
      await using base = await dataFolder();
      await using folder = await dataFolder();
      const one = reception();
      await recordReceptions(join(base.path, 'record'), [one], 1);
      await assemble(folder.path, { record: join(base.path, 'record') });
      if (boot === 'after power loss') await afterNewBoot(folder.path);
      await using opened = await openArchive(folder.path);
      assert.deepEqual(await selected(opened.archive, one.instance.studyUid), []);
      assert.deepEqual([filesIn(folder.path, 'studies'), opened.faults], [[], []]);
    });
  }

  test('a directory where its file should be: it gets a name beside it, also the second time', async () => {
    await using base = await dataFolder();
    await using folder = await dataFolder();
    const one = reception();
    const record = join(base.path, 'record');
    await recordReceptions(record, [one]);
    await assemble(folder.path, { record });
    await mkdir(join(folder.path, 'archive', pathOf(one.instance)), { recursive: true });
    for (let start = 0; start < 2; start += 1) {
      await using opened = await openArchive(folder.path);
      assert.deepEqual(hashesIn(folder.path, 'studies', one.instance.sopInstanceUid), [hashOf(one.instance)]);
      const [found] = await selected(opened.archive, one.instance.studyUid);
      assert.match(found!.location.path, /\.[0-9a-f]{16}\.dcm$/);
      await (await opened.archive.openInstance(found!)).close();
      await assemble(folder.path, { record });
    }
  });

  test('no way to give it a file: its bytes go to quarantine, the start goes on and says so', async () => {
    await using folder = await dataFolder();
    const one = reception();
    const { dataSet } = one.instance;
    await recordReceptions(folder.path, [one]);
    const obstacle = join(folder.path, 'archive', dirname(pathOf(one.instance)));
    await mkdir(dirname(obstacle), { recursive: true });
    await writeFile(obstacle, 'not a directory');
    {
      await using opened = await openArchive(folder.path);
      const [fault] = opened.faults;
      assert.match(fault ?? '', new RegExp(`${pathOf(one.instance)} .*not a directory.* quarantine/`));
      const [aside] = filesIn(folder.path, 'quarantine');
      const content = await readFile(join(folder.path, 'archive/quarantine', aside!));
      assert.ok(content.subarray(-dataSet.length).equals(dataSet));
      assert.equal(await storedOnce(opened), 1, 'others go on');
    }
    await rm(obstacle);
    await using opened = await openArchive(folder.path);
    assert.deepEqual([opened.faults, opened.replayed], [[], 0]);
  });

  test('moved to the trash by hand: it is not taken for lost', async () => {
    await using base = await dataFolder();
    await using folder = await dataFolder();
    const one = reception();
    const done = await finished(join(base.path, 'done'), [one]);
    await recordReceptions(join(base.path, 'record'), [one], 1);
    await assemble(folder.path, { record: join(base.path, 'record') });
    await copied(done, folder.path, pathOf(one.instance));
    await mkdir(join(folder.path, 'archive/trash'));
    await rename(
      join(folder.path, 'archive', pathOf(one.instance)),
      join(folder.path, 'archive/trash/1.dcm'),
    );
    await afterNewBoot(folder.path);
    await using opened = await openArchive(folder.path);
    assert.deepEqual([filesIn(folder.path, 'studies'), opened.faults], [[], []]);
  });
});

describe('two contents of one instance in the record', () => {
  const kinds: Record<string, () => Two> = {
    'of one study': () => versions(),
    'of two studies': () => versions({ studyUid: madeInstance().studyUid }),
    'between which the clock went back': () => {
      const { a, b } = versions();
      return { a: { ...a, receivedAt: SECOND }, b: { ...b, receivedAt: FIRST } };
    },
  };
  const volumes = [
    'nothing',
    'half A',
    'A',
    'A linked away',
    'A and B',
    'only the current one',
    'only the one set aside',
  ] as const;

  /** Files of the two in `folder`, as the volume has them at one of the steps. */
  async function lay(
    volume: (typeof volumes)[number],
    two: Two,
    folder: string,
    done: Record<'A' | 'AB', string>,
  ) {
    const { a, b } = two;
    const uid = a.instance.sopInstanceUid;
    if (volume === 'half A' || volume === 'A' || volume === 'A linked away') {
      await copied(done.A, folder, pathOf(a.instance));
      const file = join(folder, 'archive', pathOf(a.instance));
      if (volume === 'half A') await truncate(file, 300);
      if (volume === 'A linked away') {
        const older = join(folder, 'archive', supersededPath(a.instance, b.receivedAt, hashOf(a.instance)));
        await mkdir(dirname(older), { recursive: true });
        await link(file, older);
      }
      return;
    }
    const parts = {
      nothing: [],
      'A and B': ['studies', 'superseded'],
      'only the current one': ['studies'],
      'only the one set aside': ['superseded'],
    } as const;
    for (const part of parts[volume]) {
      for (const file of filesOf(done.AB, part, uid)) await copied(done.AB, folder, file);
    }
  }

  for (const [kind, make] of Object.entries(kinds)) {
    for (const applied of [0, 1, 2]) {
      test(`${kind}, ${applied} of them in the catalogue for certain: from every state one is current, one is kept`, async () => {
        await using base = await dataFolder();
        await using folder = await dataFolder();
        const at = (name: string): string => join(base.path, name);
        const cases = volumes.flatMap((volume) =>
          ['', 'A', 'AB']
            .filter((catalog) => catalog.length >= applied)
            // Linked only by the steps of a replacement.
            .filter(() => volume !== 'A linked away' || kind === 'of one study')
            .map((catalog) => ({ volume, catalog, ...make() })),
        );
        const all = [...cases.map(({ a }) => a), ...cases.map(({ b }) => b)];
        const known = [
          ...cases.filter(({ catalog }) => catalog !== '').map(({ a }) => a),
          ...cases.filter(({ catalog }) => catalog === 'AB').map(({ b }) => b),
        ];
        const done = {
          A: await finished(at('A'), all.slice(0, cases.length)),
          AB: await finished(at('AB'), all),
        };
        await recordReceptions(at('record'), all, applied * cases.length);
        await assemble(folder.path, {
          record: at('record'),
          catalog: await finished(at('catalog'), known),
        });
        for (const one of cases) await lay(one.volume, one, folder.path, done);
        await afterNewBoot(folder.path);
        {
          await using opened = await openArchive(folder.path);
          for (const { volume, catalog, a, b } of cases) {
            const [current, older] = a.receivedAt > b.receivedAt ? [a, b] : [b, a];
            const what = `${volume} on the volume, '${catalog}' in the catalogue`;
            await assertHolds(folder.path, opened, current.instance, [older.instance], what);
          }
          await assertNothingElse(folder.path, opened, cases.length);
          const half = cases.filter(({ volume }) => volume === 'half A').length;
          assert.equal(opened.faults.length, half, opened.faults.join('\n'));
          assert.equal(filesIn(folder.path, 'quarantine').length, half);
        }
        assert.deepEqual(filesIn(folder.path, 'journal'), []);
        await using again = await openArchive(folder.path);
        assert.equal(again.replayed, 0);
        await assertNothingElse(folder.path, again, cases.length);
      });
    }

    test(`${kind}, after kill -9 with everything done: nothing is done twice`, async () => {
      await using base = await dataFolder();
      const two = make();
      const { a, b } = two;
      const done = await finished(join(base.path, 'done'), [a, b]);
      for (const applied of [0, 1, 2]) {
        await using folder = await dataFolder();
        const record = join(base.path, `record-${applied}`);
        await recordReceptions(record, [a, b], applied);
        await assemble(folder.path, { record, catalog: done });
        await lay('A and B', two, folder.path, { A: done, AB: done });
        await using opened = await openArchive(folder.path);
        const [current, older] = a.receivedAt > b.receivedAt ? [a, b] : [b, a];
        await assertHolds(folder.path, opened, current.instance, [older.instance], `${applied} applied`);
        await assertNothingElse(folder.path, opened, 1);
        assert.deepEqual(opened.faults, []);
      }
    });
  }

  test('which are the same bytes: one file, the first time of receipt', async () => {
    await using base = await dataFolder();
    await using folder = await dataFolder();
    const cases = [false, true].flatMap((onVolume) =>
      [false, true].map((inCatalog) => ({ onVolume, inCatalog, ...versions() })),
    );
    const firsts = cases.map(({ a }) => a);
    const done = await finished(join(base.path, 'done'), firsts);
    const record = join(base.path, 'record');
    await recordReceptions(record, [...firsts, ...firsts.map((a) => ({ ...a, receivedAt: SECOND }))]);
    const known = cases.filter(({ inCatalog }) => inCatalog).map(({ a }) => a);
    await assemble(folder.path, { record, catalog: await finished(join(base.path, 'catalog'), known) });
    for (const { a, onVolume } of cases) if (onVolume) await copied(done, folder.path, pathOf(a.instance));
    await using opened = await openArchive(folder.path);
    for (const { a, onVolume, inCatalog } of cases) {
      await assertHolds(folder.path, opened, a.instance, [], JSON.stringify({ onVolume, inCatalog }));
      const [found] = await selected(opened.archive, a.instance.studyUid);
      assert.equal(found?.location.receivedAt, FIRST);
    }
    await assertNothingElse(folder.path, opened, cases.length);
  });

  test('and the first one again: it is current, the other is kept, from every state', async () => {
    await using base = await dataFolder();
    await using folder = await dataFolder();
    // How many of the three the volume and the catalogue have; what is catalogued has been placed.
    const cases = [0, 1, 2, 3].flatMap((placed) =>
      [0, 1, 2, 3].filter((known) => known <= placed).map((known) => ({ placed, known, ...versions() })),
    );
    const receptions = (of: readonly Two[]) => [
      of.map(({ a }) => a),
      of.map(({ b }) => b),
      of.map(({ a }) => ({ ...a, receivedAt: THIRD })),
    ];
    const done: string[] = [];
    for (const count of [0, 1, 2, 3]) {
      done.push(await finished(join(base.path, `${count}`), receptions(cases).slice(0, count).flat()));
    }
    const known = [1, 2, 3].flatMap(
      (count) => receptions(cases.filter((one) => one.known >= count))[count - 1]!,
    );
    const record = join(base.path, 'record');
    await recordReceptions(record, receptions(cases).flat());
    await assemble(folder.path, { record, catalog: await finished(join(base.path, 'catalog'), known) });
    for (const { a, placed } of cases) {
      for (const part of ['studies', 'superseded'] as const) {
        for (const file of filesOf(done[placed]!, part, a.instance.sopInstanceUid)) {
          await copied(done[placed]!, folder.path, file);
        }
      }
    }
    await using opened = await openArchive(folder.path);
    assert.deepEqual(opened.faults, []);
    for (const { a, b, placed, known } of cases) {
      const uid = a.instance.sopInstanceUid;
      const what = `${placed} placed, ${known} in the catalogue`;
      const [found] = await selected(opened.archive, a.instance.studyUid);
      assert.equal(found!.location.sha256, hashOf(a.instance), what);
      assert.deepEqual(hashesIn(folder.path, 'studies', uid), [hashOf(a.instance)], what);
      assert.ok(hashesIn(folder.path, 'superseded', uid).includes(hashOf(b.instance)), what);
      const listed = await opened.catalog.superseded(uid);
      assert.ok(
        listed.some(({ sha256 }) => sha256 === hashOf(b.instance)),
        what,
      );
      for (const { path } of listed) await (await opened.storage.open(path)).close();
    }
    await assertNothingElse(folder.path, opened, cases.length);
  });
});
