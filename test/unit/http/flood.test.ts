// A flood of requests is bounded in connections, in what one connection asks for, and in what strangers get a second.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { Account } from '../../../src/http/account.ts';
import { Pace } from '../../../src/http/pace.ts';
import { SESSION_COOKIE, Sessions } from '../../../src/http/sessions.ts';
import { TcpDoor } from '../../../src/http/tcp-door.ts';
import { codeOf } from '../../../src/util/errors.ts';
import { httpAsk, httpServer } from '../../support/http-site.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

const refused = (port: number) =>
  assert.rejects(connected(port), (error) => ['ECONNREFUSED', 'ECONNRESET'].includes(codeOf(error) ?? ''));

describe('connections', () => {
  test('no more than allowed: the next are refused by the kernel, until a quarter has ended', async () => {
    let full = 0;
    const server = createServer((_, response) => response.end('hello'));
    const door = new TcpDoor(server, {
      ...{ port: 0, host: '127.0.0.1', maxConnections: 4 },
      onFull: () => {
        full += 1;
      },
    });
    const { port } = await door.listen();
    const here = [];
    for (let at = 0; at < 4; at++) here.push(await connected(port));
    // Until the fourth has been taken, the kernel still lets people in.
    while (server.listening) await new Promise((resolve) => setImmediate(resolve));
    await refused(port);
    assert.equal(full, 1);
    const listening = once(server, 'listening');
    here.pop()?.destroy();
    await listening;
    assert.equal((await httpAsk(port, '/')).text, 'hello');

    // Also while nobody listens, closing ends everything.
    here.push(await connected(port));
    while (server.listening) await new Promise((resolve) => setImmediate(resolve));
    await door.close();
    await refused(port);
  });

  test('one that asks for hundreds of things at once is ended', async () => {
    const server = await httpServer({ routes: [] });
    const { port } = await server.listen();
    const socket = await connected(port);
    socket.write('GET /api/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    assert.ok((text.match(/HTTP\/1\.1 /g)?.length ?? 0) < 500);
    await server.close();
  });
});

describe('strangers', () => {
  test('200 at once, then 20 a second', () => {
    let now = 0;
    const pace = new Pace(() => now);
    const taken = () => Array.from({ length: 300 }, () => pace.takes()).filter(Boolean).length;
    assert.equal(taken(), 200);
    now += 1000;
    assert.equal(taken(), 20);
    now += 3_600_000;
    assert.equal(taken(), 200);
  });

  test('beyond that they are answered late, and whoever is signed in is not', async () => {
    await using folder = await tempFolder('flood');
    const account = await Account.open(folder.path);
    await account.set('admin', 'a long enough password');
    const sessions = new Sessions();
    const token = sessions.begin('admin');
    const server = await httpServer({ routes: [], account, sessions, times: { strangerHold: 1000 } });
    const { port } = await server.listen();
    const start = performance.now();
    const took = async (headers = {}) => {
      const { status } = await httpAsk(port, '/api/nothing', { headers });
      assert.equal(status, 404);
      return performance.now() - start;
    };
    for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: 50 }, () => took()));
    const stranger = Promise.all(Array.from({ length: 100 }, () => took())).then((all) => Math.max(...all));
    const began = performance.now();
    const known = await took({ Cookie: `${SESSION_COOKIE}=${token}` });
    assert.ok(known <= (await stranger), 'the one who signed in is not behind them');
    assert.ok((await stranger) - (began - start) >= 900, 'the last of them had to wait');
    await server.close();
  });
});
