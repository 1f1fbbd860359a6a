// The HTTP door: Koa on bounded Node servers, one on a TCP port and, for DSM's desktop, one on a unix socket.
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import Koa from 'koa';
import { codeOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';
import type { Account } from './account.ts';
import { authentication, type Door, isStranger } from './authentication.ts';
import { guard } from './guard.ts';
import { ownNames } from './own-names.ts';
import { inTurn, Pace } from './pace.ts';
import { problems, rawProblemResponse } from './problem.ts';
import { Refusals } from './refusals.ts';
import { removeStaleSocket } from './relay-socket.ts';
import type { Route } from './route.ts';
import { createRouter, type DoorState } from './router.ts';
import type { Sessions } from './sessions.ts';
import { type StaticFiles, serveStatic } from './static-files.ts';
import { closeServer, TcpDoor } from './tcp-door.ts';

const MAX_HEADER_BYTES = 16 * 1024;
const TIMES = {
  headersTimeout: 10_000,
  // Of the whole request; the body has a shorter one of its own.
  requestTimeout: 30_000,
  bodyTimeout: 10_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 5000,
  /** So long strangers wait when there are many. */
  strangerHold: 5000,
};
const MAX_CONNECTIONS = 256;

export interface HttpServerOptions {
  readonly host: string;
  /** off: the relay's socket is the only door. Whoever else has an account on the machine would be let in by TCP. */
  readonly port: number | 'off';
  /** Further names under which this machine is asked. */
  readonly names?: readonly string[];
  readonly relay?: { readonly socket: string; readonly secret: string } | undefined;
  readonly routes: readonly Route[];
  readonly staticFiles?: StaticFiles;
  readonly account: Account;
  readonly sessions: Sessions;
  readonly log: Log;
  /** In milliseconds; those of TIMES unless a test is in a hurry. */
  readonly times?: Partial<typeof TIMES>;
}

export interface HttpServer {
  /** Where it answers; without a TCP port nowhere, which is port 0. Rejects with the system's error, such as EADDRINUSE. */
  listen(): Promise<{ host: string; port: number }>;
  /** Lets running requests end, for a moment. */
  close(): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const refusals = new Refusals(options.log);
  const { relay } = options;
  const tcp = new TcpDoor(serverFor({ kind: 'tcp' }, options, refusals), {
    ...{ port: options.port === 'off' ? 0 : options.port, host: options.host },
    maxConnections: MAX_CONNECTIONS,
    onFull: () => refusals.note('connections beyond the limit', { limit: MAX_CONNECTIONS }),
  });
  const unix =
    relay === undefined ? undefined : serverFor({ kind: 'relay', secret: relay.secret }, options, refusals);
  return {
    listen: async () => {
      const at = options.port === 'off' ? undefined : await tcp.listen();
      if (unix !== undefined && relay !== undefined) {
        await removeStaleSocket(relay.socket);
        unix.maxConnections = MAX_CONNECTIONS;
        unix.listen(relay.socket);
        await once(unix, 'listening');
        // The desktop's CGI runs as the same user.
        await chmod(relay.socket, 0o600);
      }
      return { host: at?.address ?? options.host, port: at?.port ?? 0 };
    },
    close: async () => {
      await Promise.all([tcp.close(), unix?.listening ? closeServer(unix) : undefined]);
    },
  };
}

function serverFor(door: Door, options: HttpServerOptions, refusals: Refusals): Server {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, ...TIMES, ...options.times },
    application(door, options, refusals).callback(),
  );
  server.on('clientError', refuseMalformed);
  return server;
}

function application(door: Door, options: HttpServerOptions, refusals: Refusals): Koa<DoorState> {
  const { account, sessions, log, routes, staticFiles } = options;
  const { bodyTimeout, strangerHold } = { ...TIMES, ...options.times };
  const router = createRouter(routes, bodyTimeout);
  const koa = new Koa<DoorState>();
  // What fails after the answer began, such as a requester that hung up, is worth one quiet line.
  koa.on('error', (error) => log.debug('http answer failed', { error }));
  koa.use(problems(log));
  if (door.kind === 'tcp') {
    const waits = { pace: new Pace(), holdMs: strangerHold, refusals };
    koa.use(inTurn({ ...waits, isStranger: (context) => isStranger(context, options) }));
  }
  koa.use(guard({ door: door.kind, isOwnHost: ownNames(options.host, options.names ?? []), refusals }));
  koa.use(authentication({ door, account, sessions, refusals }));
  if (staticFiles !== undefined) koa.use(serveStatic(staticFiles));
  koa.use(router.routes());
  koa.use(router.allowedMethods());
  return koa;
}

const MALFORMED: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `The headers are larger than ${MAX_HEADER_BYTES} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** A request that Node's parser did not take gets its answer on the bare connection. */
function refuseMalformed(error: Error, connection: Duplex): void {
  const [status, detail] = MALFORMED[codeOf(error) ?? ''] ?? [400, 'This is not an HTTP/1.1 request.'];
  if (connection.writable) connection.end(rawProblemResponse(status, detail));
  else connection.destroy();
}
