// The daemon: builds every part once, in order, serves until a signal ends it, and closes in the opposite order.

import type { LoadOptions } from '../config/load.ts';
import { formatHostPort } from '../config/peer-address.ts';
import { PATIENT_LOG_FIELDS } from '../config/schema.ts';
import { messageOf } from '../util/errors.ts';
import { createLogger } from '../util/logger.ts';
import { createApi } from './api.ts';
import { createJobs } from './jobs.ts';
import { createListener } from './listener.ts';
import { loadUsable, openArchive } from './open-archive.ts';
import { EXIT, exitCodeOf, say, usable } from './program.ts';

/** SIGTERM is answered within 10 s: what is being received gets most of that. */
const GRACE_MS = 8000;

/** Runs until a signal ends it. */
export async function serve(options: LoadOptions): Promise<number> {
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal));

  const loaded = await loadUsable(options);
  const { config } = loaded;
  const logger = createLogger({
    directory: loaded.logDirectory,
    level: config.log.level,
    hiddenFields: config.log.patientNames ? [] : PATIENT_LOG_FIELDS,
  });
  const { log } = logger;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => logger.close());
  try {
    const { archive, storage, catalog } = await openArchive(loaded, log, stack);
    const { queue: jobs, commitments } = createJobs({ config: () => config, archive, catalog, log });
    const { listener, callers } = createListener({ config, archive, commitments, log });
    let state: 'starting' | 'ok' | 'stopping' = 'starting';
    const { http, feed } = await usable('http', () =>
      createApi({
        loaded,
        log,
        archive,
        associations: () => listener.associations,
        health: async () => {
          if (state !== 'ok') return { status: state, detail: `the archive is ${state}` };
          await archive.counts();
          await storage.checkSpace();
          return { status: 'ok' };
        },
      }),
    );
    archive.on('instanceStored', ({ record }) => {
      const studyUid = record.study.uid;
      const one = (held?: { count: number }) => ({ studyUid, count: (held?.count ?? 0) + 1 });
      feed.publish('instances', one, studyUid);
    });
    const dimseAt = await usable('dimse.port', () => listener.listen());
    stack.defer(() => listener.close(0));
    const httpAt = await usable('http.port', () => http.listen());
    stack.defer(() => http.close());
    stack.defer(() => feed.close());
    await usable('catalog', () => jobs.start());
    stack.defer(() => jobs.stop());
    state = 'ok';
    log.info('ready', {
      dimse: formatHostPort(dimseAt.host, dimseAt.port),
      http: formatHostPort(httpAt.host, httpAt.port),
      aeTitle: config.aeTitle,
      peers: callers.count,
    });
    say(
      `ready dimse=${formatHostPort(dimseAt.host, dimseAt.port)} http=${formatHostPort(httpAt.host, httpAt.port)}`,
    );

    log.info('stopping', { signal: await stopping.promise });
    state = 'stopping';
    await Promise.all([jobs.stop(), listener.close(GRACE_MS)]);
    log.info('stopped');
    return EXIT.done;
  } catch (error) {
    // The log tells it on standard error too.
    log.error(`cannot serve: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}
