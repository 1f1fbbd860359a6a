// The real HTTP door with routes of a test's choice, and requests to it that can say anything.
import { once } from 'node:events';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { Account } from '../../src/http/account.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/http-server.ts';
import { Sessions } from '../../src/http/sessions.ts';
import { silentLog } from '../../src/util/log.ts';

/** Without an account, on loopback and a free port, unless said otherwise. */
export async function httpServer(
  options: Partial<HttpServerOptions> & Pick<HttpServerOptions, 'routes'>,
): Promise<HttpServer> {
  return createHttpServer({
    host: '127.0.0.1',
    port: 0,
    account: await Account.open('/nonexistent'),
    sessions: new Sessions(),
    log: silentLog,
    ...options,
  });
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** Parsed, when the answer is JSON or a problem. */
  readonly json: Record<string, unknown>;
}

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** An object goes as JSON. */
  readonly body?: string | Buffer | object;
  readonly host?: string;
  /** Unix socket instead of a port. */
  readonly socketPath?: string;
}

/** One request, with the headers that a program sends: `fetch` would not let a test lie about Host and Origin. */
export async function httpAsk(port: number, path: string, ask: HttpAsk = {}): Promise<HttpAnswer> {
  const { method = 'GET', host = '127.0.0.1', body, socketPath } = ask;
  const isJson = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
  const sent = isJson ? JSON.stringify(body) : body;
  const asked = request({
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    path,
    method,
    agent: false,
    headers: {
      ...(method === 'GET' ? {} : { 'X-AngioVault': '1' }),
      // Node leaves the length out of a DELETE.
      ...(sent === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) }),
      ...ask.headers,
    },
  });
  asked.end(sent);
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  const hasJson = /json/.test(String(answer.headers['content-type'])) && text !== '';
  return { status: answer.statusCode, headers: answer.headers, text, json: hasJson ? JSON.parse(text) : {} };
}
