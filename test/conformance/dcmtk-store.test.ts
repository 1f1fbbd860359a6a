// DCMTK's storage SCUs against the daemon: verification, every proposal that storescu can make, dcmsend, user
// identity, small PDUs (PS3.4 Annexes A and B).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { filesIn, foundUids } from '../support/archive-state.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { dcmsend, echoscu, runDcmtk, storescu } from '../support/foreign-peers.ts';
import { cutFile, identify, instanceIn } from '../support/sample-data-sets.ts';
import { samplePath, samples } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

/** storescu's proposal, the samples it is used for, and the transfer syntax in which they must be kept. */
const PROPOSALS: readonly (readonly [string, readonly string[], string])[] = [
  ['-x=', ['objects/CT_small.dcm'], '1.2.840.10008.1.2.1'],
  ['-xe', ['objects/MR_small.dcm'], '1.2.840.10008.1.2.1'],
  ['-xb', ['syntaxes/emri_small_big_endian.dcm'], '1.2.840.10008.1.2.2'],
  ['-xi', ['objects/dcmqi-seg/01.dcm', 'objects/dcmqi-seg/02.dcm'], '1.2.840.10008.1.2'],
  [
    '-xs',
    ['angio/catheter-12f-jpeg-lossless.dcm', 'angio/ge-innova-phantom-cine-IM7.dcm'],
    '1.2.840.10008.1.2.4.70',
  ],
  ['-xy', ['angio/coronary-96f-mask-none.dcm'], '1.2.840.10008.1.2.4.50'],
  ['-xx', ['angio/nema-XA1_JPLY.dcm'], '1.2.840.10008.1.2.4.51'],
  ['-xv', ['angio/nema-XA1_J2KR.dcm'], '1.2.840.10008.1.2.4.90'],
  ['-xt', ['syntaxes/jpeg-ls-Palette.dcm'], '1.2.840.10008.1.2.4.80'],
  ['-xr', ['angio/nema-XA1_RLE.dcm'], '1.2.840.10008.1.2.5'],
  ['-xd', ['syntaxes/deflated/wave_dfl.dcm'], '1.2.840.10008.1.2.1.99'],
];

describe('DCMTK as sender', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('dcmtk-store');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await folder[Symbol.asyncDispose]();
  });

  /** The instance is found, and its file is one that DCMTK calls DICOM, in the given syntax. */
  async function assertKept(path: string, transferSyntaxUid?: string): Promise<void> {
    const { sopInstanceUid } = instanceIn(path);
    assert.deepEqual(await foundUids(daemon, [sopInstanceUid]), new Set([sopInstanceUid]), path);
    const [file] = filesIn(folder.path, 'studies').filter((name) => name.endsWith(`/${sopInstanceUid}.dcm`));
    assert.ok(file !== undefined, path);
    const stored = join(folder.path, 'archive', 'studies', file);
    if (transferSyntaxUid !== undefined)
      assert.equal(cutFile(stored).transferSyntaxUid, transferSyntaxUid, path);
    const checked = await runDcmtk('dcmftest', [stored]);
    assert.match(checked.stdout, /^yes:/, path);
    const dumped = await runDcmtk('dcmdump', ['-q', stored]);
    assert.equal(dumped.code, 0, dumped.stderr);
  }

  test('echoscu, once and a hundred times', async () => {
    for (const args of [[], ['--repeat', '100'], ['--propose-ts', '38'], ['--propose-pc', '128']]) {
      const run = await echoscu(daemon, { args });
      assert.equal(run.code, 0, run.stderr);
    }
  });

  for (const [proposal, names, transferSyntaxUid] of PROPOSALS) {
    test(`storescu ${proposal}`, async () => {
      const paths = names.map(samplePath);
      const run = await storescu(daemon, paths, { args: [proposal, '-R'] });
      assert.equal(run.code, 0, run.stderr);
      for (const path of paths) await assertKept(path, transferSyntaxUid);
    });
  }

  test('storescu with its 128 contexts, separate and combined', async () => {
    for (const args of [[], ['+C']]) {
      const run = await storescu(daemon, [samplePath('objects/CT_small.dcm')], { args });
      assert.equal(run.code, 0, run.stderr);
    }
  });

  test('storescu with a whole series, in small PDUs', async () => {
    const paths = samples('series/ct-head-axial-67/').map(({ file }) => file);
    assert.equal(paths.length, 67);
    const run = await storescu(daemon, paths, {
      args: ['-xs', '-R', '-pdu', '4096', '--max-send-pdu', '4096'],
    });
    assert.equal(run.code, 0, run.stderr);
    for (const path of paths.slice(0, 3)) await assertKept(path);
    const uids = paths.map((path) => instanceIn(path).sopInstanceUid);
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
  });

  test('storescu with user identity and positive response (PS3.7 §D.3.3.7)', async () => {
    for (const args of [
      ['-usr', 'anna'],
      ['-usr', 'anna', '-pwd', 'secret', '-rsp'],
    ]) {
      const run = await storescu(daemon, [samplePath('objects/MR_small.dcm')], { args });
      assert.equal(run.code, 0, run.stderr);
    }
  });

  test('storescu that aborts instead of releasing', async () => {
    const run = await storescu(daemon, [samplePath('objects/MR_small.dcm')], { args: ['--abort'] });
    assert.equal(run.code, 0, run.stderr);
    await assertKept(samplePath('objects/MR_small.dcm'));
  });

  test('dcmsend with samples of many classes and syntaxes at once', async () => {
    const paths = samples()
      .filter(({ path }) => /^(angio|objects\/dcmqi|syntaxes\/fragments)/.test(path))
      .map(({ file }) => file)
      .filter((path) => !('unusable' in identify(path)));
    assert.ok(paths.length > 30, String(paths.length));
    const run = await dcmsend(daemon, paths, { args: ['-dn', '-nuc', '-v'] });
    assert.equal(run.code, 0, run.stderr.slice(-2000));
    const uids = [...new Set(paths.map((path) => instanceIn(path).sopInstanceUid))];
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
  });

  test('four senders at once', async () => {
    const folders = [
      'series/mr-t1w-96-jpeg-lossless/',
      'series/ct-head-axial-67/',
      'objects/dcmqi',
      'angio/',
    ];
    const groups = folders.map((folder) =>
      samples(folder)
        .slice(0, 20)
        .map(({ file }) => file),
    );
    const runs = await Promise.all(groups.map((paths) => dcmsend(daemon, paths, { args: ['-dn', '-nuc'] })));
    for (const run of runs) assert.equal(run.code, 0, run.stderr.slice(-2000));
    const uids = [...new Set(groups.flat().map((path) => instanceIn(path).sopInstanceUid))];
    assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
  });
});
