// Who may ask: this machine, whoever signed in, the relay; and nobody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { link, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { Account } from '../../../src/http/account.ts';
import { sessionRoutes } from '../../../src/http/api/session.ts';
import type { HttpServer } from '../../../src/http/http-server.ts';
import { readRelaySecret } from '../../../src/http/relay-socket.ts';
import { route } from '../../../src/http/route.ts';
import { Sessions } from '../../../src/http/sessions.ts';
import { SignInThrottle } from '../../../src/http/sign-in-throttle.ts';
import { type HttpAsk, httpAsk, httpServer } from '../../support/http-site.ts';
import { strangerAddress } from '../../support/stranger-address.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const PASSWORD = 'correct horse';
const secretThing = route({
  method: 'GET',
  path: '/api/secret',
  summary: 'Something',
  answer: z.object({ user: z.string() }),
  handle: ({ caller }) => ({ user: caller.user ?? '' }),
});
const localThing = route({
  method: 'GET',
  path: '/api/local',
  summary: 'Something for this machine',
  access: 'this-machine',
  answer: z.object({}),
  handle: () => ({}),
});

interface Site extends AsyncDisposable {
  readonly account: Account;
  readonly folder: string;
  ask(path: string, ask?: HttpAsk): ReturnType<typeof httpAsk>;
  signIn(password: string): ReturnType<typeof httpAsk>;
}

async function site(options: { host?: string; relay?: boolean } = {}): Promise<Site> {
  const folder = await tempFolder('sessions');
  const account = await Account.open(folder.path);
  const sessions = new Sessions();
  const host = options.host ?? '127.0.0.1';
  const socket = join(folder.path, 'relay.sock');
  const server: HttpServer = await httpServer({
    host,
    account,
    sessions,
    relay: options.relay ? { socket, secret: 'r'.repeat(32) } : undefined,
    routes: [
      secretThing,
      localThing,
      ...sessionRoutes({
        account,
        sessions,
        isReachable: host !== '127.0.0.1',
        onSignIn: () => {},
        onAccountSet: async () => {},
      }),
    ],
  });
  const { port } = await server.listen();
  const ask: Site['ask'] = (path, one) =>
    httpAsk(port, path, options.relay ? { socketPath: socket, ...one } : { host, ...one });
  return {
    account,
    folder: folder.path,
    ask,
    signIn: (password) => ask('/api/session', { method: 'POST', body: { user: 'admin', password } }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const cookieOf = (headers: NodeJS.Dict<string | string[]>) => String(headers['set-cookie']).split(';')[0]!;

describe('on loopback', () => {
  test('without an account everything answers; with one nothing, until somebody signs in', async () => {
    await using here = await site();
    assert.deepEqual((await here.ask('/api/session')).json, {
      mode: 'open',
      authenticated: true,
      accountNeeded: false,
    });
    assert.equal((await here.ask('/api/secret')).status, 200);
    const set = await here.ask('/api/account', {
      method: 'PUT',
      body: { user: 'admin', password: PASSWORD },
    });
    assert.equal(set.status, 204);
    const refused = await here.ask('/api/secret');
    assert.equal(refused.status, 401);
    assert.equal(refused.json.code, 'not-signed-in');
    assert.equal((await here.ask('/api/local')).status, 200);

    const signedIn = await here.signIn(PASSWORD);
    assert.equal(signedIn.status, 204);
    assert.match(String(signedIn.headers['set-cookie']), /; HttpOnly; SameSite=Strict/);
    const headers = { Cookie: cookieOf(signedIn.headers) };
    assert.deepEqual((await here.ask('/api/secret', { headers })).json, { user: 'admin' });

    await here.ask('/api/session', { method: 'DELETE', headers });
    assert.equal((await here.ask('/api/secret', { headers })).status, 401);
  });

  test('a new password needs the old one and ends every session', async () => {
    await using here = await site();
    await here.account.set('admin', PASSWORD);
    const headers = { Cookie: cookieOf((await here.signIn(PASSWORD)).headers) };
    const change = (oldPassword: string) =>
      here.ask('/api/account', {
        method: 'PUT',
        headers,
        body: { user: 'admin', password: 'another password', oldPassword },
      });
    assert.equal((await change('wrong')).status, 403);
    assert.equal((await change(PASSWORD)).status, 204);
    assert.equal((await here.ask('/api/secret', { headers })).status, 401);
    assert.equal((await here.signIn(PASSWORD)).status, 401);
    assert.equal((await here.signIn('another password')).status, 204);
  });

  test('a short password is refused, and the answer does not show it', async () => {
    await using here = await site();
    const { status, text } = await here.ask('/api/account', {
      method: 'PUT',
      body: { user: 'admin', password: 'geheim' },
    });
    assert.equal(status, 422);
    assert.doesNotMatch(text, /geheim/);
  });

  test('the account survives in a file for its owner only, without the password', async () => {
    await using here = await site();
    await here.account.set('admin', PASSWORD);
    const file = join(here.folder, 'account.json');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(file, 'utf8'), /horse/);
    const again = await Account.open(here.folder);
    assert.ok(await again.matches('admin', PASSWORD));
    assert.ok(!(await again.matches('other', PASSWORD)));
    await writeFile(file, '{}');
    await assert.rejects(Account.open(here.folder), { code: 'account-unreadable' });
  });
});

describe('from another machine', () => {
  test('without an account nothing answers but the session, and none can be set', async () => {
    await using stranger = await strangerAddress();
    await using here = await site({ host: stranger.address });
    assert.deepEqual((await here.ask('/api/session')).json, {
      mode: 'password',
      authenticated: false,
      accountNeeded: true,
    });
    for (const path of ['/api/secret', '/api/local']) assert.equal((await here.ask(path)).status, 401, path);
    const set = await here.ask('/api/account', {
      method: 'PUT',
      body: { user: 'admin', password: PASSWORD },
    });
    assert.equal(set.status, 401);
    assert.ok(!here.account.isSet);
    assert.equal((await here.signIn(PASSWORD)).json.code, 'no-account');
  });

  test('a Host that names another machine is refused even with a session', async () => {
    await using stranger = await strangerAddress();
    await using here = await site({ host: stranger.address });
    await here.account.set('admin', PASSWORD);
    const cookie = cookieOf((await here.signIn(PASSWORD)).headers);
    assert.equal((await here.ask('/api/secret', { headers: { Cookie: cookie } })).status, 200);
    const foreign = await here.ask('/api/secret', { headers: { Cookie: cookie, Host: 'evil.example' } });
    assert.equal(foreign.status, 421);
  });
});

describe('guessing', () => {
  test('five wrong passwords from one address, and the next has to wait, right or wrong', async () => {
    let now = 0;
    const throttle = new SignInThrottle(() => now);
    const attempt = (isRight: boolean, address = 'a') => throttle.compare(address, async () => isRight);
    for (let n = 0; n < 5; n += 1) assert.equal(await attempt(false), false);
    await assert.rejects(attempt(true), { code: 'too-many-attempts', headers: { 'Retry-After': '2' } });
    assert.equal(await attempt(true, 'b'), true, 'another address is not held up');
    now += 2000;
    assert.equal(await attempt(false), false);
    await assert.rejects(attempt(true), { headers: { 'Retry-After': '4' } });
    now += 4000;
    assert.equal(await attempt(true), true);
    assert.equal(await attempt(true), true);
  });

  test('from ever new addresses fifty attempts, and then everybody has to wait', async () => {
    const throttle = new SignInThrottle(() => 0);
    for (let n = 0; n < 50; n += 1) await throttle.compare(`10.0.0.${n}`, async () => false);
    await assert.rejects(
      throttle.compare('10.0.1.1', async () => false),
      { code: 'too-many-attempts' },
    );
  });

  test('at most two comparisons run at a time: each takes 64 MiB', async () => {
    const throttle = new SignInThrottle();
    const gate = Promise.withResolvers<boolean>();
    const running = [throttle.compare('a', () => gate.promise), throttle.compare('b', () => gate.promise)];
    await assert.rejects(
      throttle.compare('c', () => gate.promise),
      { code: 'too-many-attempts' },
    );
    gate.resolve(true);
    await Promise.all(running);
  });
});

test('sessions end after 12 hours without use, and after 7 days with it', () => {
  let now = 0;
  const hour = 3600_000;
  const sessions = new Sessions(() => now);
  const token = sessions.begin('admin');
  for (let n = 0; n < 15; n += 1) {
    now += 11 * hour;
    assert.equal(sessions.user(token), 'admin');
  }
  now += 11 * hour;
  assert.equal(sessions.user(token), undefined);
  const idle = sessions.begin('admin');
  now += 13 * hour;
  assert.equal(sessions.user(idle), undefined);
});

describe('the relay', () => {
  const RELAY = {
    'X-AngioVault-Relay': 'r'.repeat(32),
    'X-AngioVault-User': 'anna',
    'X-AngioVault-Language': 'chs',
  };

  test('with the secret everything answers, whatever Host and Origin the desktop has', async () => {
    await using here = await site({ relay: true });
    await here.account.set('admin', PASSWORD);
    const headers = { ...RELAY, Host: 'nas:5001', Origin: 'https://nas:5001' };
    assert.deepEqual((await here.ask('/api/secret', { headers })).json, { user: 'anna' });
    const { json } = await here.ask('/api/session', { headers });
    assert.deepEqual([json.mode, json.user, json.language], ['relay', 'anna', 'zh-CN']);
    const set = { method: 'PUT', headers, body: { user: 'admin', password: 'new password' } };
    assert.equal((await here.ask('/api/account', set)).status, 204);
  });

  for (const secret of ['', 'r', 's'.repeat(32), 'r'.repeat(33)]) {
    test(`with the secret "${secret}" nothing answers, not even the session`, async () => {
      await using here = await site({ relay: true });
      const headers = { ...RELAY, 'X-AngioVault-Relay': secret };
      for (const path of ['/api/session', '/api/local', '/']) {
        assert.equal((await here.ask(path, { headers })).status, 401, path);
      }
    });
  }

  test('its headers mean nothing on the TCP port', async () => {
    await using here = await site();
    await here.account.set('admin', PASSWORD);
    assert.equal((await here.ask('/api/secret', { headers: RELAY })).status, 401);
  });

  test('the secret is made once, for its owner only', async () => {
    await using folder = await tempFolder('relay');
    const file = join(folder.path, 'secret');
    const secret = await readRelaySecret(file);
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.equal(await readRelaySecret(file), secret);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await writeFile(file, 'short');
    await assert.rejects(readRelaySecret(file), { code: 'relay-secret-short' });
  });

  test('a socket left behind by a killed daemon is taken over, one in use is not', async () => {
    await using folder = await tempFolder('relay');
    const socket = join(folder.path, 'relay.sock');
    const other = createServer().listen(socket);
    await once(other, 'listening');
    const relay = { socket, secret: 'r'.repeat(32) };
    const first = await httpServer({ routes: [], relay });
    await assert.rejects(first.listen(), { code: 'EADDRINUSE' });
    await first.close();
    // A second name for the socket is what is left of it when the daemon could not remove the first.
    await link(socket, `${socket}.old`);
    other.close();
    await once(other, 'close');
    await rename(`${socket}.old`, socket);
    const second = await httpServer({ routes: [], relay });
    await second.listen();
    await second.close();
  });
});
