// DCMTK's movescu and getscu against the daemon, storescp as destination: what arrives is what was sent (PS3.4 §C.4).

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { storeOnce } from '../support/archive-state.ts';
import { sha256 } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import {
  type ForeignScp,
  getscu,
  type InformationModel,
  movescu,
  peerOption,
  startStorescp,
} from '../support/foreign-peers.ts';
import { cutFile, instanceIn, pixelsOf, type SampleInstance } from '../support/sample-data-sets.ts';
import { samplePath } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const sampleOf = (name: string): SampleInstance => instanceIn(samplePath(name));

const UNCOMPRESSED = sampleOf('objects/CT_small.dcm');
const SEGMENTED = ['01', '02', '03'].map((number) => sampleOf(`objects/dcmqi-seg/${number}.dcm`));
const COMPRESSED = [
  'angio/catheter-12f-jpeg-lossless.dcm',
  'angio/coronary-96f-mask-none.dcm',
  'angio/nema-XA1_JPLY.dcm',
  'syntaxes/jpeg-ls-Palette.dcm',
  // DCMTK refuses fragments of odd length, which other deflated samples have.
  'syntaxes/deflated/report_dfl.dcm',
  'charsets/chrX2.dcm',
  'angio/rdsr/RF-RDSR-Philips_Allura.dcm',
].map(sampleOf);
const ALL = [UNCOMPRESSED, ...SEGMENTED, ...COMPRESSED];

describe('DCMTK as retriever', () => {
  let folder: TempFolder;
  let daemon: Daemon;
  let destination: ForeignScp;
  let received: string;

  before(async () => {
    folder = await tempFolder('dcmtk-retrieve');
    received = join(folder.path, 'received');
    destination = await startStorescp(received, { args: ['+xa', '+B', '-pm', '+uf'] });
    daemon = await startDaemon({ dataDir: join(folder.path, 'data'), peers: [peerOption(destination)] });
    for (const instance of ALL) assert.equal(await storeOnce(daemon, instance), 0);
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await destination.stop();
    await folder[Symbol.asyncDispose]();
  });

  const hashesIn = async (where: string): Promise<Set<string>> =>
    new Set((await readdir(where)).map((name) => sha256(cutFile(join(where, name)).dataSet)));
  const hashesOf = (instances: readonly SampleInstance[]): Set<string> =>
    new Set(instances.map(({ dataSet }) => sha256(dataSet)));

  const keysOf = (model: InformationModel, { patientId, studyUid }: SampleInstance): string[] => [
    'QueryRetrieveLevel=STUDY',
    ...(model === 'S' ? [] : [`PatientID=${patientId}`]),
    `StudyInstanceUID=${studyUid}`,
  ];

  test('movescu, Study Root, to a storescp that takes every syntax and writes what it reads', async () => {
    for (const instance of ALL) {
      const run = await movescu(daemon, 'S', destination.aeTitle, keysOf('S', instance));
      assert.equal(run.code, 0, run.stderr);
    }
    const arrived = await hashesIn(received);
    for (const instance of ALL)
      assert.ok(arrived.has(sha256(instance.dataSet)), `${instance.path} arrived altered`);
  });

  test('movescu, Patient Root and Patient/Study Only', async () => {
    for (const model of ['P', 'O'] as const) {
      const run = await movescu(daemon, model, destination.aeTitle, keysOf(model, SEGMENTED[0]!));
      assert.equal(run.code, 0, run.stderr);
    }
  });

  test('movescu --cancel is survived', async () => {
    const run = await movescu(daemon, 'S', destination.aeTitle, keysOf('S', SEGMENTED[0]!), {
      args: ['--cancel', '1'],
    });
    assert.ok(run.code !== null);
    const again = await movescu(daemon, 'S', destination.aeTitle, keysOf('S', UNCOMPRESSED));
    assert.equal(again.code, 0, again.stderr);
  });

  test('movescu to nobody fails and says so', async () => {
    const run = await movescu(daemon, 'S', 'NOSUCHAE', keysOf('S', UNCOMPRESSED));
    assert.match(run.stderr + run.stdout, /MoveDestinationUnknown|0xa801/i);
  });

  for (const model of ['P', 'S', 'O'] as const) {
    test(`getscu -${model}, bit-preserving`, async () => {
      const where = join(folder.path, `got-${model}`);
      const run = await getscu(daemon, model, where, keysOf(model, UNCOMPRESSED), { args: ['+xe'] });
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(await hashesIn(where), hashesOf([UNCOMPRESSED]));
    });
  }

  test('getscu that takes one other uncompressed syntax gets the same pixels in that', async () => {
    const where = join(folder.path, 'got-other');
    // This version of getscu proposes Explicit VR Little Endian alone when told +xi.
    const run = await getscu(daemon, 'S', where, keysOf('S', SEGMENTED[0]!), { args: ['+xi'] });
    assert.equal(run.code, 0, run.stderr);
    const arrived = (await readdir(where)).map((name) => sha256(pixelsOf(cutFile(join(where, name)))));
    assert.deepEqual(new Set(arrived), new Set(SEGMENTED.map((sample) => sha256(pixelsOf(sample)))));
  });

  test('getscu of something lossy with no lossy context fails and names it', async () => {
    const where = join(folder.path, 'got-lossy');
    const lossy = COMPRESSED[1]!;
    const run = await getscu(daemon, 'S', where, keysOf('S', lossy), { args: ['+xe'] });
    assert.deepEqual(await readdir(where), []);
    assert.match(run.stderr + run.stdout, /fail|warning|0xb000|0xa702/i);
  });
});
