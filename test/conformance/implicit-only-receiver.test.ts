// A receiver that takes only Implicit VR Little Endian: what was stored lossless arrives with the right pixels, as
// DCMTK's own decoders and the known originals show; what was stored lossy does not leave, and is named (design:
// never lossy, exact or not at all).

import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { storeOnce } from '../support/archive-state.ts';
import { ByteAssociation, IMPLICIT_LE } from '../support/byte-association.ts';
import { identifier, move, queryContexts, sha256, TAG } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import {
  type DcmtkTool,
  type ForeignScp,
  peerOption,
  runDcmtk,
  startStorescp,
} from '../support/foreign-peers.ts';
import { cutFile, identify, instanceIn, pixelsOf, type SampleInstance } from '../support/sample-data-sets.ts';
import { samplePath, samples } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

/** DCMTK's decoder by transfer syntax; it has none for JPEG 2000, where the uncompressed original stands beside. */
const DECODERS: Readonly<Record<string, readonly [DcmtkTool, ...string[]]>> = {
  '1.2.840.10008.1.2.4.57': ['dcmdjpeg', '+cn', '+te'],
  '1.2.840.10008.1.2.4.70': ['dcmdjpeg', '+cn', '+te'],
  '1.2.840.10008.1.2.4.80': ['dcmdjpls', '+te'],
  '1.2.840.10008.1.2.5': ['dcmdrle', '+te'],
};
const ORIGINALS: Readonly<Record<string, string>> = {
  'angio/nema-XA1_J2KR.dcm': 'angio/nema-XA1_UNC.dcm',
  'syntaxes/emri_small_jpeg_2k_lossless.dcm': 'syntaxes/emri_small.dcm',
  'syntaxes/ct-one-image-many-syntaxes/CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm':
    'syntaxes/ct-one-image-many-syntaxes/CTImage.dcm_LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm',
};
/** Stored lossy, or called lossless and none: the last one says JPEG Lossless and holds JPEG Baseline. */
const LOSSY = [
  'angio/coronary-96f-mask-none.dcm',
  'angio/nema-XA1_JPLY.dcm',
  'syntaxes/fragments-and-bot/CT0012.fragmented_no_bot_jpeg_ls.81.dcm',
  'syntaxes/ct-one-image-many-syntaxes/CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm',
  'objects/sample-op.dcm',
];

/** One of each series is enough: decoding is tried on every sample elsewhere. */
const decodable = samples()
  .filter(({ path }) => /^(angio|syntaxes|objects)\//.test(path) && !LOSSY.includes(path))
  .flatMap(({ path, file }) => {
    const sample = identify(file);
    return !('unusable' in sample) && sample.transferSyntaxUid in DECODERS ? [{ name: path, sample }] : [];
  });

describe('a receiver of Implicit VR Little Endian only', () => {
  let folder: TempFolder;
  let daemon: Daemon;
  let destination: ForeignScp;
  let received: string;
  let association: ByteAssociation;

  before(async () => {
    folder = await tempFolder('implicit-only');
    received = join(folder.path, 'received');
    await mkdir(join(folder.path, 'decoded'));
    destination = await startStorescp(received, { args: ['+xi', '+B', '-pm'] });
    daemon = await startDaemon({ dataDir: join(folder.path, 'data'), peers: [peerOption(destination)] });
    association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('move', ['study']),
    });
  });
  after(async () => {
    await association.release();
    assert.equal((await daemon.stop()).code, 0);
    await destination.stop();
    await folder[Symbol.asyncDispose]();
  });

  function moveOne(sample: SampleInstance) {
    const keys = identifier('IMAGE', [
      { tag: TAG.StudyInstanceUID, vr: 'UI', value: sample.studyUid },
      { tag: TAG.SeriesInstanceUID, vr: 'UI', value: sample.seriesUid },
      { tag: TAG.SOPInstanceUID, vr: 'UI', value: sample.sopInstanceUid },
    ]);
    return move(association, 'study', destination.aeTitle, keys);
  }

  /** Stores, moves, and takes the pixels of what arrived. */
  async function pixelsAfterMove(sample: SampleInstance): Promise<Buffer> {
    assert.equal(await storeOnce(daemon, sample), 0);
    const moved = await moveOne(sample);
    assert.deepEqual([moved.status, moved.completed, moved.failed], [0, 1, 0], JSON.stringify(moved));
    const [name, ...others] = (await readdir(received)).filter((file) =>
      file.endsWith(sample.sopInstanceUid),
    );
    assert.ok(name !== undefined && others.length === 0);
    const cut = cutFile(join(received, name));
    assert.equal(cut.transferSyntaxUid, IMPLICIT_LE);
    return pixelsOf(cut);
  }

  test('there is something to decode in every syntax', () => {
    assert.deepEqual(
      new Set(decodable.map(({ sample }) => sample.transferSyntaxUid)),
      new Set(Object.keys(DECODERS)),
    );
  });

  for (const { name, sample } of decodable) {
    test(`${name} arrives with the pixels that DCMTK decodes`, async () => {
      const decoded = join(folder.path, 'decoded', sha256(sample.dataSet));
      const [tool, ...args] = DECODERS[sample.transferSyntaxUid]!;
      const run = await runDcmtk(tool, [...args, sample.path, decoded]);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(sha256(await pixelsAfterMove(sample)), sha256(pixelsOf(cutFile(decoded))));
    });
  }

  for (const [name, original] of Object.entries(ORIGINALS)) {
    test(`${name} arrives with the pixels of its original`, async () => {
      const sample = instanceIn(samplePath(name));
      assert.equal(sha256(await pixelsAfterMove(sample)), sha256(pixelsOf(cutFile(samplePath(original)))));
    });
  }

  for (const name of LOSSY) {
    test(`${name} does not leave: the sub-operation fails and names it`, async () => {
      const sample = instanceIn(samplePath(name));
      assert.equal(await storeOnce(daemon, sample), 0);
      const before = (await readdir(received)).length;
      const moved = await moveOne(sample);
      assert.equal(moved.status, 0xa702);
      assert.deepEqual([moved.completed, moved.failed, moved.failedUids], [0, 1, [sample.sopInstanceUid]]);
      assert.equal((await readdir(received)).length, before);
    });
  }
});
