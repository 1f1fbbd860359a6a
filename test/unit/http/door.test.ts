// The door from outside: whose requests are taken at all, which bodies, and how many of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import type { HttpServer } from '../../../src/http/http-server.ts';
import { ownNames } from '../../../src/http/own-names.ts';
import { route } from '../../../src/http/route.ts';
import { silentLog } from '../../../src/util/log.ts';
import { type HttpAsk, httpAsk, httpServer } from '../../support/http-site.ts';

let server: HttpServer;
let port: number;
let changes: number;
let refused: string[];

const change = route({
  method: 'POST',
  path: '/api/changes/:name',
  summary: 'A change',
  params: z.object({ name: z.string().max(8) }),
  query: z.object({ times: z.coerce.number().int().max(9).default(1) }),
  body: z.object({ text: z.string().max(10), list: z.array(z.object({ port: z.int() })).optional() }),
  answer: z.object({ text: z.string() }),
  handle: ({ body, params, query }) => {
    changes += 1;
    return { text: `${params.name} ${body.text} ${query.times}` };
  },
});

before(async () => {
  const log = { ...silentLog, warn: (message: string) => void refused.push(message) };
  server = await httpServer({ routes: [change], log });
  ({ port } = await server.listen());
});
after(() => server.close());
beforeEach(() => {
  changes = 0;
  refused = [];
});

const post = (ask: HttpAsk = {}, path = '/api/changes/a') =>
  httpAsk(port, path, { method: 'POST', body: { text: 'x' }, ...ask });

/** Sends bytes and nothing more, and reads until the other end hangs up. */
async function raw(text: string): Promise<string> {
  const connection = connect(port, '127.0.0.1').setEncoding('latin1');
  connection.write(text);
  let answer = '';
  for await (const chunk of connection) answer += chunk;
  return answer;
}

describe('a change', () => {
  test('with header and body is made', async () => {
    const { status, json } = await post({}, '/api/changes/a?times=3');
    assert.equal(status, 200);
    assert.deepEqual(json, { text: 'a x 3' });
  });
  test('from our own origin is made', async () => {
    const { status } = await post({ headers: { Host: 'localhost:80', Origin: 'http://localhost:80' } });
    assert.equal(status, 200);
  });
  const foreign: [string, Record<string, string>, string][] = [
    ['without its header', { 'X-AngioVault': '' }, 'header-missing'],
    ['from another origin', { Origin: 'http://evil.example' }, 'foreign-origin'],
    [
      'from another port of this machine',
      { Host: '127.0.0.1:80', Origin: 'http://127.0.0.1:81' },
      'foreign-origin',
    ],
    ['from a sandboxed page', { Origin: 'null' }, 'foreign-origin'],
    ['that the browser calls cross-site', { 'Sec-Fetch-Site': 'cross-site' }, 'foreign-origin'],
  ];
  for (const [words, headers, code] of foreign) {
    test(`${words} is refused and not made`, async () => {
      const { status, json } = await post({ headers });
      assert.equal(status, 403);
      assert.equal(json.code, code);
      assert.equal(changes, 0);
    });
  }
  test('for a name that resolves here (DNS rebinding) is refused', async () => {
    const { status, json } = await post({ headers: { Host: 'evil.example', Origin: 'http://evil.example' } });
    assert.equal(status, 421);
    assert.equal(json.code, 'foreign-host');
    assert.equal(changes, 0);
  });
});

describe('a body', () => {
  test('that does not fit is 422, each fault with its path', async () => {
    const { status, json } = await post({ body: { text: 5, list: [{ port: 1 }, { port: 'x' }] } });
    assert.equal(status, 422);
    assert.deepEqual(
      (json.errors as { path: string }[]).map(({ path }) => path),
      ['text', 'list[1].port'],
    );
  });
  test('that is not JSON is 400, of another type 415', async () => {
    assert.equal((await post({ body: '{' })).status, 400);
    assert.equal((await post({ headers: { 'Content-Type': 'text/plain' } })).status, 415);
  });
  test('that says it is too large is 413 before a byte of it is read', async () => {
    const head =
      'POST /api/changes/a HTTP/1.1\r\nHost: localhost\r\nX-AngioVault: 1\r\nContent-Type: application/json\r\n';
    assert.match(await raw(`${head}Content-Length: 70000\r\n\r\n`), /^HTTP\/1\.1 413 .*"code":"too-large"/s);
  });
  test('that does not say so and is, is 413 as soon as it is', async () => {
    const head =
      'POST /api/changes/a HTTP/1.1\r\nHost: localhost\r\nX-AngioVault: 1\r\nContent-Type: application/json\r\n';
    const chunk = `11000\r\n${'x'.repeat(0x11000)}\r\n`;
    assert.match(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`), /^HTTP\/1\.1 413 /);
  });
  test('that is cut off is not taken for a whole one', async () => {
    const head =
      'POST /api/changes/a HTTP/1.1\r\nHost: localhost\r\nX-AngioVault: 1\r\nContent-Type: application/json\r\n';
    const connection = connect(port, '127.0.0.1');
    connection.end(`${head}Content-Length: 100\r\n\r\n{"text":"x"}`);
    await once(connection.resume(), 'close');
    assert.equal(changes, 0);
  });
  test('nobody reads closes the connection, so that it is not taken for the next request', async () => {
    const smuggled = 'POST /api/changes/b HTTP/1.1\r\nHost: localhost\r\nX-AngioVault: 1\r\n\r\n';
    const head = `POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nX-AngioVault: 1\r\nContent-Length: ${smuggled.length}\r\n\r\n`;
    const answer = await raw(`${head}${smuggled}`);
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1);
    assert.equal(changes, 0);
  });
});

test('a wrong value in the address is 400', async () => {
  assert.equal((await post({}, '/api/changes/a?times=many')).status, 400);
  assert.equal((await post({}, '/api/changes/123456789')).status, 400);
});

test('many refusals are few lines in the log', async () => {
  await Promise.all(Array.from({ length: 50 }, () => post({ headers: { Origin: 'http://evil.example' } })));
  assert.ok(refused.length <= 1, refused.join('\n'));
});

test('off loopback this machine’s own addresses and names are taken, others not', () => {
  const isOwn = ownNames('0.0.0.0', ['nas.hospital.example']);
  for (const own of ['127.0.0.1', 'localhost:80', 'NAS.hospital.example:11180']) assert.ok(isOwn(own), own);
  for (const other of [
    '',
    'evil.example',
    '192.0.2.77',
    'nas.hospital.example.evil.example',
    'a@localhost',
  ]) {
    assert.ok(!isOwn(other), other);
  }
});

test('10 000 requests over 400 connections at a time: as many as allowed are answered, the others dropped', async () => {
  const requests = `${'GET /api/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(24)}GET /api/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const texts = await Promise.all(Array.from({ length: 400 }, () => raw(requests).catch(() => '')));
  const answered = texts.filter((text) => text.match(/HTTP\/1\.1 404 /g)?.length === 25).length;
  const dropped = texts.filter((text) => text === '').length;
  assert.equal(answered + dropped, 400);
  assert.ok(answered >= 256, String(answered));
  assert.equal((await httpAsk(port, '/api/nothing')).status, 404);
});
