// Orthanc as sender, as destination, and as C-ECHO, C-FIND and C-MOVE requestor.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertFilesProveThemselves, foundUids, storeOnce } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { identifier, move, queryContexts, TAG } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type Orthanc, peerOption, runDcmtk, startOrthanc } from '../support/foreign-peers.ts';
import { instanceIn, type SampleInstance } from '../support/sample-data-sets.ts';
import { samplePath } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const sampleOf = (name: string): SampleInstance => instanceIn(samplePath(name));

/** Sent by Orthanc to us. */
const FROM_ORTHANC = [
  'objects/CT_small.dcm',
  'angio/ge-innova-phantom-cine-IM7.dcm',
  'angio/nema-XA1_J2KR.dcm',
  'angio/rdsr/RF-RDSR-GE.dcm',
  'charsets/chrX2.dcm',
].map(sampleOf);
/** Sent by us to Orthanc. */
const TO_ORTHANC = [
  'objects/MR_small.dcm',
  'angio/catheter-12f-jpeg-lossless.dcm',
  'angio/coronary-96f-mask-none.dcm',
  'angio/nema-XA1_RLE.dcm',
  'syntaxes/jpeg-ls-Palette.dcm',
].map(sampleOf);

interface Answer {
  readonly [keyword: string]: string;
}

describe('Orthanc', () => {
  let folder: TempFolder;
  let orthanc: Orthanc;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('orthanc-peer');
    orthanc = await startOrthanc({ folder: join(folder.path, 'orthanc') });
    daemon = await startDaemon({ dataDir: join(folder.path, 'data'), peers: [peerOption(orthanc)] });
    await orthanc.rest('PUT', '/modalities/archive', {
      AET: daemon.aeTitle,
      Host: daemon.host,
      Port: daemon.port,
    });
    for (const sample of TO_ORTHANC) assert.equal(await storeOnce(daemon, sample), 0);
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await orthanc.stop();
    await folder[Symbol.asyncDispose]();
  });

  /** Orthanc's identifiers of a SOP Instance. */
  async function inOrthanc(sopInstanceUid: string): Promise<{ ID: string }[]> {
    const found = (await orthanc.rest('POST', '/tools/lookup', Buffer.from(sopInstanceUid))) as {
      ID: string;
      Type: string;
    }[];
    return found.filter(({ Type }) => Type === 'Instance');
  }

  /** The file that Orthanc keeps. */
  async function fileInOrthanc(sopInstanceUid: string): Promise<string> {
    const [instance] = await inOrthanc(sopInstanceUid);
    assert.ok(instance, `${sopInstanceUid} is not in Orthanc`);
    const response = await fetch(`${orthanc.httpUrl}/instances/${instance.ID}/file`);
    const path = join(folder.path, instance.ID);
    await writeFile(path, Buffer.from(await response.arrayBuffer()));
    return path;
  }

  /** Every element with its whole value as DCMTK shows it. Orthanc writes sequences with lengths of its own, so its
   *  bytes are not those it got. */
  async function elementsOf(path: string): Promise<string> {
    const { stdout } = await runDcmtk('dcmdump', ['-q', '+L', path]);
    const [, dataSet = ''] = stdout.split('# Dicom-Data-Set');
    const lines = dataSet.split('\n').filter((line) => !/\(fffe,e0..\) na/.test(line));
    return lines
      .map((line) => line.replace(/(\((Sequence|Item) with|#).*$/, '').trimEnd())
      .filter((line) => line !== '')
      .join('\n');
  }

  test('echoes', async () => {
    await orthanc.rest('POST', '/modalities/archive/echo', {});
  });

  test('sends: everything it has is found here', async () => {
    const ids: string[] = [];
    for (const sample of FROM_ORTHANC) {
      const added = (await orthanc.rest('POST', '/instances', await readFile(sample.path))) as { ID: string };
      ids.push(added.ID);
    }
    const result = (await orthanc.rest('POST', '/modalities/archive/store', {
      Resources: ids,
      Synchronous: true,
    })) as Record<string, unknown>;
    assert.equal(result.InstancesCount, FROM_ORTHANC.length);
    assert.equal(result.FailedInstancesCount, 0);
    const uids = FROM_ORTHANC.map(({ sopInstanceUid }) => sopInstanceUid);
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
    assertFilesProveThemselves(daemon.dataDir);
  });

  test('is a destination: what arrives there has the elements that were sent to us', async () => {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('move', ['study']),
    });
    for (const sample of TO_ORTHANC) {
      const keys = identifier('STUDY', [{ tag: TAG.StudyInstanceUID, vr: 'UI', value: sample.studyUid }]);
      const moved = await move(association, 'study', orthanc.aeTitle, keys);
      assert.deepEqual([moved.status, moved.failed], [0, 0], sample.path);
      const arrived = await elementsOf(await fileInOrthanc(sample.sopInstanceUid));
      assert.ok(arrived === (await elementsOf(sample.path)), `${sample.path} arrived altered`);
    }
    await association.release();
  });

  async function query(
    level: string,
    keys: Record<string, string>,
  ): Promise<{ path: string; answers: Answer[] }> {
    const { Path } = (await orthanc.rest('POST', '/modalities/archive/query', {
      Level: level,
      Query: keys,
    })) as { Path: string };
    const indices = (await orthanc.rest('GET', `${Path}/answers`)) as string[];
    const answers: Answer[] = [];
    for (const index of indices) {
      answers.push((await orthanc.rest('GET', `${Path}/answers/${index}/content?simplify`)) as Answer);
    }
    return { path: Path, answers };
  }

  test('queries at every level', async () => {
    const sample = TO_ORTHANC[0]!;
    const { studyUid, seriesUid, sopInstanceUid, patientId } = sample;
    const patients = await query('Patient', { PatientID: patientId });
    assert.ok(
      patients.answers.every((answer) => answer.PatientID === patientId) && patients.answers.length === 1,
    );
    const studies = await query('Study', { StudyInstanceUID: studyUid, PatientName: '*' });
    assert.deepEqual(
      studies.answers.map((answer) => answer.StudyInstanceUID),
      [studyUid],
    );
    const series = await query('Series', {
      StudyInstanceUID: studyUid,
      SeriesInstanceUID: '',
      Modality: 'MR',
    });
    assert.deepEqual(
      series.answers.map((answer) => answer.SeriesInstanceUID),
      [seriesUid],
    );
    const instances = await query('Instance', {
      StudyInstanceUID: studyUid,
      SeriesInstanceUID: seriesUid,
      SOPInstanceUID: '',
    });
    assert.deepEqual(
      instances.answers.map((answer) => answer.SOPInstanceUID),
      [sopInstanceUid],
    );
    assert.deepEqual((await query('Study', { PatientID: 'nobody has this' })).answers, []);
  });

  test('retrieves by C-MOVE to itself what it found', async () => {
    const sample = sampleOf('angio/ge-drs-rf-1024.dcm');
    assert.equal(await storeOnce(daemon, sample), 0);
    assert.deepEqual(await inOrthanc(sample.sopInstanceUid), []);
    const { path, answers } = await query('Study', { StudyInstanceUID: sample.studyUid });
    assert.equal(answers.length, 1);
    await orthanc.rest('POST', `${path}/retrieve`, { TargetAet: orthanc.aeTitle, Synchronous: true });
    const arrived = await elementsOf(await fileInOrthanc(sample.sopInstanceUid));
    assert.ok(arrived === (await elementsOf(sample.path)), 'it arrived altered');
  });
});
