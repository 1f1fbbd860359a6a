// DCMTK's findscu against the daemon: three models, all levels, wild cards, Chinese in GB18030, C-CANCEL (PS3.4 §C).

import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeElements, encodeElements, textOf } from '../support/byte-elements.ts';
import { TAG } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { findscu, type InformationModel, runDcmtk } from '../support/foreign-peers.ts';
import { MUELLER_SERIES, STUDIES, storeFixture } from '../support/query-fixture.ts';
import { cutFile } from '../support/sample-data-sets.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

describe('DCMTK findscu', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('dcmtk-query');
    daemon = await startDaemon({ dataDir: join(folder.path, 'data') });
    await storeFixture(daemon);
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await folder[Symbol.asyncDispose]();
  });

  /** The values of one attribute in all matches, sorted. */
  async function found(
    model: InformationModel,
    keys: readonly string[],
    keyword: string,
    args: readonly string[] = [],
  ): Promise<string[]> {
    const run = await findscu(daemon, model, [...keys, keyword], { args });
    assert.equal(run.code, 0, run.stderr);
    // DCMTK shows the padding of a UID as it came.
    return run.matches.map((match) => (match.get(keyword) ?? '').replace(/\0$/, '')).sort();
  }

  const PATIENT_IDS = ['M-001', 'N-005', 'S-003', 'S-004', 'W-002'];

  test('Patient Root, all levels', async () => {
    assert.deepEqual(await found('P', ['QueryRetrieveLevel=PATIENT'], 'PatientID'), PATIENT_IDS);
    const patient = ['PatientID=M-001'];
    assert.deepEqual(await found('P', ['QueryRetrieveLevel=STUDY', ...patient], 'StudyInstanceUID'), [
      STUDIES.mueller,
    ]);
    const study = [...patient, `StudyInstanceUID=${STUDIES.mueller}`];
    assert.deepEqual(
      await found('P', ['QueryRetrieveLevel=SERIES', ...study], 'SeriesInstanceUID'),
      Object.values(MUELLER_SERIES).sort(),
    );
    const series = [...study, `SeriesInstanceUID=${MUELLER_SERIES.xa}`];
    assert.deepEqual(await found('P', ['QueryRetrieveLevel=IMAGE', ...series], 'InstanceNumber'), ['1', '2']);
  });

  test('Study Root, all levels', async () => {
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=STUDY'], 'PatientID'), PATIENT_IDS);
    const study = [`StudyInstanceUID=${STUDIES.mueller}`];
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=SERIES', ...study], 'Modality'), ['CT', 'XA']);
    const series = [...study, `SeriesInstanceUID=${MUELLER_SERIES.ct}`];
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=IMAGE', ...series], 'InstanceNumber'), ['1']);
  });

  test('Patient/Study Only, both levels', async () => {
    assert.deepEqual(await found('O', ['QueryRetrieveLevel=PATIENT'], 'PatientID'), PATIENT_IDS);
    assert.deepEqual(await found('O', ['QueryRetrieveLevel=STUDY', 'PatientID=W-002'], 'StudyInstanceUID'), [
      STUDIES.wang,
    ]);
  });

  test('names with wild cards', async () => {
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=STUDY', 'PatientName=smith*'], 'PatientID'), [
      'S-003',
      'S-004',
    ]);
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=STUDY', 'PatientName=*^J?hn'], 'PatientID'), [
      'S-003',
    ]);
    assert.deepEqual(
      await found('S', ['QueryRetrieveLevel=STUDY', 'PatientName=*nobody else*'], 'PatientID'),
      [],
    );
  });

  test('every transfer syntax that findscu proposes for its queries', async () => {
    for (const proposal of ['-x=', '-xe', '-xb', '-xd', '-xi']) {
      assert.deepEqual(
        await found('S', ['QueryRetrieveLevel=STUDY', 'StudyDate=20231231-20240101'], 'PatientID', [
          proposal,
        ]),
        ['M-001', 'S-003'],
        proposal,
      );
    }
  });

  test('a Chinese name in GB18030: found, and answered in GB18030', async () => {
    // "*=王*" and a blank
    const name = Buffer.concat([Buffer.from('*='), Buffer.from('cdf5', 'hex'), Buffer.from('* ')]);
    const queryFile = join(folder.path, 'query.dcm');
    const query = encodeElements(
      [
        { tag: TAG.SpecificCharacterSet, vr: 'CS', value: 'GB18030' },
        { tag: TAG.QueryRetrieveLevel, vr: 'CS', value: 'STUDY' },
        { tag: TAG.PatientName, vr: 'PN', value: name },
        { tag: TAG.PatientID, vr: 'LO' },
        { tag: TAG.StudyInstanceUID, vr: 'UI' },
      ],
      false,
    );
    // findscu takes a bare Implicit VR Little Endian data set as its query.
    await writeFile(queryFile, query);
    const answers = join(folder.path, 'answers');
    await mkdir(answers);
    const to = ['-aec', daemon.aeTitle, daemon.host, String(daemon.port)];
    const run = await runDcmtk('findscu', ['-S', '-X', '-od', answers, ...to, queryFile]);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(await readdir(answers), ['rsp0001.dcm']);
    const { dataSet, transferSyntaxUid } = cutFile(join(answers, 'rsp0001.dcm'));
    const match = decodeElements(dataSet, transferSyntaxUid !== '1.2.840.10008.1.2');
    assert.equal(textOf(match, TAG.PatientID), 'W-002');
    assert.equal(textOf(match, TAG.SpecificCharacterSet), 'GB18030');
    assert.equal(
      match.get(TAG.PatientName)?.bytes.toString('hex').replace(/20$/, ''),
      '57616e675e5869616f446f6e673dcdf55ed0a1b6ab',
    );
  });

  test('C-CANCEL after one match is survived', async () => {
    const run = await findscu(daemon, 'S', ['QueryRetrieveLevel=STUDY', 'PatientID'], {
      args: ['--cancel', '1'],
    });
    assert.equal(run.code, 0, run.stderr);
    assert.ok(run.matches.length >= 1);
    assert.deepEqual(await found('S', ['QueryRetrieveLevel=STUDY', 'PatientID=S-003'], 'PatientName'), [
      'Smith^John',
    ]);
  });

  test('repeated queries on one association', async () => {
    const run = await findscu(daemon, 'S', ['QueryRetrieveLevel=STUDY', 'PatientID=S-00?'], {
      args: ['--repeat', '20'],
    });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.matches.length, 40);
  });
});
