// Takes jobs from the queue, as many at a time as leave room for the network side, and runs them.

import { EventEmitter } from 'node:events';
import type { Job, JobStore, Outcome } from '../catalog/job-store.ts';
import type { JobKind } from './job-kind.ts';
import { type AttemptSite, RunningJob } from './running-job.ts';

export interface JobRunnerOptions {
  readonly store: JobStore;
  readonly kinds: ReadonlyMap<string, JobKind>;
  readonly now: () => Date;
  /** Somebody is using the archive: work that can wait gives way. */
  readonly isBusy: () => boolean;
  readonly leaseMs?: number;
  readonly pollMs?: number;
}

export interface JobEvents {
  started: [Job];
  /** `outcome` is what was written down. */
  settled: [Job, Outcome];
  /** The queue cannot be reached; it is tried again. */
  fault: [unknown];
}

/** Two slow cores also have to receive and to answer. */
const MAX_RUNNING = 3;
const LEASE_MS = 30_000;
/** Other daemons may have added something. */
const POLL_MS = 5000;

export class JobRunner extends EventEmitter<JobEvents> {
  readonly #options: JobRunnerOptions;
  readonly #site: AttemptSite;
  readonly #running = new Map<number, RunningJob>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isWoken = false;
  #isStopped = true;

  constructor(options: JobRunnerOptions) {
    super();
    this.#options = options;
    const { store, now, isBusy, leaseMs = LEASE_MS } = options;
    this.#site = { store, now, isBusy, leaseMs, onFault: (error) => this.emit('fault', error) };
  }

  /** Once. */
  async start(): Promise<void> {
    const { store, now } = this.#options;
    await store.reclaim({ now: now().toISOString() });
    this.#isStopped = false;
    this.wake();
  }

  /** Something may have become due. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isStopped || this.#turn !== undefined) return;
    clearTimeout(this.#timer);
    this.#turn = this.#takeTurn().finally(() => {
      this.#turn = undefined;
      if (this.#isWoken) this.wake();
    });
  }

  /** Interrupts what runs; it goes on at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    for (const running of this.#running.values()) running.interrupt('stopping');
    await Promise.all([...this.#running.values()].map(({ finished }) => finished));
  }

  /** The attempt at this job, when it is made here. */
  running(id: number): RunningJob | undefined {
    return this.#running.get(id);
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  async #takeTurn(): Promise<void> {
    let waitMs = this.#options.pollMs ?? POLL_MS;
    try {
      while (this.#running.size < MAX_RUNNING && !this.#isStopped) {
        this.#isWoken = false;
        const token = RunningJob.newToken();
        const now = this.#options.now();
        const { job, nextAt } = await this.#options.store.lease({
          kinds: this.#kindsWithRoom(),
          token,
          leaseMs: this.#site.leaseMs,
          now: now.toISOString(),
        });
        if (job === undefined) {
          if (nextAt !== undefined)
            waitMs = Math.min(waitMs, Math.max(10, Date.parse(nextAt) - now.getTime()));
          break;
        }
        this.#run(job, token);
      }
    } catch (error) {
      this.emit('fault', error);
    }
    if (this.#running.size >= MAX_RUNNING) this.#isWoken = false;
    if (!this.#isStopped) this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  #kindsWithRoom(): string[] {
    const running = [...this.#running.values()];
    return [...this.#options.kinds.values()]
      .filter(({ kind, atOnce = 1 }) => running.filter(({ job }) => job.kind === kind).length < atOnce)
      .map(({ kind }) => kind);
  }

  #run(job: Job, token: string): void {
    // Only such kinds were asked for.
    const kind = this.#options.kinds.get(job.kind) as JobKind;
    this.emit('started', job);
    const running = new RunningJob(job, token, kind, this.#site);
    this.#running.set(job.id, running);
    void running.finished.then((outcome) => {
      this.#running.delete(job.id);
      if (outcome !== undefined) this.emit('settled', job, outcome);
      this.wake();
    });
  }
}
