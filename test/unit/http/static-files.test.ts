// The app's files: from memory, compressed once, with a policy; no path of a request reaches the disk.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { HttpServer } from '../../../src/http/http-server.ts';
import { readStaticFiles } from '../../../src/http/static-files.ts';
import { httpAsk, httpServer } from '../../support/http-site.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

const PAGE = '<!doctype html><title>AngioVault</title>';
const SCRIPT = 'export const a = 1;\n'.repeat(200);
let folder: TempFolder;
let server: HttpServer;
let port: number;

before(async () => {
  folder = await tempFolder('static');
  const app = join(folder.path, 'dist');
  await mkdir(join(app, 'assets'), { recursive: true });
  await writeFile(join(app, 'index.html'), PAGE);
  await writeFile(join(app, 'assets', 'app-abc123.js'), SCRIPT);
  await writeFile(join(folder.path, 'secret.txt'), 'secret');
  server = await httpServer({ routes: [], staticFiles: await readStaticFiles(app) });
  ({ port } = await server.listen());
});
after(async () => {
  await server.close();
  await folder[Symbol.asyncDispose]();
});

const HTML = { Accept: 'text/html,*/*' };

test('/ is the page, asked again each time; scripts are kept for good', async () => {
  const page = await httpAsk(port, '/', { headers: HTML });
  assert.equal(page.text, PAGE);
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.match(
    String(page.headers['content-security-policy']),
    /^default-src 'none'; script-src 'self'; .*frame-ancestors 'self'$/,
  );
  const script = await httpAsk(port, '/assets/app-abc123.js');
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.match(String(script.headers['cache-control']), /immutable/);
  assert.equal(script.headers['x-content-type-options'], 'nosniff');
});

test('a page that has not changed is 304', async () => {
  const { headers } = await httpAsk(port, '/', { headers: HTML });
  const again = await httpAsk(port, '/', { headers: { ...HTML, 'If-None-Match': String(headers.etag) } });
  assert.equal(again.status, 304);
});

for (const [encoding, decode] of [
  ['br', brotliDecompressSync],
  ['gzip', gunzipSync],
] as const) {
  test(`compressed as ${encoding} when the browser takes that`, async () => {
    const headers = { 'Accept-Encoding': encoding };
    const asked = request({ port, host: '127.0.0.1', path: '/assets/app-abc123.js', agent: false, headers });
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      asked.once('response', resolve).end(),
    );
    assert.equal(answer.headers['content-encoding'], encoding);
    assert.equal(decode(await buffer(answer)).toString(), SCRIPT);
  });
}

test('an address of the app that is no file is its page; a missing file and the API are not', async () => {
  assert.equal((await httpAsk(port, '/studies', { headers: HTML })).text, PAGE);
  for (const path of ['/assets/gone.js', '/api/gone', '/metrics']) {
    assert.equal((await httpAsk(port, path, { headers: HTML })).status, 404, path);
  }
});

describe('no path leaves the folder', () => {
  for (const path of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '//secret.txt',
    '/assets/..\\..\\secret.txt',
    '/\0secret.txt'.replace('\0', '%00'),
  ]) {
    test(path, async () => {
      const { text } = await httpAsk(port, path, { headers: HTML });
      assert.doesNotMatch(text, /secret$/);
    });
  }
});

test('an app that is not built is no files, not an error', async () => {
  assert.equal((await readStaticFiles('/nonexistent')).size, 0);
});
