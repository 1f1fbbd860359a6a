// The commands that call others: `echo` and `send` against DCMTK and Orthanc, and what they say when it does not work.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { within } from '../support/byte-connection.ts';
import { sha256 } from '../support/byte-services.ts';
import { runAngiovault } from '../support/daemon.ts';
import { type ForeignScp, peerOption, startStorescp } from '../support/foreign-peers.ts';
import { cutFile, instanceIn } from '../support/sample-data-sets.ts';
import { samplePath } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const SENT = [
  'angio/catheter-12f-jpeg-lossless.dcm',
  'angio/coronary-96f-mask-none.dcm',
  'angio/nema-XA1_RLE.dcm',
  'objects/CT_small.dcm',
  'syntaxes/deflated/report_dfl.dcm',
  'syntaxes/gdcm-US-ALOKA-16_big.dcm',
].map(samplePath);

describe('echo and send', () => {
  let folder: TempFolder;
  let everything: ForeignScp;
  let implicitOnly: ForeignScp;

  before(async () => {
    folder = await tempFolder('scu');
    everything = await startStorescp(join(folder.path, 'everything'), {
      aeTitle: 'ALL',
      args: ['+xa', '+B', '-pm'],
    });
    implicitOnly = await startStorescp(join(folder.path, 'implicit'), {
      aeTitle: 'IMPLICIT',
      args: ['+xi', '-pm'],
    });
  });
  after(async () => {
    await everything.stop();
    await implicitOnly.stop();
    await folder[Symbol.asyncDispose]();
  });

  async function run(
    command: string,
    args: readonly string[],
  ): Promise<{ code: number | null; output: string }> {
    const process = runAngiovault(command, [...args, '--data', join(folder.path, 'data')]);
    const { code } = await within(process.ended, 60_000, `the end of ${command}`);
    return { code, output: process.stdout + process.stderr };
  }

  test('echo: exit 0', async () => {
    const { code, output } = await run('echo', [peerOption(everything)]);
    assert.equal(code, 0, output);
  });

  test('echo to nobody: exit 1 and a line in plain words', async () => {
    const { code, output } = await run('echo', ['NOBODY@127.0.0.1:1']);
    assert.equal(code, 1, output);
    assert.match(output, /127\.0\.0\.1/);
    assert.doesNotMatch(output, /\bat .*\.ts:\d+/);
  });

  test('send: the data set bytes arrive as they are in the files', async () => {
    const { code, output } = await run('send', [peerOption(everything), ...SENT]);
    assert.equal(code, 0, output);
    const where = join(folder.path, 'everything');
    const arrived = new Set((await readdir(where)).map((name) => sha256(cutFile(join(where, name)).dataSet)));
    assert.deepEqual(arrived, new Set(SENT.map((path) => sha256(instanceIn(path).dataSet))));
  });

  test('send to a receiver of Implicit VR Little Endian only: exit 1, and the lossy instance is named', async () => {
    const { code, output } = await run('send', [peerOption(implicitOnly), ...SENT]);
    assert.equal(code, 1, output);
    const lossy = samplePath('angio/coronary-96f-mask-none.dcm');
    assert.ok(output.includes(lossy) || output.includes(instanceIn(lossy).sopInstanceUid), output);
    assert.equal((await readdir(join(folder.path, 'implicit'))).length, SENT.length - 1);
  });
});
