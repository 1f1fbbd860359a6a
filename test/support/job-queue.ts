// A queue of jobs in this process, with a clock that the test sets.
import { once } from 'node:events';
import type { Outcome } from '../../src/catalog/job-store.ts';
import type { Job, JobKind } from '../../src/jobs/job-kind.ts';
import { JobQueue, type JobQueueOptions } from '../../src/jobs/job-queue.ts';

export interface TestQueue {
  readonly queue: JobQueue;
  /** Sets the clock forward and lets the queue look. */
  later(ms: number): void;
  now(): Date;
  /** Resolves with the outcome of the next attempt, at this job when an id is given. */
  settled(id?: number): Promise<Outcome>;
}

export async function startQueue(
  test: { after(cleanUp: () => Promise<void>): void },
  options: Pick<JobQueueOptions, 'store' | 'kinds'> & Partial<JobQueueOptions>,
): Promise<TestQueue> {
  // Time stands still but for a tick each time it is looked at: on a slow machine, too, nothing becomes due before the
  // test says so, and waits for it.
  let time = Date.now();
  const now = () => {
    time += 1;
    return new Date(time);
  };
  const queue = new JobQueue({ now, isBusy: () => false, ...options });
  test.after(() => queue.stop());
  await queue.start();
  return {
    queue,
    now,
    later: (ms) => {
      time += ms;
      queue.runner.wake();
    },
    settled: async (id) => {
      for (;;) {
        const [job, outcome] = (await once(queue.runner, 'settled')) as [Job, Outcome];
        if (id === undefined || job.id === id) return outcome;
      }
    },
  };
}

/** A kind without other properties than its work. */
export function kindOf(kind: string, run: JobKind['run'], changes: Partial<JobKind> = {}): JobKind {
  const retry = { firstMs: 10_000, longestMs: 60_000, giveUpMs: 3_600_000 };
  return { kind, priority: 5, retry, run, ...changes };
}
