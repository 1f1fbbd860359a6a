// The queue of jobs with all its kinds, joined to the archive and to the log.

import type { Archive } from '../archive/archive.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config, Peer } from '../config/schema.ts';
import { commitmentKind, type ReportPeer } from '../jobs/commitment-job.ts';
import { Commitments } from '../jobs/commitments.ts';
import type { Job } from '../jobs/job-kind.ts';
import { JobQueue } from '../jobs/job-queue.ts';
import { OpenReports } from '../jobs/open-reports.ts';
import { sendKind } from '../jobs/send-job.ts';
import type { Log } from '../util/log.ts';

/** After an instance has come, so long the archive counts as being used. */
const BUSY_MS = 3000;

export interface JobsSite {
  /** As it is now: peers come and go while the program runs. */
  readonly config: () => Config;
  readonly archive: Archive;
  readonly catalog: Catalog;
  readonly log: Log;
}

export interface Jobs {
  readonly queue: JobQueue;
  readonly commitments: Commitments;
}

export function createJobs({ config, archive, catalog, log }: JobsSite): Jobs {
  const aeTitle = () => config().aeTitle;
  const now = () => new Date();
  const peerOf = (title: string) => config().peers.find((peer) => peer.aeTitle === title);
  let usedAt = Number.NEGATIVE_INFINITY;
  archive.on('instanceStored', () => {
    usedAt = performance.now();
  });
  const open = new OpenReports();
  const queue = new JobQueue({
    store: catalog.jobs,
    kinds: [
      sendKind({ archive, aeTitle, peerOf }),
      commitmentKind({
        ...{ archive, aeTitle, open, now },
        reportPeerOf: (title) => reportPeer(peerOf(title)),
      }),
    ],
    now,
    isBusy: () => performance.now() - usedAt < BUSY_MS,
  });
  logJobs(queue, log);
  return { queue, commitments: new Commitments(queue, open, now) };
}

/** Where a peer takes reports of storage commitment. */
function reportPeer(peer: Peer | undefined): ReportPeer | undefined {
  if (peer === undefined) return undefined;
  const { host, commitment } = peer;
  return {
    ...{ host, report: commitment.report },
    aeTitle: commitment.aeTitle ?? peer.aeTitle,
    port: commitment.port ?? peer.port,
  };
}

/** One line per job that ends or fails, not per one that has nothing to do. */
function logJobs({ runner }: JobQueue, log: Log): void {
  const named = ({ id, kind, title }: Job) => ({ job: id, kind, ...title });
  runner.on('settled', (job, outcome) => {
    const error = 'error' in outcome ? outcome.error : undefined;
    if (outcome.state === 'failed') log.error('job failed', { ...named(job), error });
    else if (outcome.state === 'waiting' && error !== undefined) {
      log.warn('job is tried again', { ...named(job), attempt: job.attempts, at: outcome.dueAt, error });
    } else if (outcome.state !== 'waiting') log.info(`job ${outcome.state}`, named(job));
  });
  runner.on('fault', (reason) => log.error('the queue of jobs cannot be reached', { reason }));
}
