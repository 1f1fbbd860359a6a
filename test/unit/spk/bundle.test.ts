// The bundle of the package: what its threads need beside them is there, the codecs above all.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../../spk/build/bundle.ts';
import { readForeignHead } from '../../../src/dicom/foreign-head.ts';
import { RenderPool } from '../../../src/dicom/render/render-pool.ts';
import { readSample, samplePath } from '../../support/samples.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
before(async () => {
  folder = await tempFolder('bundle');
  await bundle(resolve(import.meta.dirname, '../../..'), '0.0.0', folder.path);
});
after(() => folder[Symbol.asyncDispose]());

test('every codec works from the bundle', async () => {
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

// V8 keeps a source with one wider character at two bytes for each of its characters: 4 MB for nothing.
for (const program of ['main.js', 'catalog-worker.js']) {
  test(`${program} has no character that takes two bytes`, () => {
    const wide = /.{0,40}[^\0-\xff].{0,40}/u.exec(readFileSync(join(folder.path, program), 'utf8'));
    assert.equal(wide?.[0], undefined);
  });
}

test('what is asked for later lies beside: pinyin, the tables of character sets', () => {
  const require = createRequire(join(folder.path, 'main.js'));
  const { pinyin } = require('./pinyin-pro.cjs') as typeof import('pinyin-pro');
  assert.equal(pinyin('单', { toneType: 'none', surname: 'head' }), 'shan');
  const files = readdirSync(folder.path);
  const asked = files
    .filter((file) => /\.[cm]?js$/.test(file))
    .flatMap((file) => [
      ...readFileSync(join(folder.path, file), 'utf8').matchAll(/\("\.\/([\w-]+\.(?:cjs|json))"\)/g),
    ])
    .map(([, file = '']) => file);
  assert.ok(asked.includes('cp936.json') && asked.includes('pinyin-pro.cjs'));
  assert.deepEqual(
    asked.filter((file) => !files.includes(file)),
    [],
  );
});

test("Node's web client is not loaded: 13 MB that nobody uses", () => {
  const code = `process.once('exit', () => console.error(process.moduleLoadList.join()));
    await import(process.argv[1]);`;
  const program = pathToFileURL(join(folder.path, 'main.js')).href;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code, program, '--version'],
    { encoding: 'utf8' },
  );
  assert.equal(stdout, '0.0.0\n', stderr);
  assert.match(stderr, /NativeModule http,/);
  assert.doesNotMatch(stderr, /undici|NativeModule http2/);
});
