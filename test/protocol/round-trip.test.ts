// Every usable sample goes in and comes out with the same data set bytes, by C-MOVE and by C-GET (PS3.4 §B, §C).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertFilesProveThemselves, filesIn } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { textOf } from '../support/byte-elements.ts';
import {
  find,
  type GotInstance,
  get,
  getProposal,
  identifier,
  move,
  queryContexts,
  sha256,
  storageContexts,
  store,
  TAG,
} from '../support/byte-services.ts';
import { ByteStorageScp } from '../support/byte-storage-scp.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { identify, type SampleInstance } from '../support/sample-data-sets.ts';
import { samples } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

// The written rule: usable is a file whose data set has a legal SOP Class and SOP Instance UID (identify). These are
// the others, all of them.
const UNUSABLE: Readonly<Record<string, string>> = {
  'charsets/chrSQEncoding.dcm': 'no sopClassUid',
  'charsets/chrSQEncoding1.dcm': 'no sopClassUid',
  'objects/dicomdir-tiny-alpha/DICOMDIR': 'no sopClassUid',
  'objects/worklist/wklist1.wl': 'no sopClassUid',
  'objects/worklist/wklist2.wl': 'no sopClassUid',
  'objects/worklist/wklist3.wl': 'no sopClassUid',
  'objects/worklist/wklist4.wl': 'no sopClassUid',
  'syntaxes/JLSL_RGB_ILV0.dcm': 'no sopInstanceUid',
  'syntaxes/JLSL_RGB_ILV1.dcm': 'no sopInstanceUid',
  'syntaxes/JLSL_RGB_ILV2.dcm': 'no sopInstanceUid',
  'syntaxes/JLSN_RGB_ILV0.dcm': 'no sopInstanceUid',
  'syntaxes/jpeg2000-multiframe-multifragments.dcm': 'sopInstanceUid of 67 characters',
};
const USABLE = 415;

const usable: SampleInstance[] = [];
const unusable: Record<string, string> = {};
for (const { path, file } of samples().filter(({ path }) => !path.startsWith('malformed/'))) {
  const sample = identify(file);
  if ('unusable' in sample) unusable[path] = sample.unusable;
  else usable.push(sample);
}

test('which samples an archive can be asked to keep follows one rule', () => {
  assert.deepEqual(unusable, UNUSABLE);
  assert.equal(usable.length, USABLE);
});

describe('round trip of every usable sample', () => {
  let folder: TempFolder;
  let daemon: Daemon;
  let destination: ByteStorageScp;
  let storing: ByteAssociation;
  let querying: ByteAssociation;
  let getting: ByteAssociation;

  before(async () => {
    folder = await tempFolder('round-trip');
    destination = await ByteStorageScp.listen();
    daemon = await startDaemon({ dataDir: folder.path, peers: [destination.peer] });
    const { port } = daemon;
    storing = await ByteAssociation.request({ port, contexts: storageContexts(usable) });
    querying = await ByteAssociation.request({
      port,
      contexts: [...queryContexts('find'), ...queryContexts('move')],
    });
    getting = await ByteAssociation.request({ port, ...getProposal(usable) });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await destination.close();
    await folder[Symbol.asyncDispose]();
  });

  test('every class and syntax of the samples is accepted as proposed', () => {
    assert.equal(storing.contexts.size, storageContexts(usable).length);
    assert.equal(getting.contexts.size, storageContexts(usable).length + 1);
  });

  test('the data set bytes of every sample are the same after C-STORE and C-MOVE or C-GET', async (t) => {
    for (const sample of usable) await roundTrip(sample);
    t.diagnostic(`${usable.length} samples`);
  });

  async function roundTrip(sample: SampleInstance): Promise<void> {
    const { path, sopInstanceUid, transferSyntaxUid } = sample;
    const expected = sha256(sample.dataSet);
    const stored = await store(storing, sample);
    assert.equal(stored.Status, 0, `${path}: ${JSON.stringify(stored)}`);

    const keys = identifier('IMAGE', [
      { tag: TAG.StudyInstanceUID, vr: 'UI', value: sample.studyUid },
      { tag: TAG.SeriesInstanceUID, vr: 'UI', value: sample.seriesUid },
      { tag: TAG.SOPInstanceUID, vr: 'UI', value: sopInstanceUid },
    ]);
    const found = await find(querying, 'study', keys);
    assert.equal(found.status, 0, path);
    assert.deepEqual(
      found.matches.map((match) => textOf(match, TAG.SOPInstanceUID)),
      [sopInstanceUid],
      path,
    );

    const moved = await move(querying, 'study', destination.aeTitle, keys);
    assert.deepEqual([moved.status, moved.completed, moved.failed, moved.warning], [0, 1, 0, 0], path);
    check(destination.takeReceived());

    const got: GotInstance[] = [];
    const result = await get(getting, 'study', keys, (instance) => {
      got.push(instance);
      return 0;
    });
    assert.deepEqual([result.status, result.completed, result.failed, result.warning], [0, 1, 0, 0], path);
    check(got);

    function check(instances: readonly GotInstance[]): void {
      assert.equal(instances.length, 1, path);
      assert.equal(instances[0]?.sopInstanceUid, sopInstanceUid, path);
      assert.equal(instances[0]?.sopClassUid, sample.sopClassUid, path);
      assert.equal(instances[0]?.transferSyntaxUid, transferSyntaxUid, path);
      assert.equal(sha256(instances[0].dataSet), expected, path);
    }
  }

  test('what lies in studies/ proves itself, and incoming/ is empty', () => {
    const uids = assertFilesProveThemselves(folder.path);
    assert.deepEqual(new Set(uids), new Set(usable.map((sample) => sample.sopInstanceUid)));
    assert.equal(uids.length, new Set(uids).size);
    assert.deepEqual(filesIn(folder.path, 'incoming'), []);
  });

  test('the requests to the destination say who asked (PS3.7 §9.1.1.1)', async () => {
    const sample = usable[0]!;
    const keys = identifier('STUDY', [{ tag: TAG.StudyInstanceUID, vr: 'UI', value: sample.studyUid }]);
    const moved = await move(querying, 'study', destination.aeTitle, keys);
    assert.equal(moved.status, 0);
    const received = destination.takeReceived();
    assert.ok(received.length > 0);
    for (const instance of received) {
      assert.equal(instance.moveOriginatorAeTitle, 'BYTEPEER');
      assert.equal(instance.moveOriginatorMessageId, moved.final.MessageIDBeingRespondedTo);
    }
  });
});
