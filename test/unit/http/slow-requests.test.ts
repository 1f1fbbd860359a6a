// Who sends slowly holds a connection for a bounded time, and is told so: 408.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import type { HttpServer } from '../../../src/http/http-server.ts';
import { route } from '../../../src/http/route.ts';
import { httpServer } from '../../support/http-site.ts';

let server: HttpServer;
let port: number;
const handled: unknown[] = [];

before(async () => {
  server = await httpServer({
    times: { headersTimeout: 200, bodyTimeout: 200, connectionsCheckingInterval: 50 },
    routes: [
      route({
        method: 'POST',
        path: '/api/echo',
        summary: 'Takes a body',
        body: z.object({ word: z.string() }),
        handle: ({ body }) => void handled.push(body),
      }),
    ],
  });
  ({ port } = await server.listen());
});
after(() => server.close());

/** Sends `parts` one after the other, each when the one before has gone; resolves with all that came back. */
async function sendSlowly(...parts: string[]): Promise<string> {
  const connection = connect(port, '127.0.0.1').setEncoding('latin1');
  for (const part of parts) await new Promise((resolve) => connection.write(part, resolve));
  let text = '';
  for await (const chunk of connection) text += chunk;
  return text;
}

const HEAD = [
  'POST /api/echo HTTP/1.1',
  'Host: 127.0.0.1',
  'X-AngioVault: 1',
  'Content-Type: application/json',
  'Content-Length: 15',
].join('\r\n');

test('headers that do not come to an end: 408 in words, and the connection is closed', async () => {
  const answer = await sendSlowly('POST /api/echo HTTP/1.1\r\n', 'Host: 127.0.0.1\r\n');
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /application\/problem\+json.*did not arrive in time/s);
});

test('a body that does not come: 408 with a code, nothing is handled, and the connection is closed', async () => {
  const answer = await sendSlowly(`${HEAD}\r\n\r\n`, '{"word":');
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /connection: close/i);
  assert.match(answer, /"code":"too-slow"/);
  assert.deepEqual(handled, []);
});

test('a body in two pieces is one that came', async () => {
  const answer = await sendSlowly(`${HEAD}\r\nConnection: close\r\n\r\n`, '{"word":', ' "yes"}');
  assert.match(answer, /^HTTP\/1\.1 204 /);
  assert.deepEqual(handled, [{ word: 'yes' }]);
});
