// Deleting moves to the trash and bringing back undoes it, whatever comes in between (issue of trust: nothing is lost).
import assert from 'node:assert/strict';
import { access, cp, mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rebuildTrash } from '../../../src/archive/trash-rebuild.ts';
import { verifyArchive } from '../../../src/archive/verify.ts';
import type { TrashEntry } from '../../../src/catalog/trash.ts';
import { filesIn } from '../../support/archive-state.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { type OpenedArchive, openArchive, rebuiltFrom, selected } from '../../support/open-archive.ts';
import { type MountedFilesystem, smallFilesystem } from '../../support/small-filesystem.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

// In memory: what is flushed here is proven with the storage area.
let disk: MountedFilesystem;
before(async () => {
  disk = await smallFilesystem(400);
});
after(() => disk[Symbol.asyncDispose]());

function dataFolder(): Promise<TempFolder> {
  return tempFolder('deletion', disk.path);
}

/** An archive on a folder of its own. */
async function openOwn(now?: () => Date): Promise<OpenedArchive & { readonly folder: string }> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await dataFolder());
  const opened = stack.use(await openArchive(path, now));
  return { ...opened, folder: path, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const NOTHING = { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 };

async function assertSound({ storage, catalog, faults }: OpenedArchive): Promise<void> {
  assert.deepEqual(await Array.fromAsync(verifyArchive(storage, catalog)), []);
  assert.deepEqual(faults, []);
}

async function trashOf({ archive }: OpenedArchive) {
  return Array.fromAsync(archive.trash());
}

function hashesOf(instances: Awaited<ReturnType<typeof selected>>): string[] {
  return instances.map(({ location }) => location.sha256).sort();
}

function byUid(instances: Awaited<ReturnType<typeof selected>>) {
  return instances.sort((a, b) => (a.sopInstanceUid < b.sopInstanceUid ? -1 : 1));
}

/** Two series of two instances, one of them received twice with different contents. */
async function storedStudy(opened: OpenedArchive): Promise<{ studyUid: string; instances: MadeInstance[] }> {
  const studyUid = freshUid();
  const instances = [freshUid(), freshUid()].flatMap((seriesUid) =>
    [1, 2].map(() => madeInstance({ studyUid, seriesUid })),
  );
  for (const instance of instances) await opened.store(instance);
  const { sopInstanceUid, seriesUid } = instances[0]!;
  await opened.store(madeInstance({ studyUid, seriesUid, sopInstanceUid, patientName: 'Other^Content' }));
  return { studyUid, instances };
}

describe('deletion', () => {
  test('the volume goes away in the middle: nothing is taken for missing, and the deletion is finished later', async (t) => {
    await using opened = await openOwn();
    const { archive, catalog, folder } = opened;
    const { studyUid, instances } = await storedStudy(opened);
    const there = await selected(archive, studyUid);
    const [root, elsewhere] = [join(folder, 'archive'), join(folder, 'unmounted')];
    const { ask } = catalog;
    t.mock.method(catalog, 'ask', async (...args: Parameters<typeof ask>) => {
      const answer = await ask.apply(catalog, args);
      if (args[0] === 'trashTake') await rename(root, elsewhere);
      return answer;
    });
    await assert.rejects(archive.delete({ study: studyUid }, 'chief', 'wrong patient'), { code: 'unusable' });
    t.mock.restoreAll();
    await rename(elsewhere, root);
    await archive.finishDeletions();
    const [entry] = await trashOf(opened);
    assert.deepEqual([entry?.state, entry?.files], ['trashed', instances.length + 1]);
    assert.equal((await archive.restore(entry!.id)).restored, instances.length + 1);
    assert.deepEqual(hashesOf(await selected(archive, studyUid)), hashesOf(there));
    await assertSound(opened);
  });

  test('a study goes to the trash with its older contents, and comes back as it was', async () => {
    await using opened = await openOwn();
    const { archive, catalog } = opened;
    const { studyUid, instances } = await storedStudy(opened);
    const before = await archive.counts();
    const there = await selected(archive, studyUid);
    const older = await catalog.superseded(instances[0]!.sopInstanceUid);

    const entry = await archive.delete({ study: studyUid }, 'chief', 'wrong patient');
    assert.deepEqual(await archive.counts(), NOTHING);
    assert.deepEqual(filesIn(opened.folder, 'studies'), []);
    assert.deepEqual(filesIn(opened.folder, 'superseded'), []);
    assert.deepEqual(await trashOf(opened), [entry]);
    const { files, state, deletedBy, reason, level } = entry;
    assert.deepEqual(
      { files, state, deletedBy, reason, level },
      { files: 5, state: 'trashed', deletedBy: 'chief', reason: 'wrong patient', level: 'STUDY' },
    );
    assert.deepEqual(entry.attributes['00100020']?.Value, ['BYTE-1']);

    assert.deepEqual(await archive.restore(entry.id), { restored: 5, alreadyThere: 0, failed: [] });
    assert.deepEqual(await archive.counts(), before);
    assert.deepEqual(byUid(await selected(archive, studyUid)), byUid(there));
    assert.deepEqual(await catalog.superseded(instances[0]!.sopInstanceUid), older);
    assert.deepEqual(await trashOf(opened), []);
    assert.deepEqual(filesIn(opened.folder, 'trash'), []);
    await assertSound(opened);
  });

  test('folders that it leaves empty go, others stay', async () => {
    await using opened = await openOwn();
    const { archive, folder, storage } = opened;
    const { studyUid, instances } = await storedStudy(opened);
    const other = madeInstance();
    await opened.store(other);
    const foldersIn = async (part: string) =>
      (await readdir(join(folder, 'archive', part), { recursive: true })).sort();
    await archive.delete({ series: instances[0]!.seriesUid, study: studyUid }, 'chief', '');
    const left = await foldersIn('studies/2024/03');
    assert.deepEqual(
      left.filter((path) => !path.endsWith('.dcm')),
      [
        studyUid,
        `${studyUid}/${instances[2]!.seriesUid}`,
        other.studyUid,
        `${other.studyUid}/${other.seriesUid}`,
      ].sort(),
    );
    await archive.delete({ study: studyUid }, 'chief', '');
    await archive.delete({ study: other.studyUid }, 'chief', '');
    assert.deepEqual([await foldersIn('studies'), await foldersIn('superseded')], [[], []]);
    await assertSound(opened);
    await assert.rejects(storage.removeEmptyDirectories('incoming/1/x.part'), { code: 'bad-path' });
  });

  test('large instances received while others of their study are deleted keep their folder', async () => {
    await using opened = await openOwn();
    const study = { studyUid: freshUid(), seriesUid: freshUid() };
    const elements = [{ tag: 0x7fe00010, vr: 'OW', value: Buffer.alloc((1 << 20) + 2) }];
    const kept: MadeInstance[] = [];
    for (let round = 0; round < 4; round += 1) {
      const going = madeInstance(study);
      await opened.store(going);
      const coming = madeInstance({ ...study, elements });
      await Promise.all([
        opened.acknowledge(coming),
        opened.archive.delete({ instance: going.sopInstanceUid }, 'chief', ''),
      ]);
      kept.push(coming);
      await opened.archive.counts();
      const found = await selected(opened.archive, study.studyUid);
      assert.deepEqual(found.length, 1);
      await assertSound(opened);
      await opened.archive.delete({ instance: coming.sopInstanceUid }, 'chief', '');
    }
    assert.equal((await trashOf(opened)).length, 2 * kept.length);
  });

  test('a series, an instance, a patient: nothing else goes', async () => {
    await using opened = await openOwn();
    const { archive } = opened;
    const { studyUid, instances } = await storedStudy(opened);
    await opened.store(madeInstance({ patientId: 'OTHER' }));
    await archive.delete({ instance: instances[0]!.sopInstanceUid }, 'chief', '');
    assert.equal((await archive.counts()).instances, 4);
    await archive.delete({ series: instances[2]!.seriesUid, study: studyUid }, 'chief', '');
    assert.deepEqual(
      (await selected(archive, studyUid)).map(({ sopInstanceUid }) => sopInstanceUid),
      [instances[1]!.sopInstanceUid],
    );
    await archive.delete({ patient: { id: 'BYTE-1', issuer: '' } }, 'chief', '');
    assert.equal((await archive.counts()).instances, 1);
    await assertSound(opened);
  });

  test('what is not there cannot be deleted, and a patient without ID only by the study', async () => {
    await using opened = await openOwn();
    await opened.store(madeInstance({ patientId: '' }));
    const { archive } = opened;
    await assert.rejects(archive.delete({ study: '1.2.3' }, 'chief', ''), { code: 'not-found' });
    await assert.rejects(archive.delete({ patient: { id: '', issuer: '' } }, 'chief', ''), {
      code: 'not-found',
    });
    await assert.rejects(archive.restore('none'), { code: 'not-found' });
    assert.deepEqual(await trashOf(opened), []);
  });

  test('a protected patient cannot be deleted, not by a study either', async () => {
    await using opened = await openOwn();
    const { archive } = opened;
    const { studyUid } = await storedStudy(opened);
    const patient = { id: 'BYTE-1', issuer: '' };
    await archive.protect(patient, 'chief', 'teaching file');
    await assert.rejects(archive.delete({ study: studyUid }, 'assistant', ''), {
      code: 'protected',
      message: /chief.*teaching file/,
    });
    assert.equal((await archive.counts()).instances, 4);
    assert.deepEqual(await trashOf(opened), []);
    assert.deepEqual(filesIn(opened.folder, 'trash'), []);
    assert.equal((await archive.protections()).length, 1);
    await archive.unprotect(patient);
    assert.equal((await archive.delete({ patient }, 'chief', '')).files, 5);
  });

  test('sent again after it was deleted, an instance is new; bringing back leaves it alone', async () => {
    await using opened = await openOwn();
    const { archive } = opened;
    const instance = madeInstance();
    await opened.store(instance);
    const entry = await archive.delete({ study: instance.studyUid }, 'chief', '');
    assert.equal((await opened.store(instance)).outcome, 'stored');
    const there = await selected(archive, instance.studyUid);
    assert.deepEqual(await archive.restore(entry.id), { restored: 0, alreadyThere: 1, failed: [] });
    assert.deepEqual(await selected(archive, instance.studyUid), there);
    assert.equal((await trashOf(opened))[0]?.files, 1);
    await assertSound(opened);
  });

  test('other content came meanwhile: what comes back is the older content', async () => {
    await using opened = await openOwn();
    const { archive, catalog } = opened;
    const instance = madeInstance();
    await opened.store(instance);
    const [before] = await selected(archive, instance.studyUid);
    const entry = await archive.delete({ study: instance.studyUid }, 'chief', '');
    const { sopInstanceUid, studyUid, seriesUid } = instance;
    await opened.store(madeInstance({ sopInstanceUid, studyUid, seriesUid, patientName: 'New' }));
    const now = await selected(archive, studyUid);
    assert.equal((await archive.restore(entry.id)).restored, 1);
    assert.deepEqual(await selected(archive, studyUid), now);
    const [older] = await catalog.superseded(sopInstanceUid);
    assert.equal(older?.sha256, before?.location.sha256);
    await assertSound(opened);
  });

  test('an instance that keeps arriving while it is deleted is there in the end or in the trash', async () => {
    await using opened = await openOwn();
    const { archive } = opened;
    const instance = madeInstance();
    await opened.acknowledge(instance);
    for (let round = 0; round < 10; round += 1) {
      const sending = opened.acknowledge(instance);
      const deleting = archive
        .delete({ instance: instance.sopInstanceUid }, 'chief', '')
        .catch((error: unknown) => assert.equal((error as { code: string }).code, 'not-found'));
      const sendingAgain = opened.acknowledge(instance);
      await Promise.all([sending, deleting, sendingAgain]);
      // Acknowledged after the deletion began, or its only content would be in the trash.
      await opened.acknowledge(instance);
      assert.equal((await archive.counts()).instances, 1);
      assert.equal(filesIn(opened.folder, 'studies').length, 1);
    }
    await assertSound(opened);
  });

  test('emptying destroys what was deleted before that moment, and nothing else', async () => {
    let now = new Date('2026-03-01T00:00:00Z');
    await using opened = await openOwn(() => now);
    const { archive } = opened;
    const [early, late, kept] = [madeInstance(), madeInstance(), madeInstance()];
    for (const instance of [early, late, kept]) await opened.store(instance);
    await archive.delete({ study: early.studyUid }, 'chief', '');
    now = new Date('2026-03-20T00:00:00Z');
    const entry = await archive.delete({ study: late.studyUid }, 'chief', '');
    const emptied = await archive.emptyTrash(new Date('2026-03-10T00:00:00Z'));
    assert.deepEqual([emptied.deletions, emptied.files], [1, 1]);
    assert.deepEqual(await trashOf(opened), [entry]);
    assert.equal((await archive.restore(entry.id)).restored, 1);
    assert.equal((await archive.counts()).instances, 2);
    await assertSound(opened);
  });

  test('a file that is missing already does not hold up the others', async () => {
    await using opened = await openOwn();
    const { archive, faults } = opened;
    const { studyUid } = await storedStudy(opened);
    const [first] = await selected(archive, studyUid);
    await rm(join(opened.folder, 'archive', first!.location.path));
    assert.equal((await archive.delete({ study: studyUid }, 'chief', '')).files, 4);
    assert.deepEqual(await archive.counts(), NOTHING);
    assert.match(faults.join(), /had been missing/);
  });

  test('a damaged file stays in the trash, and its reason is told', async () => {
    await using opened = await openOwn();
    const { archive } = opened;
    const { studyUid } = await storedStudy(opened);
    const { id } = await archive.delete({ study: studyUid }, 'chief', '');
    const [file] = filesIn(opened.folder, 'trash').filter((name) => name.includes('/studies/'));
    await writeFile(join(opened.folder, 'archive/trash', file!), 'no longer DICOM');
    const { restored, failed } = await archive.restore(id);
    assert.deepEqual([restored, failed.length], [4, 1]);
    assert.match(failed[0]!.reason, /damaged/);
    assert.equal((await trashOf(opened))[0]?.files, 1);
  });
});

describe('a deletion that was interrupted is finished at the next start', () => {
  test('taken from the catalogue, files still in their places', async () => {
    await using folder = await dataFolder();
    let studyUid = '';
    let there: string[] = [];
    {
      await using opened = await openArchive(folder.path);
      ({ studyUid } = await storedStudy(opened));
      there = hashesOf(await selected(opened.archive, studyUid));
      const { id } = await opened.archive.delete({ study: studyUid }, 'chief', '');
      for (const file of filesIn(folder.path, 'trash')) {
        const [, ...path] = file.split('/');
        if (path[0] === 'deletion.json') continue;
        const back = join(folder.path, 'archive', path.join('/'));
        await mkdir(dirname(back), { recursive: true });
        await rename(join(folder.path, 'archive/trash', file), back);
      }
      await opened.catalog.ask('trashState', { trash: id, from: ['trashed'], to: 'deleting' });
    }
    await using again = await openArchive(folder.path);
    assert.deepEqual(filesIn(folder.path, 'studies'), []);
    assert.deepEqual(await again.archive.counts(), NOTHING);
    const [entry] = await trashOf(again);
    assert.equal(entry?.state, 'trashed');
    assert.equal((await again.archive.restore(entry.id)).restored, 5);
    assert.deepEqual(hashesOf(await selected(again.archive, studyUid)), there);
    await assertSound(again);
  });

  test('the deletion was noted, nothing was taken yet: it is carried out', async () => {
    await using folder = await dataFolder();
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
      const deletion = { level: 'STUDY', keys: { studyUids: [instance.studyUid] }, attributes: {} } as const;
      const who = { deletedAt: '2026-01-01T00:00:00.000Z', deletedBy: 'chief', reason: '' };
      await opened.catalog.ask('trashOpen', { id: 'one', ...deletion, ...who, state: 'deleting' });
    }
    await using again = await openArchive(folder.path);
    assert.deepEqual(await again.archive.counts(), NOTHING);
    assert.equal((await trashOf(again))[0]?.files, 1);
  });

  test('received again before that: the instance keeps its file', async () => {
    await using opened = await openOwn();
    const { archive, catalog } = opened;
    const instance = madeInstance();
    await opened.store(instance);
    const { id } = await archive.delete({ study: instance.studyUid }, 'chief', '');
    const [file] = filesIn(opened.folder, 'trash').filter((name) => name.endsWith('.dcm'));
    // The move to the trash had failed; the sender comes again and finds the file still in its place.
    const back = join(opened.folder, 'archive', file!.slice(id.length + 1));
    await mkdir(dirname(back), { recursive: true });
    await rename(join(opened.folder, 'archive/trash', file!), back);
    await catalog.ask('trashState', { trash: id, from: ['trashed'], to: 'deleting' });
    assert.equal((await opened.store(instance)).outcome, 'duplicate');
    await archive.finishDeletions();
    assert.equal((await archive.counts()).instances, 0, 'the deletion asked for this study');
    assert.equal((await trashOf(opened))[0]?.files, 1);
    await access(join(opened.folder, 'archive/trash', file!));
  });

  test('the catalogue was lost: rebuild leaves the trash alone and lists it again', async () => {
    await using folder = await dataFolder();
    let entry: TrashEntry;
    let studyUid = '';
    {
      await using opened = await openArchive(folder.path);
      await opened.store(madeInstance());
      ({ studyUid } = await storedStudy(opened));
      entry = await opened.archive.delete({ study: studyUid }, 'chief', 'wrong patient');
    }
    await using again = await openArchive(folder.path, () => new Date(), 'another.sqlite');
    const { storage, catalog, archive } = again;
    const parts = [storage, catalog, () => undefined, assert.fail] as const;
    await rebuiltFrom(again, folder.path);
    assert.equal((await archive.counts()).instances, 1);
    assert.equal(await rebuildTrash(...parts), 5);
    assert.equal(await rebuildTrash(...parts), 0);
    assert.deepEqual(await trashOf(again), [entry]);
    assert.equal((await archive.restore(entry.id)).restored, 5);
    assert.equal((await selected(archive, studyUid)).length, 4);
    await assertSound(again);
  });

  test('restored to its place, the catalogue not told yet', async () => {
    await using folder = await dataFolder();
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
      const { id } = await opened.archive.delete({ study: instance.studyUid }, 'chief', '');
      const [file] = filesIn(folder.path, 'trash').filter((name) => name.endsWith('.dcm'));
      await opened.storage.move(`trash/${file}`, file!.slice(id.length + 1));
      await opened.catalog.ask('trashState', { trash: id, from: ['trashed'], to: 'restoring' });
    }
    await using again = await openArchive(folder.path);
    assert.equal((await selected(again.archive, instance.studyUid)).length, 1);
    assert.deepEqual(await trashOf(again), []);
    await assertSound(again);
  });

  test('the power went before its file was on the disk: the trash gets a whole one from the journal', async () => {
    await using folder = await dataFolder();
    await using kept = await tempFolder('deletion-journal');
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
      await cp(join(folder.path, 'archive/journal'), kept.path, { recursive: true });
      const { id } = await opened.archive.delete({ study: instance.studyUid }, 'chief', '');
      const [file] = filesIn(folder.path, 'trash').filter((name) => name.endsWith('.dcm'));
      const path = file!.slice(id.length + 1);
      await opened.storage.move(`trash/${file}`, path);
      await truncate(join(folder.path, 'archive', path), 100);
      await opened.catalog.ask('trashState', { trash: id, from: ['trashed'], to: 'deleting' });
    }
    await cp(kept.path, join(folder.path, 'archive/journal'), { recursive: true });
    await using again = await openArchive(folder.path);
    assert.deepEqual(await again.archive.counts(), NOTHING);
    assert.deepEqual(filesIn(folder.path, 'studies'), []);
    assert.equal(filesIn(folder.path, 'quarantine').length, 1);
    const [entry] = await trashOf(again);
    assert.equal((await again.archive.restore(entry!.id)).restored, 1);
    assert.deepEqual(await Array.fromAsync(verifyArchive(again.storage, again.catalog)), []);
  });

  test('a journal that has not heard of the catalogue does not bring a deleted instance back', async () => {
    await using folder = await dataFolder();
    await using kept = await tempFolder('deletion-journal');
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
      await cp(join(folder.path, 'archive/journal'), kept.path, { recursive: true });
      await opened.archive.delete({ study: instance.studyUid }, 'chief', '');
    }
    for (const slot of ['studies', 'journal'] as const) assert.deepEqual(filesIn(folder.path, slot), []);
    await cp(kept.path, join(folder.path, 'archive/journal'), { recursive: true });
    await using again = await openArchive(folder.path);
    assert.equal(again.replayed, 1);
    assert.deepEqual(await again.archive.counts(), NOTHING);
    assert.deepEqual(filesIn(folder.path, 'studies'), []);
    assert.equal((await trashOf(again))[0]?.files, 1);
  });
});
