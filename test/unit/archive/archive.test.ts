// Store, find, give back: what the archive promises about one instance, on a real volume and a real catalogue.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { byteSourceOf, collect } from '../../../src/util/byte-source.ts';
import { rangeSource } from '../../../src/util/file-range.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { type OpenedArchive, openArchive, rebuiltFrom, selected } from '../../support/open-archive.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function filesIn(folder: string, part: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'archive', part), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesOf({ archive }: OpenedArchive, instance: MadeInstance): Promise<Buffer> {
  const found = (await selected(archive, instance.studyUid)).find(
    ({ sopInstanceUid }) => sopInstanceUid === instance.sopInstanceUid,
  );
  const range = await archive.openInstance(found!);
  try {
    return await collect(rangeSource(range), 1 << 24);
  } finally {
    await range.close();
  }
}

async function findings({ storage, catalog }: OpenedArchive): Promise<string[]> {
  const found = await Array.fromAsync(verifyArchive(storage, catalog));
  return found.map(({ kind, path }) => `${kind} ${path}`);
}

describe('store', () => {
  test('an acknowledged instance is found by the next query and comes back as it was', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const instance = madeInstance();
    const { outcome, record } = await opened.store(instance);
    assert.equal(outcome, 'stored');
    assert.equal(record.location.sha256, createHash('sha256').update(instance.dataSet).digest('hex'));
    assert.deepEqual(await bytesOf(opened, instance), instance.dataSet);
    assert.deepEqual(await filesIn(folder.path, 'incoming'), []);
  });

  test('the study list sees what was just acknowledged and refuses what it does not understand', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const { archive } = opened;
    await opened.store(madeInstance());
    assert.equal((await archive.studyPage({ identifier: {}, limit: 10 })).studies.length, 1);
    await assert.rejects(archive.studyPage({ identifier: {}, limit: 10, after: 'page 2' }), {
      code: 'invalid-request',
    });
  });

  test('the same bytes again: nothing written, one instance, the first time of receipt', async () => {
    await using folder = await tempFolder('archive');
    let minute = 0;
    await using opened = await openArchive(folder.path, () => new Date(Date.UTC(2026, 1, 1, 0, minute++)));
    const instance = madeInstance();
    const first = await opened.store(instance);
    const again = await opened.store(instance);
    assert.equal(again.outcome, 'duplicate');
    assert.equal(again.record.location.receivedAt, first.record.location.receivedAt);
    assert.equal((await filesIn(folder.path, 'studies')).length, 1);
    assert.equal((await selected(opened.archive, instance.studyUid)).length, 1);
  });

  test('the same UID with other content: the newest is current, the older one kept in superseded/', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const older = madeInstance();
    const newer = madeInstance({ ...older, patientName: 'Other^Name' });
    await opened.store(older);
    assert.equal((await opened.store(newer)).outcome, 'replaced');
    assert.deepEqual(await bytesOf(opened, newer), newer.dataSet);
    const [superseded] = await opened.catalog.superseded(older.sopInstanceUid);
    assert.match(superseded?.path ?? '', /^superseded\//);
    assert.equal((await filesIn(folder.path, 'superseded')).length, 1);
    assert.deepEqual(await findings(opened), []);
  });

  test('the same UID in another study: the older file leaves studies/ too', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const older = madeInstance();
    const newer = madeInstance({ sopInstanceUid: older.sopInstanceUid });
    await opened.store(older);
    await opened.store(newer);
    assert.deepEqual(await bytesOf(opened, newer), newer.dataSet);
    assert.deepEqual(await selected(opened.archive, older.studyUid), []);
    assert.equal((await filesIn(folder.path, 'studies')).length, 1);
    assert.equal((await filesIn(folder.path, 'superseded')).length, 1);
    const [superseded] = await opened.catalog.superseded(older.sopInstanceUid);
    assert.match(superseded?.path ?? '', /^superseded\//);
    assert.deepEqual(await findings(opened), []);
  });

  test('eight at once with one UID and eight contents: one current, seven kept', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const first = madeInstance();
    const all = Array.from({ length: 8 }, (_, i) => madeInstance({ ...first, patientName: `Name^${i}` }));
    await Promise.all(all.map((instance) => opened.store(instance)));
    assert.equal((await selected(opened.archive, first.studyUid)).length, 1);
    assert.equal((await filesIn(folder.path, 'superseded')).length, 7);
    assert.equal((await opened.catalog.superseded(first.sopInstanceUid)).length, 7);
    assert.deepEqual(await findings(opened), []);
  });

  test('an instance without study and series is kept as a study of its own', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const instance = madeInstance({ without: [0x0020000d, 0x0020000e] });
    await opened.store(instance);
    assert.deepEqual(
      await bytesOf(opened, { ...instance, studyUid: instance.sopInstanceUid }),
      instance.dataSet,
    );
  });

  const refused: [string, Partial<MadeInstance>, string][] = [
    ['another SOP Instance UID than the request', { sopInstanceUid: '1.2.3.9' }, 'sop-mismatch'],
    ['another SOP Class UID than the request', { sopClassUid: '1.2.3.9' }, 'sop-mismatch'],
    ['a UID with ../ in the request', { sopInstanceUid: '../../1.2' }, 'invalid-uid'],
    ['no readable data set', { dataSet: Buffer.from('this is no data set, whatever it says') }, 'unreadable'],
    ['an empty data set', { dataSet: Buffer.alloc(0) }, 'unreadable'],
  ];
  for (const [what, changed, code] of refused) {
    test(`${what}: ${code}, and nothing is left behind`, async () => {
      await using folder = await tempFolder('archive');
      await using opened = await openArchive(folder.path);
      await assert.rejects(opened.store({ ...madeInstance(), ...changed }), { code });
      assert.deepEqual(await filesIn(folder.path, 'incoming'), []);
      assert.deepEqual(await filesIn(folder.path, 'studies'), []);
    });
  }

  test('a source that breaks leaves nothing behind', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const instance = madeInstance();
    const source = byteSourceOf(instance.dataSet);
    let reads = 0;
    const breaking = {
      read: async () => (reads++ === 0 ? source.read() : Promise.reject(new Error('aborted'))),
    };
    const input = { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
    await assert.rejects(opened.archive.store(input, breaking), /aborted/);
    assert.deepEqual(await filesIn(folder.path, 'incoming'), []);
  });
});

describe('durable record', () => {
  test('a lost catalogue gets back from it what was stored last', async () => {
    await using folder = await tempFolder('archive');
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
    }
    const before = await openArchive(folder.path, undefined, 'other.sqlite');
    await before[Symbol.asyncDispose]();
    await using opened = await openArchive(folder.path);
    assert.deepEqual(await bytesOf(opened, instance), instance.dataSet);
  });
});

describe('verify and rebuild', () => {
  test('each kind of damage is found and named, and nothing else', async () => {
    await using folder = await tempFolder('archive');
    await using opened = await openArchive(folder.path);
    const instances = Array.from({ length: 6 }, () => madeInstance());
    const paths: string[] = [];
    for (const instance of instances) paths.push((await opened.store(instance)).record.location.path);
    await selected(opened.archive, instances[0]!.studyUid);
    const at = (i: number) => join(folder.path, 'archive', paths[i]!);
    const flipped = await readFile(at(0));
    flipped[flipped.length - 3]! ^= 1;
    await writeFile(at(0), flipped);
    await rm(at(1));
    await truncate(at(2), 600);
    await writeFile(join(at(3), '../stranger.dcm'), 'not ours');
    await rename(at(4), `${at(4)}.swap`);
    await rename(at(5), at(4));
    await rename(`${at(4)}.swap`, at(5));
    assert.deepEqual(
      new Set(await findings(opened)),
      new Set([
        `altered ${paths[0]}`,
        `missing ${paths[1]}`,
        `altered ${paths[2]}`,
        `unknown ${paths[3]!.replace(/[^/]+$/, 'stranger.dcm')}`,
        `altered ${paths[4]}`,
        `altered ${paths[5]}`,
      ]),
    );
  });

  test('a catalogue rebuilt from the volume alone answers as the lost one did', async () => {
    await using folder = await tempFolder('archive');
    const instances = Array.from({ length: 5 }, () => madeInstance());
    let counts: unknown;
    {
      await using opened = await openArchive(folder.path);
      for (const instance of instances) await opened.store(instance);
      counts = await opened.archive.counts();
    }
    await using opened = await openArchive(folder.path, undefined, 'rebuilt.sqlite');
    const rebuilt = await rebuiltFrom(opened, folder.path);
    assert.deepEqual(rebuilt, { files: 5, added: 5, changed: 0, gone: 0, unreadable: 0 });
    assert.deepEqual(await opened.archive.counts(), counts);
    for (const instance of instances) assert.deepEqual(await bytesOf(opened, instance), instance.dataSet);
    assert.deepEqual(await findings(opened), []);
  });
});
