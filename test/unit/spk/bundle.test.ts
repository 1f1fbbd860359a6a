// The bundle of the package: what its threads need beside them is there, the codecs above all.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../../spk/build/bundle.ts';
import { readForeignHead } from '../../../src/dicom/foreign-head.ts';
import { RenderPool } from '../../../src/dicom/render/render-pool.ts';
import { readSample, samplePath } from '../../support/samples.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('every codec works from the bundle', async () => {
  await using folder = await tempFolder('bundle');
  await bundle(resolve(import.meta.dirname, '../../..'), '0.0.0', folder.path);
  const pool = new RenderPool({
    script: pathToFileURL(`${folder.path}/render-worker.js`),
    idleMs: 50,
    deadlineMs: 60_000,
    maxWaiting: 8,
  });
  for (const sample of [
    'syntaxes/MR_small_jp2klossless.dcm',
    'syntaxes/MR_small_jpeg_ls_lossless.dcm',
    'syntaxes/SC_rgb_small_odd_jpeg.dcm',
  ]) {
    const head = readForeignHead(readSample(sample));
    assert.ok(head !== 'more');
    const { dataSetOffset, meta } = head;
    const { transferSyntaxUid } = meta;
    const task = { path: samplePath(sample), dataSetOffset, transferSyntaxUid, size: 32 };
    const png = await pool.render(task, new AbortController().signal);
    assert.equal(Buffer.from(png).toString('latin1', 1, 4), 'PNG', sample);
  }
});
