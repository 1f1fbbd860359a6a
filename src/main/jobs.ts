// The queue of jobs with all its kinds, joined to the archive and to the log.

import type { Archive } from '../archive/archive.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config, Peer } from '../config/schema.ts';
import { commitmentKind, type ReportPeer } from '../jobs/commitment-job.ts';
import { Commitments } from '../jobs/commitments.ts';
import { type Destination, deliveryKind, reportTaker } from '../jobs/delivery-job.ts';
import { type Arrivals, fetchBackFrom } from '../jobs/fetch-back.ts';
import { fillKind } from '../jobs/fill-job.ts';
import { Forwarding, type ForwardingSettings } from '../jobs/forwarding.ts';
import type { Job } from '../jobs/job-kind.ts';
import { JobQueue } from '../jobs/job-queue.ts';
import { OpenReports } from '../jobs/open-reports.ts';
import { sendKind } from '../jobs/send-job.ts';
import type { TakeReport } from '../scu/commitment-request.ts';
import type { SecureTransport } from '../ul/tls.ts';
import type { Log } from '../util/log.ts';
import { type Reached, reached } from './secure-transport.ts';

/** After an instance has come, so long the archive counts as being used. */
const BUSY_MS = 3000;

export interface JobsSite {
  /** As it is now: peers come and go while the program runs. */
  readonly config: () => Config;
  readonly secure: SecureTransport;
  readonly archive: Archive;
  readonly catalog: Catalog;
  readonly log: Log;
  readonly arrivals: Arrivals;
}

export interface Jobs {
  readonly queue: JobQueue;
  readonly commitments: Commitments;
  readonly forwarding: Forwarding;
  readonly takeReport: TakeReport;
  /** For what is damaged or missing here. */
  readonly fetchBack: ReturnType<typeof fetchBackFrom>;
}

export function createJobs({ config, secure, archive, catalog, log, arrivals }: JobsSite): Jobs {
  const aeTitle = () => config().aeTitle;
  const now = () => new Date();
  const peerOf = (title: string) => {
    const peer = config().peers.find(({ aeTitle }) => aeTitle === title);
    return peer === undefined ? undefined : reached(peer, secure);
  };
  let usedAt = Number.NEGATIVE_INFINITY;
  const open = new OpenReports();
  const { deliveries } = catalog;
  const settings = () => forwardingSettings(config());
  const takeReport = reportTaker(deliveries, now);
  const queue = new JobQueue({
    store: catalog.jobs,
    kinds: [
      sendKind({ archive, aeTitle, peerOf }),
      commitmentKind({
        ...{ archive, aeTitle, open, now },
        reportPeerOf: (title) => reportPeer(peerOf(title)),
      }),
      deliveryKind({
        ...{ archive, deliveries, aeTitle, takeReport, now },
        destinationOf: (title) => destination(peerOf(title)),
      }),
      fillKind({
        ...{ deliveries, now },
        isArchive: (title) => settings().archives.includes(title),
        onAdded: (title) => forwarding.wake(title),
      }),
    ],
    now,
    isBusy: () => performance.now() - usedAt < BUSY_MS,
  });
  logJobs(queue, log);
  const forwarding: Forwarding = new Forwarding({
    ...{ queue, deliveries, settings },
    onFault: (reason) => log.error('forwarding cannot be woken', { reason }),
  });
  archive.on('instanceStored', ({ record }) => {
    usedAt = performance.now();
    forwarding.stored(record);
  });
  const archives = () =>
    config()
      .peers.filter(({ role }) => role === 'second-archive')
      .map((peer) => reached(peer, secure));
  const fetchBack = fetchBackFrom({ aeTitle, archives, arrivals });
  return { queue, commitments: new Commitments(queue, open, now), forwarding, takeReport, fetchBack };
}

/** What goes on from here by itself. */
export function forwardingSettings({ forwarding, peers }: Config): ForwardingSettings {
  const archives = peers.filter(({ role }) => role === 'second-archive').map(({ aeTitle }) => aeTitle);
  return { rules: forwarding, archives };
}

function destination(peer: Reached<Peer> | undefined): Destination | undefined {
  if (peer === undefined) return undefined;
  const { commitment, ...address } = peer;
  return { ...address, report: commitment.report };
}

/** Where a peer takes reports of storage commitment. */
function reportPeer(peer: Reached<Peer> | undefined): ReportPeer | undefined {
  if (peer === undefined) return undefined;
  const { commitment, ...address } = peer;
  return {
    ...address,
    report: commitment.report,
    aeTitle: commitment.aeTitle ?? peer.aeTitle,
    port: commitment.port ?? peer.port,
  };
}

/** They come to an end whenever there is nothing to do. */
const ROUTINE: ReadonlySet<string> = new Set(['deliver', 'fill']);

/** One line per job that ends or fails, not per one that has nothing to do. */
function logJobs({ runner }: JobQueue, log: Log): void {
  const named = ({ id, kind, title }: Job) => ({ job: id, kind, ...title });
  runner.on('settled', (job, outcome) => {
    const error = 'error' in outcome ? outcome.error : undefined;
    if (outcome.state === 'failed') log.error('job failed', { ...named(job), error });
    else if (outcome.state === 'waiting' && error !== undefined) {
      log.warn('job is tried again', { ...named(job), attempt: job.attempts, at: outcome.dueAt, error });
    } else if (outcome.state !== 'waiting') {
      log[ROUTINE.has(job.kind) ? 'debug' : 'info'](`job ${outcome.state}`, named(job));
    }
  });
  runner.on('fault', (reason) => log.error('the queue of jobs cannot be reached', { reason }));
}
