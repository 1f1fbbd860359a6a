// Every kind of damage to a stored file is found when it is read again, told apart, and repaired from whatever has the
// same bytes: each on a real file.
import assert from 'node:assert/strict';
import {
  chmod,
  cp,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { examine } from '../../../src/archive/examine.ts';
import type { FetchBack } from '../../../src/archive/repair.ts';
import { verifyArchive } from '../../../src/archive/verify.ts';
import type { InstanceLocation } from '../../../src/catalog/catalog.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { OpenFile } from '../../../src/util/open-file.ts';
import { filesIn } from '../../support/archive-state.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { serviceOf } from '../../support/integrity-service.ts';
import { type OpenedArchive, openArchive, selected } from '../../support/open-archive.ts';
import { type MountedFilesystem, smallFilesystem } from '../../support/small-filesystem.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

let disk: MountedFilesystem;
before(async () => {
  disk = await smallFilesystem(500);
});
after(() => disk[Symbol.asyncDispose]());

const folderOnDisk = (): Promise<TempFolder> => tempFolder('integrity', disk.path);

async function storedAt(opened: OpenedArchive, folder: string, instance: MadeInstance) {
  await opened.store(instance);
  const location = await locate(opened, instance);
  return { location, file: join(folder, 'archive', location.location.path) };
}

async function locate(
  { catalog }: OpenedArchive,
  { sopInstanceUid }: MadeInstance,
): Promise<InstanceLocation> {
  const found = await catalog.locate(sopInstanceUid);
  assert.ok(found);
  return found;
}

async function flip(file: string, at: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  await handle.write(Buffer.from([byte[0]! ^ 0xff]), 0, 1, at);
  await handle.close();
}

/** From a list of what was stored: a second archive that has everything. */
function secondArchive(instances: readonly MadeInstance[]): FetchBack {
  return async ({ sopInstanceUid }) => {
    const found = instances.find((instance) => instance.sopInstanceUid === sopInstanceUid);
    return found && { source: byteSourceOf(found.dataSet) };
  };
}

async function assertSound({ storage, catalog }: OpenedArchive): Promise<void> {
  assert.deepEqual(await Array.fromAsync(verifyArchive(storage, catalog)), []);
}

/** What can happen to a file, and what it is called. */
const DAMAGES: Readonly<Record<string, (file: string, location: InstanceLocation) => Promise<void>>> = {
  missing: (file) => rm(file),
  truncated: (file, { location }) => truncate(file, location.fileBytes - 20),
  'data-altered': (file, { location }) => flip(file, location.dataSetOffset + 30),
  'meta-altered': (file) => flip(file, 300),
  'not-a-file': async (file) => {
    await rm(file);
    await symlink('/etc/hostname', file);
  },
  permissions: (file) => chmod(file, 0o000),
};

describe('reading everything again', () => {
  for (const [kind, damage] of Object.entries(DAMAGES)) {
    test(`${kind}: found, and repaired from the second archive bit for bit`, async () => {
      await using folder = await folderOnDisk();
      await using opened = await openArchive(folder.path);
      const instance = madeInstance();
      const { location, file } = await storedAt(opened, folder.path, instance);
      const original = await readFile(file);
      await damage(file, location);
      const { service, notices } = serviceOf(opened, { fetchBack: secondArchive([instance]) });
      const run = await service.run();
      assert.deepEqual([run.state, run.findings, run.repaired], ['done', 1, 1]);
      const [finding] = await service.findings.list();
      assert.deepEqual([finding?.kind, finding?.state], [kind, 'solved']);
      assert.deepEqual(await readFile(file), original);
      assert.equal(
        filesIn(folder.path, 'quarantine').length,
        ['missing', 'permissions', 'not-a-file'].includes(kind) ? 0 : 1,
      );
      assert.deepEqual(await notices.list(), []);
      await assertSound(opened);
    });
  }

  test('without another copy the finding stays, is told once, and is never called better than it is', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const instance = madeInstance();
    const { location, file } = await storedAt(opened, folder.path, instance);
    await flip(file, location.location.dataSetOffset + 30);
    const { service, notices } = serviceOf(opened);
    assert.deepEqual((await service.run()).repaired, 0);
    assert.deepEqual((await service.run(true)).findings, 0, 'it is the same finding');
    const [finding] = await service.findings.list('open');
    assert.equal(finding?.kind, 'data-altered');
    assert.equal((await service.findings.get(finding.id)).actions.length, 1);
    assert.deepEqual(
      (await notices.list()).map(({ code, level, params }) => ({ code, level, params })),
      [{ code: 'findings', level: 'urgent', params: { count: 1 } }],
    );
    const [proven] = await opened.archive.proof(instance.studyUid);
    assert.equal(proven?.result, 'data-altered');
    await service.findings.act(finding.id, 'read-again', 'chief');
    assert.equal((await service.findings.list('open')).length, 1);
    await service.findings.act(finding.id, 'accept', 'chief');
    assert.deepEqual(await notices.list(), []);
    await service.run(true);
    assert.equal((await service.findings.list('open')).length, 0, 'accepted is not opened again');
    assert.equal((await opened.archive.proof(instance.studyUid))[0]?.result, 'data-altered');
    const { actions } = await service.findings.get(finding.id);
    assert.deepEqual(
      actions.map(({ by, action }) => [by, action]),
      [
        ['integrity', 'repair'],
        ['chief', 'read-again'],
        ['chief', 'accept'],
      ],
    );
    // Somebody puts the right bytes back.
    await flip(file, location.location.dataSetOffset + 30);
    await service.run(true);
    assert.equal((await service.findings.get(finding.id)).finding.state, 'solved');
  });

  test('a flipped byte anywhere in a file is found', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const { file, location } = await storedAt(opened, folder.path, madeInstance());
    const atOnce = async () => {};
    for (let at = 0; at < location.location.fileBytes; at += 1) {
      await flip(file, at);
      assert.notEqual((await examine(opened.storage, location, atOnce)).result, 'sound', `byte ${at}`);
      await flip(file, at);
    }
    assert.equal((await examine(opened.storage, location, atOnce)).result, 'sound');
  });

  test('a damaged head is made anew from the data set, which is sound', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const { file } = await storedAt(opened, folder.path, madeInstance());
    const original = await readFile(file);
    await flip(file, 10);
    const { service } = serviceOf(opened);
    assert.equal((await service.run()).repaired, 1);
    assert.deepEqual(await readFile(file), original);
  });

  test('two files that changed places go back, each to its own', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const one = await storedAt(opened, folder.path, madeInstance());
    const two = await storedAt(opened, folder.path, madeInstance({ patientName: 'Somebody^Else' }));
    const [first, second] = [await readFile(one.file), await readFile(two.file)];
    await rename(one.file, `${one.file}.x`);
    await rename(two.file, one.file);
    await rename(`${one.file}.x`, two.file);
    const { service } = serviceOf(opened);
    const run = await service.run();
    assert.deepEqual([run.findings, run.repaired], [2, 2]);
    assert.deepEqual(
      (await service.findings.list()).map(({ kind }) => kind),
      ['swapped', 'swapped'],
    );
    assert.deepEqual([await readFile(one.file), await readFile(two.file)], [first, second]);
    await assertSound(opened);
  });

  test('the same bytes in superseded/ or in the trash bring a file back', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const { archive } = opened;
    const instance = madeInstance();
    const { studyUid, seriesUid, sopInstanceUid } = instance;
    await opened.store(instance);
    await opened.store(madeInstance({ studyUid, seriesUid, sopInstanceUid, patientName: 'Between' }));
    await opened.store(instance);
    const { location } = await locate(opened, instance);
    await rm(join(folder.path, 'archive', location.path));
    const other = madeInstance();
    await opened.store(other);
    await archive.delete({ study: other.studyUid }, 'chief', '');
    await opened.store(other);
    await rm(join(folder.path, 'archive', (await locate(opened, other)).location.path));
    const { service } = serviceOf(opened);
    const run = await service.run();
    assert.deepEqual([run.findings, run.repaired], [2, 2]);
    await assertSound(opened);
  });

  test('older content is read too', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const instance = madeInstance();
    const { studyUid, seriesUid, sopInstanceUid } = instance;
    await opened.store(instance);
    await opened.store(madeInstance({ studyUid, seriesUid, sopInstanceUid, patientName: 'Newer' }));
    const [older] = await opened.catalog.superseded(sopInstanceUid);
    await flip(join(folder.path, 'archive', older!.path), older!.dataSetOffset + 30);
    const { service } = serviceOf(opened, { fetchBack: secondArchive([instance]) });
    const run = await service.run();
    assert.deepEqual([run.files, run.findings, run.repaired], [2, 1, 1]);
    assert.equal((await opened.archive.proof(studyUid))[0]?.result, 'sound');
  });

  test('unlisted files: adopted when they are ours, received when they are not, and otherwise left alone', async () => {
    await using folder = await folderOnDisk();
    await using elsewhere = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    await opened.store(madeInstance());
    const ours = madeInstance();
    let path = '';
    {
      await using other = await openArchive(elsewhere.path);
      path = (await storedAt(other, elsewhere.path, ours)).location.location.path;
    }
    const copy = join(folder.path, 'archive', path);
    await mkdir(dirname(copy), { recursive: true });
    await cp(join(elsewhere.path, 'archive', path), copy);
    const note = join(folder.path, 'archive/studies/undated/notes.txt');
    await mkdir(dirname(note), { recursive: true });
    await writeFile(note, 'buy more disks');
    const { service } = serviceOf(opened);
    assert.equal((await service.run()).findings, 2);
    const findings = await service.findings.list('open');
    assert.deepEqual(new Set(findings.map(({ kind }) => kind)), new Set(['unknown']));
    for (const { id } of findings) await service.findings.act(id, 'adopt', 'chief');
    const [left] = await service.findings.list('open');
    assert.equal(left?.path, 'studies/undated/notes.txt');
    assert.equal((await selected(opened.archive, ours.studyUid)).length, 1);
    assert.equal((await locate(opened, ours)).location.path, path);
    assert.deepEqual(await readFile(note, 'utf8'), 'buy more disks');
    await rm(note);
    await service.run(true);
    assert.deepEqual(await service.findings.list('open'), [], 'somebody has moved it away');
  });

  test('an unreadable sector (injected: the read fails with EIO) is a finding, and is repaired', async (t) => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const instance = madeInstance();
    const { location, file } = await storedAt(opened, folder.path, instance);
    const { ino } = await stat(file);
    const { read } = OpenFile.prototype;
    const bad = t.mock.method(
      OpenFile.prototype,
      'read',
      function (this: OpenFile, ...args: Parameters<typeof read>) {
        const isBad = this.stat().ino === ino;
        const failure = () =>
          Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }));
        return isBad ? failure() : read.apply(this, args);
      },
    );
    const { service } = serviceOf(opened, { fetchBack: secondArchive([instance]) });
    const run = await service.run();
    bad.mock.restore();
    assert.deepEqual([run.findings, run.repaired], [1, 1]);
    assert.equal((await service.findings.list())[0]?.kind, 'unreadable');
    assert.equal((await locate(opened, instance)).location.sha256, location.location.sha256);
    await assertSound(opened);
  });

  test('what was read longest ago comes first; a run that is stopped is gone on with', async () => {
    await using folder = await folderOnDisk();
    let now = new Date('2026-05-01T20:00:00Z');
    await using opened = await openArchive(folder.path, () => now);
    const studyUid = freshUid();
    for (let index = 0; index < 40; index += 1) await opened.store(madeInstance({ studyUid }));
    let reads = 0;
    const stopping: { service?: ReturnType<typeof serviceOf>['service'] } = {};
    const { service } = serviceOf(opened, {
      now: () => now,
      isBusy: () => {
        reads += 1;
        if (reads === 50) void stopping.service?.stop();
        return false;
      },
    });
    stopping.service = service;
    const stopped = await service.run();
    assert.equal(stopped.state, 'stopped');
    const verified = (await opened.archive.proof(studyUid)).filter(({ result }) => result === 'sound').length;
    assert.ok(verified > 0 && verified < 40, `${verified} read before the stop`);
    now = new Date('2026-05-02T20:00:00Z');
    const rest = await service.run();
    assert.deepEqual([rest.state, rest.files], ['done', 40 - verified]);
    now = new Date('2026-05-03T20:00:00Z');
    assert.equal((await service.run()).files, 0, 'nothing is due');
    now = new Date('2026-06-01T20:00:00Z');
    assert.equal((await service.run()).files, 40, 'everything within 30 days');
    assert.deepEqual(
      (await service.runs()).map(({ state }) => state),
      ['done', 'done', 'done', 'stopped'],
    );
  });

  test('two daemons do not read the same: the second answers with the run of the first', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    for (let index = 0; index < 5; index += 1) await opened.store(madeInstance());
    const begun = Promise.withResolvers<void>();
    let isHeldUp = true;
    const { service: first } = serviceOf(opened, {
      isBusy: () => {
        begun.resolve();
        return isHeldUp;
      },
    });
    const { service: second } = serviceOf(opened);
    const reading = first.run(true);
    await begun.promise;
    const joining = second.run(true);
    isHeldUp = false;
    const [run, joined] = await Promise.all([reading, joining]);
    assert.deepEqual([run.state, run.files], ['done', 5]);
    assert.deepEqual(joined, run);
    assert.equal((await first.runs()).length, 1);
  });

  test('a run that a crash ended is closed by the next one; who waits can be stopped', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    await opened.store(madeInstance());
    await opened.catalog.ask('beginRun', new Date().toISOString());
    const { service: first } = serviceOf(opened);
    const { service: second } = serviceOf(opened);
    await opened.storage.aloneChecking(async () => {
      const waiting = second.run();
      await second.stop();
      assert.deepEqual([(await waiting).state, (await waiting).files], ['stopped', 0]);
    });
    assert.equal((await first.run()).state, 'done');
    assert.deepEqual(
      (await first.runs()).map(({ state }) => state),
      ['done', 'stopped'],
    );
  });

  test('nothing is read while machines send', async () => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    await opened.store(madeInstance());
    const { service } = serviceOf(opened, { isBusy: () => true });
    const running = service.run();
    await service.stop();
    const { state, bytes } = await running;
    assert.deepEqual([state, bytes], ['stopped', 0]);
  });

  test('of 1,000 instances 20 damaged in different ways: all found in one run, all restored bit for bit', async (t) => {
    await using folder = await folderOnDisk();
    await using opened = await openArchive(folder.path);
    const [studyUid, seriesUid] = [freshUid(), freshUid()];
    const instances = Array.from({ length: 1000 }, () => madeInstance({ studyUid, seriesUid }));
    for (let start = 0; start < instances.length; start += 50) {
      await Promise.all(instances.slice(start, start + 50).map((instance) => opened.acknowledge(instance)));
    }
    await opened.archive.counts();
    const originals = new Map<string, Buffer>();
    const ways = Object.values(DAMAGES);
    const damaged = instances.filter((_, index) => index % 50 === 7);
    for (const [index, instance] of damaged.entries()) {
      const location = await locate(opened, instance);
      const file = join(folder.path, 'archive', location.location.path);
      originals.set(file, await readFile(file));
      await ways[index % ways.length]!(file, location);
    }
    const { service } = serviceOf(opened, { fetchBack: secondArchive(instances) });
    const run = await service.run();
    assert.deepEqual([run.files, run.findings, run.repaired], [1000, 20, 20]);
    const named = (await service.findings.list()).map(({ sopInstanceUid }) => sopInstanceUid).sort();
    assert.deepEqual(named, damaged.map(({ sopInstanceUid }) => sopInstanceUid).sort());
    for (const [file, original] of originals) assert.deepEqual(await readFile(file), original);
    t.diagnostic(`${run.bytes} bytes read`);
  });
});
