// The same SOP Instance UID again: with the same bytes nothing happens, with others the newest counts and the
// older one is put aside, whole (design: never lose, never alter).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileHashes, filesIn, foundUids, hashesByGet, storeOnce } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { textOf } from '../support/byte-elements.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import {
  find,
  identifier,
  queryContexts,
  sha256,
  storageContexts,
  store,
  TAG,
} from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

describe('an instance that comes again', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('duplicates');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const filesOf = (where: 'studies' | 'superseded', instance: MadeInstance): string[] =>
    filesIn(folder.path, where).filter((file) => file.includes(instance.sopInstanceUid));
  const currentHash = async (instance: MadeInstance): Promise<string | undefined> =>
    (await hashesByGet(daemon, [instance])).get(instance.sopInstanceUid);

  test('same UID, same bytes: Success, and still one file', async () => {
    const instance = madeInstance();
    for (let time = 0; time < 3; time += 1) assert.equal(await storeOnce(daemon, instance), 0);
    assert.equal(filesOf('studies', instance).length, 1);
    assert.equal(filesOf('superseded', instance).length, 0);
    assert.equal(await currentHash(instance), sha256(instance.dataSet));
  });

  test('same UID, other content: the newest is current, the older ones are in superseded/, each proves itself', async () => {
    const first = madeInstance({ patientName: 'First^Version' });
    const { sopInstanceUid, studyUid, seriesUid } = first;
    const second = madeInstance({ sopInstanceUid, studyUid, seriesUid, patientName: 'Second^Version' });
    const third = madeInstance({ sopInstanceUid, studyUid, seriesUid, patientName: 'Third^Version' });
    for (const version of [first, second, third]) {
      assert.equal(await storeOnce(daemon, version), 0);
      assert.equal(await currentHash(first), sha256(version.dataSet));
    }
    assert.deepEqual(await foundUids(daemon, [sopInstanceUid]), new Set([sopInstanceUid]));
    assert.equal(filesOf('studies', first).length, 1);
    const older = filesOf('superseded', first).map((file) =>
      fileHashes(join(folder.path, 'archive', 'superseded', file)),
    );
    for (const { claimed, actual } of older) assert.equal(claimed, actual);
    assert.deepEqual(
      new Set(older.map(({ actual }) => actual)),
      new Set([sha256(first.dataSet), sha256(second.dataSet)]),
    );
  });

  test('same UID in another study: it is found there, and no longer where it was', async () => {
    const first = madeInstance();
    const moved = madeInstance({ sopInstanceUid: first.sopInstanceUid });
    for (const version of [first, moved]) assert.equal(await storeOnce(daemon, version), 0);
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('find', ['study']),
    });
    for (const [version, count] of [
      [first, 0],
      [moved, 1],
    ] as const) {
      const keys = identifier('IMAGE', [
        { tag: TAG.StudyInstanceUID, vr: 'UI', value: version.studyUid },
        { tag: TAG.SeriesInstanceUID, vr: 'UI', value: version.seriesUid },
        { tag: TAG.SOPInstanceUID, vr: 'UI' },
      ]);
      assert.equal((await find(association, 'study', keys)).matches.length, count);
    }
    await association.release();
    assert.equal(filesOf('studies', first).length + filesOf('superseded', first).length, 2);
  });

  test('four associations with the same UID at once: all get Success, one is current, none is lost', async () => {
    const base = madeInstance();
    const { sopInstanceUid, studyUid, seriesUid } = base;
    const versions = ['A', 'B', 'C', 'D'].map((name) =>
      madeInstance({ sopInstanceUid, studyUid, seriesUid, patientName: `Version^${name}` }),
    );
    const statuses = await Promise.all(versions.map((version) => storeOnce(daemon, version)));
    assert.deepEqual(statuses, [0, 0, 0, 0]);
    const kept = [
      ...filesOf('studies', base).map((file) => join('studies', file)),
      ...filesOf('superseded', base).map((file) => join('superseded', file)),
    ].map((file) => fileHashes(join(folder.path, 'archive', file)).actual);
    assert.deepEqual(new Set(kept), new Set(versions.map((version) => sha256(version.dataSet))));
    assert.equal(filesOf('studies', base).length, 1);
    assert.ok(versions.some((version) => sha256(version.dataSet) === kept[0]));
    assert.equal(await currentHash(base), kept[0]);
  });

  test('the counters of a study follow its instances', async () => {
    const studyUid = freshUid();
    const series = [freshUid(), freshUid()];
    const instances = [0, 0, 1].map((index) => madeInstance({ studyUid, seriesUid: series[index]! }));
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: [...storageContexts(instances), ...queryContexts('find', ['study'])],
    });
    for (const instance of [...instances, instances[0]!])
      assert.equal((await store(association, instance)).Status, 0);
    const keys = identifier('STUDY', [
      { tag: TAG.StudyInstanceUID, vr: 'UI', value: studyUid },
      { tag: TAG.NumberOfStudyRelatedSeries, vr: 'IS' },
      { tag: TAG.NumberOfStudyRelatedInstances, vr: 'IS' },
      { tag: TAG.ModalitiesInStudy, vr: 'CS' },
    ]);
    const [match] = (await find(association, 'study', keys)).matches;
    assert.ok(match);
    assert.equal(textOf(match, TAG.NumberOfStudyRelatedSeries), '2');
    assert.equal(textOf(match, TAG.NumberOfStudyRelatedInstances), '3');
    assert.equal(textOf(match, TAG.ModalitiesInStudy), 'CT');
    await association.release();
  });
});
