// The queue as the rest of the program sees it: jobs are put in, looked at, cancelled; the kinds say what they do.

import { randomUUID } from 'node:crypto';
import type { Job, JobFilter, JobState, JobStore, JobSummary, JobTitle } from '../catalog/job-store.ts';
import type { JobKind } from './job-kind.ts';
import { JobRunner, type JobRunnerOptions } from './job-runner.ts';

export interface JobQueueOptions extends Pick<JobRunnerOptions, 'now' | 'isBusy' | 'leaseMs' | 'pollMs'> {
  readonly store: JobStore;
  readonly kinds: readonly JobKind[];
}

export interface JobRequest {
  readonly kind: string;
  readonly payload: Job['payload'];
  readonly title: JobTitle;
  /** There is one job of a key; asking for it twice is asking once. Without one it is a job of its own. */
  readonly key?: string;
  /** A job of this key that has ended runs again, one that runs will run once more. */
  readonly again?: boolean;
  readonly priority?: number;
  readonly dueAt?: Date;
}

/** A job for people to look at. */
export interface JobView {
  readonly id: number;
  readonly kind: string;
  readonly state: JobState;
  readonly title: JobTitle;
  readonly progress: { readonly done: number; readonly total: number };
  readonly attempts: number;
  readonly error: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it runs, for a job that waits. */
  readonly dueAt: string | undefined;
  readonly cancellable: boolean;
}

const KEPT_MS = 30 * 24 * 3_600_000;
const SWEEP_MS = 6 * 3_600_000;

export class JobQueue {
  readonly runner: JobRunner;
  readonly #store: JobStore;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #now: () => Date;
  #sweeping: NodeJS.Timeout | undefined;

  constructor({ store, kinds, ...options }: JobQueueOptions) {
    this.#store = store;
    this.#now = options.now;
    this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    this.runner = new JobRunner({ store, kinds: this.#kinds, ...options });
  }

  async start(): Promise<void> {
    await this.runner.start();
    this.#sweeping = setInterval(() => void this.#sweep(), SWEEP_MS);
    void this.#sweep();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.runner.stop();
  }

  /** Durable when it resolves. */
  async enqueue({ kind, payload, title, key, again, priority, dueAt }: JobRequest): Promise<JobView> {
    const known = this.#kinds.get(kind);
    if (known === undefined) throw new TypeError(`there is no kind of job called ${kind}`);
    const now = this.#now();
    const job = await this.#store.enqueue({
      ...{ kind, payload, title, key: key ?? randomUUID(), priority: priority ?? known.priority },
      dueAt: (dueAt ?? now).toISOString(),
      now: now.toISOString(),
      ...(again === undefined ? {} : { again }),
    });
    this.runner.wake();
    return this.#view(job);
  }

  async list(filter: JobFilter): Promise<JobView[]> {
    return (await this.#store.list(filter)).map((job) => this.#view(job));
  }

  async get(id: number): Promise<JobView | undefined> {
    const job = await this.#store.get(id);
    return job === undefined ? undefined : this.#view(job);
  }

  /** How many jobs there are, by kind and state. */
  tally(): ReturnType<JobStore['tally']> {
    return this.#store.tally(null);
  }

  /** A job that waits is cancelled at once, one that runs when its work has come to a stop. */
  async cancel(id: number): Promise<JobView | undefined> {
    const job = await this.#store.cancel({ id, now: this.#now().toISOString() });
    if (job?.isCancelling === true) this.runner.running(id)?.interrupt('cancelled');
    return job === undefined ? undefined : this.#view(job);
  }

  /** Lets a job that failed or was cancelled begin anew, and one that waits run now. */
  async restart(id: number): Promise<JobView | undefined> {
    const job = await this.#store.restart({ id, now: this.#now().toISOString() });
    this.runner.wake();
    return job === undefined ? undefined : this.#view(job);
  }

  #view(job: JobSummary): JobView {
    const { id, kind, state, title, attempts, error, createdAt, updatedAt, done, total } = job;
    return {
      ...{ id, kind, state, title, attempts, error, createdAt, updatedAt },
      progress: this.runner.running(id)?.progress ?? { done, total },
      dueAt: state === 'waiting' ? job.dueAt : undefined,
      cancellable: (state === 'waiting' || state === 'running') && !job.isCancelling,
    };
  }

  async #sweep(): Promise<void> {
    const before = new Date(this.#now().getTime() - KEPT_MS).toISOString();
    await this.#store.sweep({ before }).catch((error: unknown) => this.runner.emit('fault', error));
  }
}
