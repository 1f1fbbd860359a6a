// The HTTP door from outside: health, metrics, its own description, and problems for all the rest.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Gauge, Registry } from 'prom-client';
import { type Health, healthRoute } from '../../../src/http/api/health.ts';
import { metricsRoute } from '../../../src/http/api/metrics.ts';
import { openApiRoute } from '../../../src/http/api/openapi.ts';
import type { HttpServer } from '../../../src/http/http-server.ts';
import { silentLog } from '../../../src/util/log.ts';
import { httpServer } from '../../support/http-site.ts';

const registry = new Registry();
let server: HttpServer;
let port: number;
let health: () => Promise<Health> | Health;
let logged: string[];

const log = {
  ...silentLog,
  error: (message: string, fields?: Record<string, unknown>) =>
    void logged.push(`${message} ${fields?.error ?? fields?.reason}`),
};

interface ServerOptions {
  health: () => Promise<Health> | Health;
  timeoutMs?: number;
  port?: number;
}

async function createServer({ health, timeoutMs = 50, port = 0 }: ServerOptions): Promise<HttpServer> {
  const version = '9.9.9';
  const routes = [healthRoute({ version, health, timeoutMs, log }), metricsRoute(registry)];
  return httpServer({ port, log, routes: [...routes, openApiRoute(version, routes)] });
}

before(async () => {
  new Gauge({ name: 'angiovault_test', help: 'A measurement', registers: [registry] }).set(42);
  server = await createServer({ health: () => health() });
  ({ port } = await server.listen());
});
after(() => server.close());
beforeEach(() => {
  health = () => ({ status: 'ok' });
  logged = [];
});

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

async function ask(path: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { host: `127.0.0.1:${port}`, ...headers },
  });
  asked.end(body);
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** Bytes in, everything that comes back until the connection ends. */
async function raw(bytes: string): Promise<string> {
  const connection = connect(port, '127.0.0.1').setEncoding('latin1');
  connection.write(bytes);
  let text = '';
  for await (const chunk of connection) text += chunk;
  return text;
}

function assertProblem({ status, headers, text }: Answer, expected: number, detail: RegExp): void {
  assert.equal(status, expected);
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  const body = JSON.parse(text);
  const members = new Set(['title', 'status', 'detail', 'code']);
  assert.ok(new Set(Object.keys(body)).isSubsetOf(members), 'RFC 9457, and nothing of the inside');
  assert.equal(body.status, expected);
  assert.match(body.detail, detail);
}

describe('GET /api/health', () => {
  test('200 once everything works', async () => {
    const { status, headers, text } = await ask('/api/health');
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual(JSON.parse(text), { status: 'ok', version: '9.9.9' });
  });

  for (const status of ['starting', 'stopping', 'failing'] as const) {
    test(`503 while ${status}, with the reason`, async () => {
      health = () => ({ status, detail: 'the catalogue cannot be reached' });
      const answer = await ask('/api/health');
      assert.equal(answer.status, 503);
      assert.deepEqual(JSON.parse(answer.text), {
        status,
        detail: 'the catalogue cannot be reached',
        version: '9.9.9',
      });
    });
  }

  test('503 when asking fails, without what went wrong inside', async () => {
    health = () => Promise.reject(new Error('ECONNREFUSED angio:secret@nas'));
    const { status, text } = await ask('/api/health');
    assert.equal(status, 503);
    assert.equal(JSON.parse(text).status, 'failing');
    assert.doesNotMatch(text, /secret/);
  });

  test('503 when the question throws at once', async () => {
    health = () => {
      throw new Error('closed');
    };
    assert.equal((await ask('/api/health')).status, 503);
  });

  test('503 when nothing answers in time', async () => {
    health = () => new Promise(() => {});
    const { status, text } = await ask('/api/health');
    assert.equal(status, 503);
    assert.equal(JSON.parse(text).status, 'failing');
    assert.deepEqual(logged, ['health: the archive cannot work no answer within 50 ms']);
  });

  test('the log gets a reason once, and again after everything worked', async () => {
    const failing = () => Promise.reject(new Error('no space'));
    for (const now of [failing, failing, () => ({ status: 'ok' }) as const, failing]) {
      health = now;
      await ask('/api/health');
    }
    assert.equal(logged.length, 2);
    assert.equal(logged[0], 'health: the archive cannot work no space');
  });

  test('HEAD answers with the same status and no body', async () => {
    const { status, text } = await ask('/api/health', { method: 'HEAD' });
    assert.equal(status, 200);
    assert.equal(text, '');
  });
});

test('GET /metrics is Prometheus text', async () => {
  const { status, headers, text } = await ask('/metrics');
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(
    text,
    /^# HELP angiovault_test A measurement\n# TYPE angiovault_test gauge\nangiovault_test 42$/m,
  );
});

test('a measurement that fails is a problem without a stack, and a line in the log', async () => {
  registry.registerMetric(
    new Gauge({
      name: 'angiovault_broken',
      help: 'x',
      registers: [],
      collect: () => Promise.reject(new Error('disk gone at src/secret.ts')),
    }),
  );
  const answer = await ask('/metrics');
  registry.removeSingleMetric('angiovault_broken');
  assertProblem(answer, 500, /the log says why/);
  assert.doesNotMatch(answer.text, /secret/);
  assert.deepEqual(logged, ['http request failed Error: disk gone at src/secret.ts']);
});

test('GET /api/openapi.json describes every path that answers', async () => {
  const description = JSON.parse((await ask('/api/openapi.json')).text);
  assert.equal(description.openapi, '3.1.0');
  assert.equal(description.info.version, '9.9.9');
  const paths = Object.keys(description.paths);
  assert.deepEqual(paths, ['/api/health', '/metrics', '/api/openapi.json']);
  for (const path of paths) assert.equal((await ask(path)).status, 200, path);
  const health = description.paths['/api/health'].get.responses[200].content['application/json'].schema;
  assert.deepEqual(health.required, ['status', 'version']);
});

describe('problems (RFC 9457)', () => {
  test('404 for a path that is none', async () => {
    assertProblem(await ask('/api/nothing'), 404, /There is nothing at \/api\/nothing/);
  });
  for (const path of [
    '/',
    '/../../etc/passwd',
    '/api/health/',
    '//api/health',
    '/%2e%2e/',
    '/api/health%00',
  ]) {
    test(`404 for ${path}`, async () => assert.equal((await ask(path)).status, 404));
  }
  test('a path that cannot be decoded is no failure of ours', async () => {
    const { status } = await ask('/api/%E0%A4%A');
    assert.ok(status === 400 || status === 404, String(status));
    assert.deepEqual(logged, []);
  });
  test('405 for a method that the path does not take', async () => {
    const headers = { 'x-angiovault': '1' };
    const answer = await ask('/api/health', { method: 'POST', headers, body: '{}' });
    assertProblem(answer, 405, /\/api\/health does not take POST; it takes HEAD, GET/);
    assert.equal(answer.headers.allow, 'HEAD, GET');
  });
  test('501 for a method nobody knows here', async () => {
    assertProblem(await ask('/api/health', { method: 'PROPFIND' }), 501, /PROPFIND is not known/);
  });
  test('400 for what is no HTTP', async () => {
    assert.match(
      await raw('\x01\x00\x00\x00DICOM\r\n\r\n'),
      /^HTTP\/1\.1 400 Bad Request\r\n.*problem\+json/s,
    );
  });
  test('431 for headers without end', async () => {
    assert.match(
      await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}`),
      /^HTTP\/1\.1 431 /,
    );
  });
});

describe('Host (DNS rebinding)', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:8080',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]',
    '[::1]:80',
  ]) {
    test(`${host} is this machine`, async () => {
      assert.equal((await ask('/api/health', { headers: { host } })).status, 200);
    });
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[::2]',
    'a:b',
    '127.1',
  ]) {
    test(`${host} is another one`, async () => {
      assertProblem(
        await ask('/api/health', { headers: { host } }),
        421,
        /Host header names another machine/,
      );
    });
  }
  test('a request without Host is refused', async () => {
    assert.match(await raw('GET /api/health HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
  });
});

test('no answer is kept, sniffed, framed, or shared with other origins', async () => {
  for (const path of ['/api/health', '/metrics', '/nothing']) {
    const { headers } = await ask(path, { headers: { origin: 'http://evil.example' } });
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/);
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
  }
});

test('a request with a body is answered and its connection closed: nobody reads bodies here', async () => {
  const answer = await ask('/api/health', { method: 'POST', body: 'x'.repeat(100) });
  assert.equal(answer.headers.connection, 'close');
});

describe('listen and close', () => {
  test('a port in use is the system’s own error', async () => {
    const second = await createServer({ port, health: () => health() });
    await assert.rejects(second.listen(), { code: 'EADDRINUSE' });
    await second.close();
  });

  test('close lets a running request end, and waits for no silent connection', async () => {
    const gate = Promise.withResolvers<Health>();
    const asked = Promise.withResolvers<void>();
    const slow = await createServer({
      timeoutMs: 10_000,
      health: () => {
        asked.resolve();
        return gate.promise;
      },
    });
    const { port: slowPort } = await slow.listen();
    const silent = connect(slowPort, '127.0.0.1');
    await once(silent, 'connect');
    const answer = fetch(`http://127.0.0.1:${slowPort}/api/health`);
    await asked.promise;
    const closed = slow.close();
    gate.resolve({ status: 'stopping', detail: 'going down' });
    assert.equal((await answer).status, 503);
    silent.resume();
    await closed;
  });

  test('closing twice is closing once', async () => {
    const twice = await createServer({ health: () => health() });
    await twice.listen();
    await Promise.all([twice.close(), twice.close()]);
    await twice.close();
  });
});
