// Who is it? DSM authenticates nobody before a CGI: everybody in the network can call it. Two ways to ask DSM, both
// with what the browser sent: its own program, and, where the package's user may not run that or it says nothing, its
// web API on this machine. Only administrators are let in.

import { execFile } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Environment } from '../context.ts';
import { RelayProblem, type RelayRequest } from './request.ts';

const AUTHENTICATE = '/usr/syno/synoman/webman/authenticate.cgi';
const ADMINISTRATORS = 'administrators';
const PATIENCE_MS = 8000;
const MAX_ANSWER_BYTES = 1 << 20;

interface User {
  readonly name: string;
  readonly isAdministrator: boolean;
}

/** The administrator's name. Throws RelayProblem 401 or 403. */
export async function authenticate(environment: Environment, request: RelayRequest): Promise<string> {
  if ((environment.HTTP_COOKIE ?? '') === '') throw notLoggedIn();
  const user = (await fromProgram(environment, request)) ?? (await fromWebApi(environment, request));
  if (user === undefined) throw notLoggedIn();
  if (!user.isAdministrator) {
    const detail = 'AngioVault is for administrators of this NAS. Log in to DSM as one of them.';
    throw new RelayProblem(403, 'not-administrator', detail);
  }
  return user.name;
}

function notLoggedIn(): RelayProblem {
  return new RelayProblem(401, 'not-logged-in', 'Log in to DSM, then open AngioVault again.');
}

/** authenticate.cgi wants the environment of the CGI, and prints the user of the session. */
async function fromProgram(environment: Environment, { synoToken }: RelayRequest): Promise<User | undefined> {
  const asked = {
    ...environment,
    REQUEST_METHOD: 'GET',
    CONTENT_LENGTH: '',
    QUERY_STRING: synoToken === undefined ? '' : `SynoToken=${synoToken}`,
    ...(synoToken !== undefined && { HTTP_X_SYNO_TOKEN: synoToken }),
  };
  const name = (await outputOf(AUTHENTICATE, [], asked))?.trim();
  if (name === undefined || !isUserName(name)) return undefined;
  // `--`: a name is never an option.
  const groups = await outputOf('/usr/bin/id', ['-nG', '--', name], environment);
  return { name, isAdministrator: groups?.trim().split(/\s+/).includes(ADMINISTRATORS) === true };
}

/** Also `DOMAIN\user`. */
function isUserName(text: string): boolean {
  return /^[^\p{C}/:]{1,256}$/u.test(text);
}

function outputOf(program: string, args: readonly string[], env: Environment): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const options = { env: { ...env }, timeout: PATIENCE_MS, maxBuffer: MAX_ANSWER_BYTES };
  try {
    const child = execFile(program, args, options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
    child.stdin?.end();
  } catch {
    // A variable that no process can be given: whoever sent it is not served.
    resolve(undefined);
  }
  return promise;
}

/** The session's user as DSM's desktop itself asks for it. */
async function fromWebApi(environment: Environment, request: RelayRequest): Promise<User | undefined> {
  for (const base of webApis(environment)) {
    const answer = await ask(base, environment, request);
    const user = answer === undefined ? undefined : sessionUser(answer);
    if (user !== undefined) return user;
  }
  return undefined;
}

/** The port that was called first; behind a portal of its own DSM is at its usual ports. */
function webApis({ SERVER_PORT: port = '', HTTPS: https = '' }: Environment): string[] {
  const called = /^\d{1,5}$/.test(port) ? [`${https === 'on' ? 'https' : 'http'}://127.0.0.1:${port}`] : [];
  return [...new Set([...called, 'http://127.0.0.1:5000', 'https://127.0.0.1:5001'])];
}

function ask(base: string, environment: Environment, { synoToken }: RelayRequest): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const query = new URLSearchParams({
    api: 'SYNO.Core.Desktop.Initdata',
    version: '1',
    method: 'get_user_service',
  });
  const send = base.startsWith('https') ? httpsRequest : httpRequest;
  try {
    const asking = send(`${base}/webapi/entry.cgi?${query}`, {
      // The certificate of the NAS names its own host; this connection does not leave the machine.
      rejectUnauthorized: false,
      headers: {
        Cookie: environment.HTTP_COOKIE,
        ...(environment.HTTP_HOST !== undefined && { Host: environment.HTTP_HOST }),
        ...(environment.REMOTE_ADDR !== undefined && { 'X-Forwarded-For': environment.REMOTE_ADDR }),
        ...(synoToken !== undefined && { 'X-SYNO-TOKEN': synoToken }),
      },
    });
    asking.setTimeout(PATIENCE_MS, () => asking.destroy(new Error('silent')));
    asking.once('error', () => resolve(undefined));
    asking.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) asking.destroy(new Error('too long'));
        else chunks.push(chunk);
      });
      response.once('end', () => resolve(parsed(Buffer.concat(chunks).toString('utf8'))));
      response.once('error', () => resolve(undefined));
    });
    asking.end();
  } catch {
    // A header that HTTP does not allow.
    resolve(undefined);
  }
  return promise;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A login page, say: no answer to this question.
    return undefined;
  }
}

function sessionUser(answer: unknown): User | undefined {
  const { success, data } = answer as {
    success?: unknown;
    data?: { Session?: { user?: unknown; is_admin?: unknown } };
  };
  const { user, is_admin: isAdmin } = { ...data?.Session };
  if (success !== true || typeof user !== 'string' || !isUserName(user)) return undefined;
  return { name: user, isAdministrator: isAdmin === true };
}
