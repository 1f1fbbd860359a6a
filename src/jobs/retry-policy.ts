// When a job that failed is tried again, and when for the last time.

import type { Job, Outcome } from '../catalog/job-store.ts';
import { messageOf } from '../util/errors.ts';
import { JobFailure } from './job-failure.ts';

export interface RetryPolicy {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Since the job was made; after that it has failed. */
  readonly giveUpMs: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Somebody waits for it. */
export const FOR_A_DAY: RetryPolicy = { firstMs: 10 * SECOND, longestMs: HOUR / 2, giveUpMs: DAY };
/** A promise to a peer that may be switched off over a long weekend. */
export const FOR_A_WEEK: RetryPolicy = { firstMs: 10 * SECOND, longestMs: HOUR, giveUpMs: 7 * DAY };
/** What has to happen one day. */
export const FOR_EVER: RetryPolicy = {
  firstMs: 10 * SECOND,
  longestMs: HOUR / 4,
  giveUpMs: Number.POSITIVE_INFINITY,
};

/** What becomes of a job whose attempt failed. */
export function outcomeOfFailure(job: Job, error: unknown, policy: RetryPolicy, now: Date): Outcome {
  const words = messageOf(error);
  if (error instanceof JobFailure && error.isFinal) return { state: 'failed', error: words };
  const dueAt = now.getTime() + delayMs(policy, job.attempts);
  const lastAt = Date.parse(job.createdAt) + policy.giveUpMs;
  if (now.getTime() >= lastAt) {
    return { state: 'failed', error: `given up after ${job.attempts} attempts: ${words}` };
  }
  // The last attempt falls on the last moment.
  return { state: 'waiting', dueAt: new Date(Math.min(dueAt, lastAt)).toISOString(), error: words };
}

/** Doubles from attempt to attempt. */
export function delayMs({ firstMs, longestMs }: RetryPolicy, attempts: number): number {
  return Math.min(firstMs * 2 ** Math.min(Math.max(0, attempts - 1), 30), longestMs);
}
