// `angiovault account`: the administrator's account from the command line, where a forgotten password is mended too.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startDaemon } from '../support/daemon.ts';
import { httpAsk } from '../support/http-site.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const FIRST = 'a long enough password';
const SECOND = '另一个足够长的密码，不止十个字';

let folder: TempFolder;
before(async () => {
  folder = await tempFolder('account');
});
after(() => folder[Symbol.asyncDispose]());

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Types a password, as a person or a script does. */
function account(user: string, password: string): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const args = ['--disable-warning=ExperimentalWarning', MAIN, 'account', user, '--data', folder.path];
  const child = execFile(process.execPath, args, (error, stdout, stderr) =>
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
  );
  child.stdin?.end(`${password}\n`);
  return promise;
}

const file = () => join(folder.path, 'account.json');

/** What a daemon that starts now answers: without a session, and to whoever signs in with each of these. */
async function statusOf(...signIns: [user: string, password: string][]): Promise<number[]> {
  await using daemon = await startDaemon({ dataDir: folder.path });
  const answers = [(await httpAsk(daemon.httpPort, '/api/status')).status];
  for (const [user, password] of signIns) {
    const body = { user, password };
    answers.push((await httpAsk(daemon.httpPort, '/api/session', { method: 'POST', body })).status);
  }
  return answers;
}

describe('angiovault account', () => {
  test('sets it: from then on nothing is told without it; the password is nowhere in the clear', async () => {
    const { code, stdout, stderr } = await account('admin', FIRST);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /the account of admin is set/);
    assert.doesNotMatch(stdout + (await readFile(file(), 'utf8')), new RegExp(FIRST));
    assert.equal((await stat(file())).mode & 0o777, 0o600);
    assert.deepEqual(await statusOf(['admin', FIRST]), [401, 204]);
  });

  test('sets another one without asking for the old: only that one counts', async () => {
    assert.equal((await account('radiographer', SECOND)).code, 0);
    assert.deepEqual(await statusOf(['admin', FIRST], ['radiographer', SECOND]), [401, 401, 204]);
  });

  test('a password that is too short, or none: exit 2, a line that does not show it, and all is as it was', async () => {
    const before = await readFile(file());
    for (const password of ['2short', '']) {
      const { code, stderr } = await account('admin', password);
      assert.equal(code, 2);
      assert.match(stderr, /^[^\n]*the password wants at least 10 characters\n$/);
      assert.doesNotMatch(stderr, /2short/);
    }
    assert.deepEqual(await readFile(file()), before);
  });

  test('its file removed, there is none: this machine is let in without', async () => {
    await rm(file());
    assert.deepEqual(await statusOf(), [200]);
  });
});
