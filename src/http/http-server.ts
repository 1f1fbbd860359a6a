// The HTTP door: Koa on a bounded Node server. Today it answers for health and metrics, on loopback.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import Router from '@koa/router';
import Koa from 'koa';
import type { Registry } from 'prom-client';
import { codeOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';
import { type Health, healthRoute } from './api/health.ts';
import { openApi } from './api/openapi.ts';
import { guard } from './guard.ts';
import { problems, rawProblemResponse } from './problem.ts';

const HEALTH_TIMEOUT_MS = 5000;
const CLOSE_GRACE_MS = 1000;
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
};
const MAX_CONNECTIONS = 100;

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly health: () => Promise<Health> | Health;
  readonly registry: Registry;
  readonly log: Log;
  /** How long health may take to answer. */
  readonly healthTimeoutMs?: number;
}

export interface HttpServer {
  /** Rejects with the system's error, such as EADDRINUSE. */
  listen(): Promise<{ host: string; port: number }>;
  /** Lets running requests end, for a moment. */
  close(): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const server = createServer(LIMITS, application(options).callback());
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseMalformed);
  return {
    listen: async () => {
      server.listen(options.port, options.host);
      await once(server, 'listening');
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    },
    close: () => close(server),
  };
}

function application({ version, health, registry, log, healthTimeoutMs }: HttpServerOptions): Koa {
  const timeoutMs = healthTimeoutMs ?? HEALTH_TIMEOUT_MS;
  const router = new Router({ strict: true, sensitive: true });
  router.get('/api/health', healthRoute({ version, health, timeoutMs, log }));
  router.get('/api/openapi.json', (context) => {
    context.body = openApi(version);
  });
  router.get('/metrics', async (context) => {
    context.body = await registry.metrics();
    context.set('Content-Type', registry.contentType);
  });
  const koa = new Koa();
  // What fails after the answer began, such as a requester that hung up, is worth one quiet line.
  koa.on('error', (error) => log.debug('http answer failed', { error }));
  koa.use(problems(log));
  koa.use(guard());
  koa.use(router.routes());
  koa.use(router.allowedMethods());
  return koa;
}

const MALFORMED: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `The headers are larger than ${LIMITS.maxHeaderSize} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** A request that Node's parser did not take gets its answer on the bare connection. */
function refuseMalformed(error: Error, connection: Duplex): void {
  const [status, detail] = MALFORMED[codeOf(error) ?? ''] ?? [400, 'This is not an HTTP/1.1 request.'];
  if (connection.writable) connection.end(rawProblemResponse(status, detail));
  else connection.destroy();
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  // Node ends idle connections by itself; those in the middle of a request get the grace.
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
