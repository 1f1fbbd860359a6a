// The door of the desktop app: anonymous, an ordinary user, an administrator; forged cookies, headers and tokens; the
// page of another site; answers that stream. With each way in which DSM may tell who it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { storeOnce } from '../support/archive-state.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { addressOf, makeNas, type Nas, OLD, packageOf } from './support.ts';
import { type AuthenticateMode, DsmWeb } from './web.ts';

const API = '/webman/3rdparty/AngioVault/api.cgi';
let nas: Nas;
let web: DsmWeb;

before(async () => {
  nas = await makeNas();
  nas.machine.addUser('admin', 1024, 100, ['administrators']);
  nas.machine.addUser('nurse', 1026, 100);
  const outcome = await nas.center.install(packageOf(OLD), { wizard: nas.wizard });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
  web = await DsmWeb.start(nas.machine);
});
after(async () => {
  await web[Symbol.asyncDispose]();
  await nas[Symbol.asyncDispose]();
});

interface Asking {
  readonly cookie?: string;
  readonly token?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** As config.js has the app ask. */
function ask(
  path: string,
  { cookie = '', token, method = 'GET', headers = {}, body }: Asking = {},
): Promise<Response> {
  const own = token === undefined ? '' : `SynoToken=${token}&`;
  return fetch(`${web.url}${API}?${own}lang=chs&p=${path}`, {
    method,
    headers: { cookie, ...headers },
    ...(body !== undefined && { body }),
  });
}

const codeIn = async (response: Response) => ((await response.json()) as { code?: string }).code;

describe('who is served', () => {
  const modes: readonly [AuthenticateMode, webApi: boolean][] = [
    ['works', false],
    ['works', true],
    ['may not be run', true],
    ['prints nothing', true],
  ];
  for (const [authenticate, webApi] of modes) {
    describe(`authenticate.cgi ${authenticate}, the web API ${webApi ? 'answers' : 'does not'}`, () => {
      before(() => web.setOptions({ authenticate, webApi }));

      test('an administrator is served', async () => {
        const { cookie, synoToken } = web.logIn('admin');
        const response = await ask('/api/session', { cookie, token: synoToken });
        assert.equal(response.status, 200, await response.clone().text());
        const session = (await response.json()) as Record<string, unknown>;
        assert.equal(session.user, 'admin');
      });
      test('an ordinary user is not', async () => {
        const { cookie, synoToken } = web.logIn('nurse');
        const response = await ask('/api/session', { cookie, token: synoToken });
        assert.equal(response.status, 403);
        assert.equal(await codeIn(response), 'not-administrator');
      });
      test('nobody anonymous is', async () => {
        assert.equal((await ask('/api/session')).status, 401);
      });
      test('nor a forged cookie', async () => {
        const { synoToken } = web.logIn('admin');
        assert.equal(
          (await ask('/api/session', { cookie: 'id=0123456789abcdef', token: synoToken })).status,
          401,
        );
      });
      test('nor a session with a forged token, or without one', async () => {
        const { cookie } = web.logIn('admin');
        assert.equal((await ask('/api/session', { cookie, token: 'forged' })).status, 401);
        assert.equal((await ask('/api/session', { cookie })).status, 401);
      });
    });
  }

  test('where DSM tells nothing at all, nobody', async () => {
    web.setOptions({ authenticate: 'prints nothing', webApi: false });
    const { cookie, synoToken } = web.logIn('admin');
    assert.equal((await ask('/api/session', { cookie, token: synoToken })).status, 401);
    web.setOptions({});
  });
});

describe('what an outsider may try', () => {
  const forged = {
    'X-AngioVault-User': 'admin',
    'X-AngioVault-Relay': '0'.repeat(64),
    'X-Forwarded-User': 'admin',
    'Remote-User': 'admin',
  };
  test('headers that say who one is', async () => {
    assert.equal((await ask('/api/session', { headers: forged })).status, 401);
    const { cookie, synoToken } = web.logIn('nurse');
    assert.equal((await ask('/api/session', { cookie, token: synoToken, headers: forged })).status, 403);
  });
  test('a user in the query', async () => {
    const response = await fetch(`${web.url}${API}?user=admin&p=/api/session`);
    assert.equal(response.status, 401);
  });

  const { raw } = { raw: (path: string, cookie: string, token: string) => ask(path, { cookie, token }) };
  for (const path of [
    '',
    '/',
    '/etc/passwd',
    '/api/../metrics',
    '/api/%0d%0aX: y',
    '//host/api',
    '/api/a b',
  ]) {
    test(`the address ${JSON.stringify(path)}`, async () => {
      const { cookie, synoToken } = web.logIn('admin');
      assert.ok([400, 404].includes((await raw(path, cookie, synoToken)).status));
    });
  }

  test('a change from the page of another site', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    const change = { cookie, token: synoToken, method: 'POST', body: '{}' };
    const own = { 'X-AngioVault': '1', 'Content-Type': 'application/json' };
    assert.equal(
      await codeIn(
        await ask('/api/jobs', { ...change, headers: { ...own, Origin: 'https://evil.example' } }),
      ),
      'foreign-origin',
    );
    assert.equal(
      await codeIn(
        await ask('/api/jobs', { ...change, headers: { ...own, 'Sec-Fetch-Site': 'cross-site' } }),
      ),
      'foreign-origin',
    );
    assert.equal(await codeIn(await ask('/api/jobs', change)), 'header-missing');
  });
  test('a method that nobody knows, a body without end', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    assert.equal((await ask('/api/session', { cookie, token: synoToken, method: 'PROPFIND' })).status, 405);
    const headers = { 'X-AngioVault': '1', 'Content-Type': 'application/json' };
    const large = await ask('/api/jobs', {
      cookie,
      token: synoToken,
      method: 'POST',
      headers,
      body: 'x'.repeat((64 << 20) + 1),
    }).catch(() => undefined);
    assert.ok(large === undefined || large.status === 413);
  });
});

test('the CGI runs as the user of the package', () => {
  assert.deepEqual(new Set(web.cgiUsers), new Set(['angiovault']));
});

test('the daemon has no port beside DICOM, and its socket is nobody else’s', async () => {
  const listening = execFileSync('ss', ['-ltnp'], { encoding: 'utf8' });
  const own = nas.machine
    .processesOf(nas.center.installed?.user ?? assert.fail())
    .map((line) => line.split(' ')[0]);
  const ports = listening.split('\n').filter((line) => own.some((pid) => line.includes(`pid=${pid},`)));
  assert.equal(ports.length, 1, ports.join('\n'));
  const nurse = nas.machine.userNamed('nurse') ?? assert.fail();
  const tried = await nas.machine.run(
    [
      '/bin/sh',
      '-c',
      'cat /volume1/@appdata/AngioVault/relay-secret; cat /volume1/@appdata/AngioVault/config.json; ls -l /volume1/@appdata/AngioVault/run',
    ],
    { as: nurse },
  );
  assert.equal(tried.stdout, '');
});

describe('answers', () => {
  test('a change reaches the daemon with its body; its own answer comes back', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    const headers = { 'X-AngioVault': '1', 'Content-Type': 'application/json', Origin: web.url };
    const peer = { aeTitle: 'DSA', host: '192.168.1.20', port: 104 };
    const made = await ask('/api/peers', {
      cookie,
      token: synoToken,
      method: 'POST',
      headers,
      body: JSON.stringify(peer),
    });
    assert.ok(made.ok, `${made.status} ${await made.clone().text()}`);
    const peers = await (await ask('/api/peers', { cookie, token: synoToken })).text();
    assert.ok(peers.includes('192.168.1.20'), peers);
  });

  test('a problem of the daemon is its own', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    const response = await ask('/api/nothing-of-that-name', { cookie, token: synoToken });
    assert.equal(response.status, 404);
    assert.match(response.headers.get('content-type') ?? '', /problem\+json/);
  });

  test('events arrive when they happen', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    const stop = new AbortController();
    const response = await fetch(`${web.url}${API}?SynoToken=${synoToken}&p=/api/events`, {
      headers: { cookie, accept: 'text/event-stream' },
      signal: stop.signal,
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /event-stream/);
    let text = '';
    const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader();
    assert.equal(await storeOnce(addressOf(nas), madeInstance()), 0);
    while (!text.includes('event: instances')) {
      const { done, value } = await reader.read();
      assert.equal(done, false, text);
      text += value;
    }
    stop.abort();
  });

  test('not running: 503 and what to do', async () => {
    await nas.center.stop();
    const { cookie, synoToken } = web.logIn('admin');
    const response = await ask('/api/session', { cookie, token: synoToken });
    assert.equal(response.status, 503);
    assert.equal(await codeIn(response), 'not-running');
    assert.equal((await nas.center.start()).success, true);
  });

  test('the path may also stand behind the script', async () => {
    const { cookie, synoToken } = web.logIn('admin');
    const response = await fetch(`${web.url}${API}/api/session?SynoToken=${synoToken}`, {
      headers: { cookie },
    });
    assert.equal(response.status, 200);
  });
});
