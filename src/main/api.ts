// The HTTP side of the daemon: every resource of the API, joined to the parts that it shows.

import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { Archive } from '../archive/archive.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LiveConfig } from '../config/live-config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { Account } from '../http/account.ts';
import { callerRoutes } from '../http/api/associations.ts';
import { changeConfig } from '../http/api/change-config.ts';
import { configRoutes } from '../http/api/config.ts';
import { deletionRoutes } from '../http/api/deletions.ts';
import { downloadRoute } from '../http/api/download.ts';
import { echoRoute } from '../http/api/echo.ts';
import { eventsRoute } from '../http/api/events.ts';
import { forwardingRoutes } from '../http/api/forwarding.ts';
import { forwardingRuleRoutes } from '../http/api/forwarding-rules.ts';
import { type Health, healthRoute } from '../http/api/health.ts';
import { instanceRoutes } from '../http/api/instances.ts';
import { integrityRoutes, integrityState } from '../http/api/integrity.ts';
import { jobRoutes } from '../http/api/jobs.ts';
import { logRoutes } from '../http/api/log.ts';
import { metricsRoute } from '../http/api/metrics.ts';
import { openApiRoute } from '../http/api/openapi.ts';
import { peerTestRoutes } from '../http/api/peer-tests.ts';
import { peerRoutes } from '../http/api/peers.ts';
import { proofRoute } from '../http/api/proof.ts';
import { sendRoute } from '../http/api/send.ts';
import { sessionRoutes } from '../http/api/session.ts';
import { type Space, statusRoutes } from '../http/api/status.ts';
import { studyRoutes } from '../http/api/studies.ts';
import { Audit } from '../http/audit.ts';
import type { EventFeed } from '../http/event-feed.ts';
import { createHttpServer, type HttpServer } from '../http/http-server.ts';
import { createMetrics } from '../http/metrics.ts';
import { isLoopbackName } from '../http/own-names.ts';
import { type Notice, PassingNotices } from '../http/passing-notices.ts';
import { PeerTests } from '../http/peer-tests.ts';
import { readRelaySecret } from '../http/relay-socket.ts';
import type { SafetyFacts } from '../http/safety.ts';
import { Sessions } from '../http/sessions.ts';
import { readStaticFiles } from '../http/static-files.ts';
import type { Forwarding } from '../jobs/forwarding.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { ExpectedInstances } from '../scp/expected-instances.ts';
import type { UnknownCallers } from '../scp/unknown-callers.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import type { SecureTransport } from '../ul/tls.ts';
import type { Log } from '../util/log.ts';
import type { LiveAssociations } from './associations.ts';
import type { Contacts } from './contacts.ts';
import { echoForApp } from './echo-peer.ts';
import { stepsFor } from './peer-test.ts';
import { reached } from './secure-transport.ts';
import type { TestReports } from './test-reports.ts';
import type { Upkeep } from './upkeep.ts';

/** Where `make` puts the app: beside `src/`, and beside the bundle in a package. */
const APP_FOLDER = join(import.meta.dirname, '..', '..', 'ui', 'dist');

export interface ApiParts {
  readonly loaded: LoadedConfig;
  readonly secure: SecureTransport;
  readonly settings: LiveConfig;
  readonly log: Log;
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly jobs: JobQueue;
  readonly forwarding: Forwarding;
  readonly feed: EventFeed;
  readonly associations: LiveAssociations;
  readonly contacts: Contacts;
  readonly unknownCallers: UnknownCallers;
  readonly expected: ExpectedInstances;
  readonly reports: TestReports;
  readonly upkeep: Upkeep;
  readonly dimse: () => { host: string; port: number };
  readonly health: () => Promise<Health>;
}

/** Everything of the daemon that speaks HTTP; it is closed before what it shows. */
export async function createApi(parts: ApiParts): Promise<HttpServer> {
  const { loaded, secure, settings, log, archive, catalog, jobs, feed, associations, contacts, forwarding } =
    parts;
  const { version } = packageJson;
  const { dataDirectory, logDirectory } = loaded;
  const { http } = settings.current;
  const account = await Account.open(dataDirectory);
  const audit = await Audit.open(join(dataDirectory, 'audit.jsonl'), log);
  const sessions = new Sessions();
  const notices = new PassingNotices(() => feed.publish('notices', {}));
  const isReachable = !isLoopbackName(http.host);
  if (isReachable && !account.isSet) {
    notices.set('warning', 'account-needed');
    log.warn('the app answers nobody off this machine until an account is set: angiovault account USER');
  }
  const change = changeConfig(settings, audit, ({ keys, applied }) => {
    if (applied === 'restart') notices.set('warning', 'restart-needed', { settings: keys.join(', ') });
    feed.publish('status', {});
    if (keys.includes('peers')) feed.publish('peers', {});
  });
  publishChanges(parts);
  const { integrity } = parts.upkeep;
  const tests = new PeerTests((id) => feed.publish('tests', { id }, id));
  const routes = [
    healthRoute({ version, health: parts.health, log }),
    metricsRoute(createMetrics({ archive, associations: () => associations.incoming })),
    ...sessionRoutes({
      account,
      sessions,
      isReachable,
      onSignIn: (user, address, succeeded) =>
        log[succeeded ? 'info' : 'warn'](succeeded ? 'signed in' : 'sign-in refused', { user, address }),
      onAccountSet: async (by, user) => {
        notices.clear('account-needed');
        await audit.record({ user: by, action: 'account-set', target: user });
      },
    }),
    ...statusRoutes({
      version,
      startedAt: new Date(),
      aeTitle: () => settings.current.aeTitle,
      dimse: parts.dimse,
      peers: () => settings.current.peers.length,
      counts: () => archive.counts(),
      pendingInstances: () => archive.pendingInstances,
      intake: async (from) =>
        (await catalog.ask('intake', from)).map(({ day, files, bytes }) => ({
          day,
          instances: files,
          bytes,
        })),
      space: async () => {
        // Without the catalogue there is no forecast, and still the space itself.
        const forecast = await archive.spaceForecast().catch(() => undefined);
        return roomOf(forecast ?? (await parts.storage.space()), forecast);
      },
      integrity: async () =>
        integrityState(integrity, await catalog.ask('openFindings', undefined), parts.upkeep.nextRunAt()),
      copies: () => copiesElsewhere(forwarding),
      notices: async () => [...(await lastingNotices(parts.upkeep)), ...notices.list()],
    }),
    ...configRoutes(settings, change),
    ...peerRoutes({ config: settings, change, lastContact: (aeTitle) => contacts.last(aeTitle) }),
    echoRoute((peer, signal) => echoForApp(reached(peer, secure), settings.current.aeTitle, signal)),
    ...callerRoutes({
      associations: () => associations.list(),
      unknownCallers: () =>
        parts.unknownCallers
          .list()
          .filter(({ aeTitle }) => settings.current.peers.every((peer) => peer.aeTitle !== aeTitle))
          .map(({ firstSeenAt, lastSeenAt, tried, ...caller }) => ({
            ...caller,
            firstSeenAt: firstSeenAt.toISOString(),
            lastSeenAt: lastSeenAt.toISOString(),
            tried: [...tried],
          })),
      forget: (aeTitle, address) => parts.unknownCallers.forget(aeTitle, address),
    }),
    ...studyRoutes({ archive }),
    ...instanceRoutes({ archive }),
    proofRoute({ archive }),
    downloadRoute({ archive }),
    sendRoute({
      ...{ archive, jobs, audit },
      isPeer: (title) => settings.current.peers.some(({ aeTitle }) => aeTitle === title),
    }),
    ...deletionRoutes({ archive, audit, trashDays: () => settings.current.trash.days }),
    ...integrityRoutes({
      ...{ integrity, audit },
      settings: () => settings.current.integrity,
      instances: async () => (await archive.counts()).instances,
      onFailure: (error) => log.error('the integrity check failed', { error }),
      onChange: () => feed.publish('findings', {}),
    }),
    ...peerTestRoutes(tests, settings, (peer) =>
      stepsFor(reached(peer, secure), {
        aeTitle: () => settings.current.aeTitle,
        expected: parts.expected,
        reports: parts.reports,
        holds: async (studyUid) => {
          for await (const page of archive.select({ studyUids: [studyUid] }))
            if (page.length > 0) return true;
          return false;
        },
      }),
    ),
    ...jobRoutes(jobs, audit),
    ...forwardingRuleRoutes({ config: settings, change }),
    ...forwardingRoutes(forwarding),
    ...logRoutes(logDirectory, audit),
    eventsRoute(feed),
  ];
  const { host, port, names, socket, relaySecretFile } = http;
  return createHttpServer({
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
}

function roomOf(
  { totalBytes, freeBytes, reserveBytes }: Omit<Space, 'level'>,
  forecast: { level: string | undefined; fullOn: string | undefined } | undefined,
): Space {
  const fullOn = forecast?.fullOn;
  const level = freeBytes <= reserveBytes ? 'full' : forecast?.level === undefined ? 'ok' : 'warning';
  return { totalBytes, freeBytes, reserveBytes, level, ...(fullOn === undefined ? {} : { fullOn }) };
}

/** Those that outlive the program. */
async function lastingNotices({ notices }: Upkeep): Promise<Notice[]> {
  return (await notices.list()).map(({ key, code, level, params, at }) => ({
    ...{ id: key, code, at },
    level: level === 'urgent' ? 'error' : level,
    params: { ...params },
  }));
}

/** What happens elsewhere, for the windows that are open. */
function publishChanges({ archive, jobs, feed, upkeep }: ApiParts): void {
  upkeep.notices.on('raised', () => feed.publish('notices', {}));
  upkeep.notices.on('cleared', () => feed.publish('notices', {}));
  archive.on('instanceStored', ({ record }) => {
    const studyUid = record.study.uid;
    const one = (held?: { count: number }) => ({ studyUid, count: (held?.count ?? 0) + 1 });
    feed.publish('instances', one, studyUid);
  });
  for (const event of ['started', 'settled'] as const) {
    jobs.runner.on(event, ({ id }: { id: number }) => feed.publish('jobs', { id: String(id) }, String(id)));
  }
}

/** The second archive that is furthest behind: as long as not everything has been looked through, none is up to date.
 *  And what other machines have got without confirming it. */
async function copiesElsewhere(
  forwarding: Forwarding,
): Promise<Pick<SafetyFacts, 'lagging' | 'uncommitted'>> {
  const destinations = await forwarding.status();
  const archives = destinations.filter(({ isSecondArchive }) => isSecondArchive);
  const lags = archives.map(({ destination, due, sent, refused, isSurveyed }) => ({
    aeTitle: destination,
    count: Math.max(due + sent + refused, isSurveyed ? 0 : 1),
  }));
  return {
    lagging: lags.sort((a, b) => b.count - a.count)[0],
    uncommitted: destinations
      .filter(({ sent, isSecondArchive }) => sent > 0 && !isSecondArchive)
      .map(({ destination, sent }) => ({ aeTitle: destination, count: sent })),
  };
}
