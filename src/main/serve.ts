// The daemon: builds every part once, in order, serves until a signal ends it, and closes in the opposite order.

import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Archive } from '../archive/archive.ts';
import { LiveConfig } from '../config/live-config.ts';
import type { LoadOptions } from '../config/load.ts';
import { formatHostPort } from '../config/peer-address.ts';
import { EventFeed } from '../http/event-feed.ts';
import { ExpectedInstances } from '../scp/expected-instances.ts';
import { messageOf } from '../util/errors.ts';
import { collectAfterStart } from '../util/garbage.ts';
import type { Log } from '../util/log.ts';
import { createLogger } from '../util/logger.ts';
import { createApi } from './api.ts';
import { applyConfig, logPolicyOf } from './apply-config.ts';
import { LiveAssociations } from './associations.ts';
import { Contacts } from './contacts.ts';
import { createJobs } from './jobs.ts';
import { createListener } from './listener.ts';
import { loadUsable, openArchive } from './open-archive.ts';
import { complain, EXIT, exitCodeOf, say, usable } from './program.ts';
import { loadSecureTransport } from './secure-transport.ts';
import { stopSignal } from './stop-signal.ts';
import { TestReports } from './test-reports.ts';
import { startUpkeep } from './upkeep.ts';

/** SIGTERM is answered within 10 s: what is being received gets most of that. */
const GRACE_MS = 8000;
const LATE = 'ended before everything was closed; the next start sees to what is left';
/** How often this daemon looks for others that have died. */
const ADOPT_EVERY_MS = 2000;

/** Runs until a signal ends it. */
export async function serve(options: LoadOptions): Promise<number> {
  let tell = complain;
  const stopping = stopSignal(() => tell(LATE), EXIT.done);

  const loaded = await loadUsable(options);
  const secure = await loadSecureTransport(loaded);
  const settings = new LiveConfig(loaded);
  const config = () => settings.current;
  const feed = new EventFeed();
  const logger = createLogger({
    directory: loaded.logDirectory,
    ...logPolicyOf(config()),
    onLine: () => feed.publish('log', {}),
  });
  const { log } = logger;
  tell = log.error;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => logger.close());
  try {
    const { archive, storage, catalog, overrides } = await openArchive(loaded, log, stack, config);
    const expected = new ExpectedInstances();
    const parts = createJobs({ config, secure, archive, catalog, log, arrivals: expected });
    const { queue: jobs, commitments, forwarding, takeReport, fetchBack } = parts;
    const associations = new LiveAssociations(() => feed.publish('associations', {}));
    const onRequest = associations.observer;
    const reports = new TestReports();
    const { listener, secureListener, callers, unknownCallers } = createListener({
      ...{ config, secure, archive, commitments, expected, onRequest, log },
      takeReport: reports.before(takeReport),
    });
    const listeners = secureListener === undefined ? [listener] : [listener, secureListener];
    for (const one of listeners) associations.follow(one);
    const contacts = await Contacts.open(join(loaded.dataDirectory, 'contacts.json'), log, (aeTitle) =>
      feed.publish('peers', { aeTitle }, aeTitle),
    );
    stack.defer(() => contacts.close());
    for (const one of listeners) {
      one.on('association', ({ callingAeTitle }) => {
        if (callers.peer(callingAeTitle) !== undefined) contacts.called(callingAeTitle);
      });
    }
    let state: 'starting' | 'ok' | 'stopping' = 'starting';
    const dimseAt = await usable('dimse.port', () => listener.listen());
    stack.defer(() => listener.close(0));
    const securelyAt = await usable('dimse.tls.port', async () => secureListener?.listen());
    stack.defer(() => secureListener?.close(0));
    let dimse = dimseAt;
    settings.apply = applyConfig({
      ...{ listener, secureListener, callers, secure, logger, forwarding },
      onMoved: (to) => {
        dimse = to;
        log.info('listening anew', { dimse: formatHostPort(to.host, to.port) });
      },
    });
    const upkeep = startUpkeep({
      ...{ config: config(), archive, storage, catalog, overrides, log, forwarding, fetchBack },
    });
    stack.defer(() => upkeep.stop());
    const http = await usable('http', () =>
      createApi({
        ...{ loaded, secure, settings, log, archive, catalog, jobs, forwarding, feed },
        ...{ associations, contacts, unknownCallers },
        ...{ expected, reports, storage, upkeep },
        dimse: () => dimse,
        health: async () => {
          if (state !== 'ok') return { status: state, detail: `the archive is ${state}` };
          await archive.counts();
          await storage.checkSpace();
          return { status: 'ok' };
        },
      }),
    );
    const httpAt = await usable('http.port', () => http.listen());
    stack.defer(() => http.close());
    stack.defer(() => feed.close());
    await usable('catalog', async () => {
      await jobs.start();
      await forwarding.start();
    });
    stack.defer(async () => {
      forwarding.stop();
      await jobs.stop();
    });
    state = 'ok';
    const at = {
      dimse: formatHostPort(dimseAt.host, dimseAt.port),
      http: config().http.port === 'off' ? 'off' : formatHostPort(httpAt.host, httpAt.port),
    };
    log.info('ready', {
      ...at,
      ...(securelyAt === undefined ? {} : { tls: formatHostPort(securelyAt.host, securelyAt.port) }),
      aeTitle: config().aeTitle,
      peers: callers.count,
    });
    say(`ready dimse=${at.dimse} http=${at.http}`);
    // For the next start, which then takes half the time and 20 MB less; a program that is killed leaves no such cache.
    flushCompileCache();
    collectAfterStart();

    const adopting = setInterval(() => void adopt(archive, log), ADOPT_EVERY_MS);
    stack.defer(() => clearInterval(adopting));
    log.info('stopping', { signal: await stopping });
    state = 'stopping';
    forwarding.stop();
    await Promise.all([jobs.stop(), upkeep.stop(), ...listeners.map((one) => one.close(GRACE_MS))]);
    log.info('stopped');
    return EXIT.done;
  } catch (error) {
    // The log tells it on standard error too.
    log.error(`cannot serve: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

async function adopt(archive: Archive, log: Log): Promise<void> {
  try {
    const instances = await archive.adopt();
    if (instances > 0) log.warn('another daemon has gone; brought in what it had left', { instances });
  } catch (error) {
    if (error instanceof DOMException) return; // stopping
    log.error(`what another daemon has left cannot be brought in yet: ${messageOf(error)}`);
  }
}
