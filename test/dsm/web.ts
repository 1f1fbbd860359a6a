// DSM's web server: login, the desktop with its windows, packages' static files and CGIs, the web API. CGIs run as the
// owner of their file, without DSM having looked who calls.
import { randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { desktopPage } from './desktop-page.ts';
import { type Machine, ROOT_USER } from './machine.ts';

/** Sources differ on what a package's user gets from authenticate.cgi. */
export type AuthenticateMode = 'works' | 'may not be run' | 'prints nothing';

export interface WebOptions {
  readonly authenticate?: AuthenticateMode;
  /** The loopback web API, which is not documented. */
  readonly webApi?: boolean;
}

interface Session {
  readonly user: string;
  readonly synoToken: string;
}

const THIRD_PARTY = '/webman/3rdparty/';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const PROGRAM = 'usr/syno/synoman/webman/authenticate.cgi';
const SESSIONS = 'usr/syno/sessions';
const MAX_CGI_HEAD_BYTES = 64 << 10;

export class DsmWeb implements AsyncDisposable {
  readonly port: number;
  /** Command line of each CGI that ran, with the user under which it did. */
  readonly cgiUsers: string[] = [];
  readonly #machine: Machine;
  readonly #server: Server;
  readonly #sessions = new Map<string, Session>();
  #options: WebOptions;

  private constructor(machine: Machine, server: Server, options: WebOptions) {
    this.#machine = machine;
    this.#server = server;
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(`${error}`);
      });
    });
    this.setOptions(options);
  }

  static async start(machine: Machine, options: WebOptions = {}): Promise<DsmWeb> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DsmWeb(machine, server, options);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  setOptions(options: WebOptions): void {
    this.#options = options;
    const mode = options.authenticate ?? 'works';
    writeFileSync(this.#machine.path(PROGRAM), mode === 'prints nothing' ? '#!/bin/sh\n' : AUTHENTICATE, {
      mode: 0o755,
    });
    // root:system 0750, as one source saw it.
    if (mode === 'may not be run') writeFileSync(this.#machine.path(PROGRAM), AUTHENTICATE);
    this.#machine.chmod(PROGRAM, mode === 'may not be run' ? 0o750 : 0o755);
  }

  /** What the browser has after logging in. */
  logIn(user: string): { readonly cookie: string; readonly synoToken: string } {
    const id = randomBytes(16).toString('hex');
    const session = { user, synoToken: randomBytes(12).toString('base64url') };
    this.#sessions.set(id, session);
    this.#writeSessions();
    return { cookie: `id=${id}`, synoToken: session.synoToken };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Where authenticate.cgi looks: cookie, token and user in one line. */
  #writeSessions(): void {
    const lines = [...this.#sessions].map(([id, { user, synoToken }]) => `${id} ${synoToken} ${user}`);
    writeFileSync(this.#machine.path(SESSIONS), `${lines.join('\n')}\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname === '/login') return this.#login(url, response);
    if (url.pathname === '/') {
      const session = this.#sessionOf(request);
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(
        session === undefined
          ? 'Log in to DSM'
          : desktopPage(this.#machine, session, url.searchParams.get('lang') ?? 'enu'),
      );
      return;
    }
    if (url.pathname === '/webapi/entry.cgi') return this.#webApi(request, url, response);
    if (!url.pathname.startsWith(THIRD_PARTY)) {
      response.writeHead(404).end();
      return;
    }
    const script = /^(?<script>.*?\.cgi)(?<rest>\/.*)?$/.exec(url.pathname)?.groups;
    const file = this.#fileOf(script?.script ?? url.pathname);
    if (file === undefined) response.writeHead(404).end();
    else if (script === undefined)
      response
        .writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' })
        .end(readFileSync(this.#machine.path(file)));
    else await this.#cgi(file, script.script ?? '', script.rest, request, url, response);
  }

  #login(url: URL, response: ServerResponse): void {
    const { cookie } = this.logIn(url.searchParams.get('user') ?? '');
    response.writeHead(302, { 'Set-Cookie': `${cookie}; path=/; HttpOnly`, Location: '/' }).end();
  }

  /** The file below the package's ui folder, through DSM's link to it. */
  #fileOf(pathname: string): string | undefined {
    const [name = '', ...rest] = decodeURIComponent(pathname.slice(THIRD_PARTY.length)).split('/');
    if (rest.includes('..') || name === '') return undefined;
    const linked = lstatSync(this.#machine.path(`usr/syno/synoman/webman/3rdparty/${name}`), {
      throwIfNoEntry: false,
    });
    if (linked === undefined) return undefined;
    const file = `volume1/@appstore/${name}/ui/${rest.join('/')}`;
    return lstatSync(this.#machine.path(file), { throwIfNoEntry: false })?.isFile() ? file : undefined;
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    const id = /(?:^|; )id=(?<id>[0-9a-f]+)/.exec(request.headers.cookie ?? '')?.groups?.id;
    return this.#sessions.get(id ?? '');
  }

  #webApi(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const session = this.#sessionOf(request);
    const token = request.headers['x-syno-token'] ?? url.searchParams.get('SynoToken');
    const isAsked =
      url.searchParams.get('api') === 'SYNO.Core.Desktop.Initdata' &&
      url.searchParams.get('method') === 'get_user_service';
    const answer = (body: object) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (this.#options.webApi === false || !isAsked) answer({ success: false, error: { code: 102 } });
    else if (session === undefined || token !== session.synoToken)
      answer({ success: false, error: { code: 119 } });
    else
      answer({
        success: true,
        data: { Session: { user: session.user, is_admin: this.#isAdministrator(session.user) } },
      });
  }

  #isAdministrator(user: string): boolean {
    const line = readFileSync(this.#machine.path('etc/group'), 'utf8')
      .split('\n')
      .find((group) => group.startsWith('administrators:'));
    return line?.split(':')[3]?.split(',').includes(user) === true;
  }

  async #cgi(
    file: string,
    scriptName: string,
    pathInfo: string | undefined,
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<void> {
    const owner = this.#machine.userOf(lstatSync(this.#machine.path(file)).uid);
    this.cgiUsers.push(owner.name);
    const headers = Object.entries(request.headers).map(
      ([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, `${value}`] as const,
    );
    const child = this.#machine.spawn([`/${file}`], {
      as: owner.uid === ROOT_USER.uid ? ROOT_USER : owner,
      env: {
        ...Object.fromEntries(headers),
        GATEWAY_INTERFACE: 'CGI/1.1',
        REQUEST_METHOD: request.method ?? '',
        REQUEST_URI: request.url ?? '',
        SCRIPT_NAME: scriptName,
        ...(pathInfo !== undefined && { PATH_INFO: decodeURIComponent(pathInfo) }),
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        CONTENT_LENGTH: request.headers['content-length'] ?? '',
        REMOTE_ADDR: request.socket.remoteAddress ?? '',
        SERVER_ADDR: '127.0.0.1',
        SERVER_PORT: `${this.port}`,
        HTTPS: '',
      },
    });
    response.once('close', () => child.kill('SIGKILL'));
    child.stdin?.on('error', () => undefined);
    if (child.stdin) request.pipe(child.stdin);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    let head: Buffer | undefined = Buffer.alloc(0);
    child.stdout?.on('data', (chunk: Buffer) => {
      if (head === undefined) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1 && head.length < MAX_CGI_HEAD_BYTES) return;
      const lines = head
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      const status = Number(lines.find(([name]) => name === 'Status')?.[1]?.split(' ')[0] ?? 200);
      response.writeHead(status, lines.filter(([name]) => name !== 'Status').flat() as string[]);
      response.write(head.subarray(end + 4));
      head = undefined;
    });
    await new Promise((resolve) => child.once('close', resolve));
    if (head !== undefined) response.writeHead(502).end(`the CGI gave no answer: ${said}`);
    else response.end();
  }
}

/** Synology's program: prints the user to whom the cookie, and with it the token, belongs. */
const AUTHENTICATE = `#!/bin/sh
[ "$REQUEST_METHOD" = GET ] || exit 1
id=\${HTTP_COOKIE##*id=}
id=\${id%%;*}
token=\${QUERY_STRING##*SynoToken=}
token=\${token%%&*}
[ -n "$HTTP_X_SYNO_TOKEN" ] && token=$HTTP_X_SYNO_TOKEN
while read -r known secret user; do
  [ -n "$known" ] && [ "$known" = "$id" ] && [ "$secret" = "$token" ] && printf '%s\\n' "$user"
done </${SESSIONS}
exit 0
`;
