// The HTTP side of the daemon: every resource of the API, joined to the parts that it shows.

import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { Archive } from '../archive/archive.ts';
import type { LoadedConfig } from '../config/load.ts';
import { Account } from '../http/account.ts';
import { eventsRoute } from '../http/api/events.ts';
import { type Health, healthRoute } from '../http/api/health.ts';
import { metricsRoute } from '../http/api/metrics.ts';
import { openApiRoute } from '../http/api/openapi.ts';
import { sessionRoutes } from '../http/api/session.ts';
import { EventFeed } from '../http/event-feed.ts';
import { createHttpServer, type HttpServer } from '../http/http-server.ts';
import { createMetrics } from '../http/metrics.ts';
import { isLoopbackName } from '../http/own-names.ts';
import { readRelaySecret } from '../http/relay-socket.ts';
import { Sessions } from '../http/sessions.ts';
import { readStaticFiles } from '../http/static-files.ts';
import type { Log } from '../util/log.ts';

/** Where `make` puts the app: beside `src/`, and beside the bundle in a package. */
const APP_FOLDER = join(import.meta.dirname, '..', '..', 'ui', 'dist');

export interface ApiParts {
  readonly loaded: LoadedConfig;
  readonly log: Log;
  readonly archive: Archive;
  readonly associations: () => number;
  readonly health: () => Promise<Health>;
}

/** Everything of the daemon that speaks HTTP; `close` of the server comes before that of what it shows. */
export async function createApi(parts: ApiParts): Promise<{ http: HttpServer; feed: EventFeed }> {
  const { loaded, log, archive } = parts;
  const { config, dataDirectory } = loaded;
  const { version } = packageJson;
  const account = await Account.open(dataDirectory);
  const sessions = new Sessions();
  const feed = new EventFeed();
  const isReachable = !isLoopbackName(config.http.host);
  if (isReachable && !account.isSet) {
    log.warn('the app answers nobody off this machine until an account is set: angiovault account USER');
  }
  const routes = [
    healthRoute({ version, health: parts.health, log }),
    metricsRoute(createMetrics({ archive, associations: parts.associations })),
    ...sessionRoutes({
      account,
      sessions,
      isReachable,
      onSignIn: (user, address, succeeded) =>
        log[succeeded ? 'info' : 'warn'](succeeded ? 'signed in' : 'sign-in refused', { user, address }),
      onAccountSet: (by, user) => log.info('account set', { by, user }),
    }),
    eventsRoute(feed),
  ];
  const { host, port, names, socket, relaySecretFile } = config.http;
  const http = createHttpServer({
    host,
    port,
    names,
    relay:
      socket === undefined
        ? undefined
        : {
            socket: resolve(dataDirectory, socket),
            secret: await readRelaySecret(resolve(dataDirectory, relaySecretFile)),
          },
    routes: [...routes, openApiRoute(version, routes)],
    staticFiles: await readStaticFiles(APP_FOLDER),
    account,
    sessions,
    log,
  });
  return { http, feed };
}
