// What a kind of job is: its work, how long it is tried, and what its work may ask of the queue.

import type { Job } from '../catalog/job-store.ts';
import type { RetryPolicy } from './retry-policy.ts';

export type { Job, JobState, JobTitle } from '../catalog/job-store.ts';

export const PRIORITY = { promised: 1, asked: 3, routine: 5, background: 8 } as const;

export interface JobContext {
  /** Aborted when the job was cancelled, when the program stops, and when the lease was lost. Work that is aborted
   *  rejects; what it had done must not do harm when it is done again. */
  readonly signal: AbortSignal;
  /** For people to see. */
  progress(done: number, total: number): void;
  /** Durable when it resolves; the next attempt finds it in `job.checkpoint`. */
  checkpoint(value: Job['checkpoint']): Promise<void>;
  /** To be awaited between steps of work that nobody waits for: makes room while others use the archive. */
  giveWay(): Promise<void>;
}

export interface JobKind {
  readonly kind: string;
  readonly priority: number;
  readonly retry: RetryPolicy;
  /** Of this kind at the same time in one daemon; 1 when not said. */
  readonly atOnce?: number;
  /** Resolves when the job is done; with `againAt` when it is to run again then. A JobFailure that is final ends it,
   *  anything else that is thrown is tried again as `retry` says. */
  run(job: Job, context: JobContext): Promise<{ readonly againAt?: Date } | undefined>;
}
