// What is done by the clock: everything stored is read again, the trash is emptied, the space is watched. What needs a
// person becomes a notice.

import { schedule } from 'node-cron';
import type { Archive } from '../archive/archive.ts';
import { IntegrityService } from '../archive/integrity.ts';
import { Notices } from '../archive/notices.ts';
import type { FetchBack } from '../archive/repair.ts';
import type { CharacterSetOverrides } from '../archive/stored-record.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/schema.ts';
import { dsmNotifications } from '../dsm/notifications.ts';
import type { DestinationTrouble, Forwarding } from '../jobs/forwarding.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MEGABYTE = 1_000_000;
/** After an instance has come, so long the disk belongs to the senders. */
const BUSY_MS = 10_000;
const EVERY_HOUR = '7 * * * *';

export interface UpkeepSite {
  readonly config: Config;
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  readonly log: Log;
  readonly forwarding: Forwarding;
  readonly fetchBack?: FetchBack;
}

export interface Upkeep {
  readonly integrity: IntegrityService;
  readonly notices: Notices;
  /** When everything that is due is read again. */
  readonly nextRunAt: () => Date | undefined;
  stop(): Promise<void>;
}

export function startUpkeep(site: UpkeepSite): Upkeep {
  const { config, archive, storage, catalog, overrides, log, fetchBack } = site;
  const now = () => new Date();
  const notices = new Notices(catalog, now);
  logNotices(notices, log);
  notices.on('raised', dsmNotifications(log));
  let usedAt = Number.NEGATIVE_INFINITY;
  archive.on('instanceStored', () => {
    usedAt = performance.now();
  });
  const integrity = new IntegrityService({
    ...{ storage, catalog, overrides, notices, now },
    ...(fetchBack === undefined ? {} : { fetchBack }),
    aeTitle: config.aeTitle,
    store: (input, dataSet) => archive.store(input, dataSet),
    withoutReceptions: (uids, work) => archive.withoutReceptions(uids, work),
    bytesPerSecond: config.integrity.megabytesPerSecond * MEGABYTE,
    days: config.integrity.days,
    isBusy: () => performance.now() - usedAt < BUSY_MS,
  });
  const running = new Set<Promise<void>>();
  const doing = (what: string, work: () => Promise<void>) => () => {
    const done = inWords(what, work, log).finally(() => running.delete(done));
    running.add(done);
    return done;
  };
  archive.on('suspect', (instance) => void doing('integrity', () => integrity.suspect(instance))());
  const look = doing('upkeep', () => lookAround(site, notices));
  const check = () => checkWithin(integrity, config.integrity.hours * HOUR_MS, log);
  const tasks = [schedule(config.integrity.start, doing('integrity', check)), schedule(EVERY_HOUR, look)];
  void look();
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    for (const task of tasks) await task.destroy();
    await integrity.stop();
    await Promise.all(running);
  };
  return {
    integrity,
    notices,
    nextRunAt: () => tasks[0]?.getNextRun() ?? undefined,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** One window: what is not read by its end is read in the next one. */
async function checkWithin(integrity: IntegrityService, ms: number, log: Log): Promise<void> {
  const end = setTimeout(() => void integrity.stop(), ms);
  try {
    const { state, files, bytes, findings, repaired } = await integrity.run();
    log.info('integrity check', { state, files, bytes, findings, repaired });
  } finally {
    clearTimeout(end);
  }
}

/** Interrupted deletions are finished, old ones emptied; the space, and other archives, are told of. */
async function lookAround(site: UpkeepSite, notices: Notices): Promise<void> {
  const { archive, config, log } = site;
  await archive.finishDeletions();
  const emptied = await archive.emptyTrash(new Date(Date.now() - config.trash.days * DAY_MS));
  if (emptied.deletions > 0) log.info('trash emptied', { ...emptied });
  await tellSpace(archive, notices);
  await tellTroubles(notices, await site.forwarding.troubles(new Date(Date.now() - DAY_MS)));
}

async function tellSpace(archive: Archive, notices: Notices): Promise<void> {
  const { level, fullOn, daysLeft, freeBytes } = await archive.spaceForecast();
  if (level === undefined) return notices.clear('space');
  const when = fullOn === undefined || daysLeft === undefined ? {} : { fullOn, daysLeft };
  await notices.raise({ code: 'space', level, params: { freeBytes, ...when } });
}

const TROUBLES: ReadonlySet<string> = new Set(['second-archive-behind', 'commitment-failing']);

/** One notice for each kind and destination, and none for what is over. */
export async function tellTroubles(notices: Notices, troubles: readonly DestinationTrouble[]): Promise<void> {
  for (const { code, destination, ...params } of troubles) {
    const notice = { code, level: 'warning', subject: destination } as const;
    await notices.raise({ ...notice, params: { destination, ...params } });
  }
  for (const { code, params } of await notices.list()) {
    const isOpen = troubles.some((one) => one.code === code && one.destination === params.destination);
    if (TROUBLES.has(code) && !isOpen) await notices.clear(code, `${params.destination}`);
  }
}

async function inWords(what: string, work: () => Promise<void>, log: Log): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error(`${what} failed: ${messageOf(error)}`);
  }
}

function logNotices(notices: Notices, log: Log): void {
  notices.on('raised', ({ code, level, params }) =>
    log[level === 'info' ? 'info' : level === 'warning' ? 'warn' : 'error'](`notice: ${code}`, { ...params }),
  );
  notices.on('cleared', (key) => log.info(`notice cleared: ${key}`));
}
