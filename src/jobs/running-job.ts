// One attempt at one job: keeps the lease while it works, and writes down how it ended.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, JobStore, Outcome } from '../catalog/job-store.ts';
import { type Interruption, JobInterrupted } from './job-failure.ts';
import type { JobContext, JobKind } from './job-kind.ts';
import { outcomeOfFailure } from './retry-policy.ts';

export interface AttemptSite {
  readonly store: JobStore;
  readonly now: () => Date;
  readonly leaseMs: number;
  /** Somebody is using the archive. */
  readonly isBusy: () => boolean;
  /** The queue could not be told; the job runs again when its lease has ended. */
  onFault(error: unknown): void;
}

/** While the catalogue is away, so often. */
const SETTLE_PAUSE_MS = 500;
/** While others use the archive, work that can wait rests so many times as long as it took. */
const REST_FACTOR = 2;
const LONGEST_REST_MS = 2000;

export class RunningJob {
  readonly job: Job;
  readonly token: string;
  readonly finished: Promise<Outcome | undefined>;
  readonly #kind: JobKind;
  readonly #site: AttemptSite;
  readonly #interrupted = new AbortController();
  #progress: { readonly done: number; readonly total: number };
  #hasNews = false;
  #renewedAt = performance.now();
  #restedAt = performance.now();

  constructor(job: Job, token: string, kind: JobKind, site: AttemptSite) {
    this.job = job;
    this.token = token;
    this.#kind = kind;
    this.#site = site;
    this.#progress = { done: job.done, total: job.total };
    this.finished = this.#run();
  }

  static newToken(): string {
    return randomUUID();
  }

  get progress(): { readonly done: number; readonly total: number } {
    return this.#progress;
  }

  interrupt(interruption: Interruption): void {
    this.#interrupted.abort(new JobInterrupted(interruption));
  }

  async #run(): Promise<Outcome | undefined> {
    const heartbeat = setInterval(() => void this.#beat(), this.#site.leaseMs / 3);
    let outcome: Outcome | undefined;
    try {
      // A job cancelled while its daemon was being killed.
      if (this.job.isCancelling) this.interrupt('cancelled');
      this.#interrupted.signal.throwIfAborted();
      const end = await this.#kind.run(this.job, this.#context());
      const againAt = end?.againAt?.toISOString();
      outcome = againAt === undefined ? { state: 'done' } : { state: 'waiting', dueAt: againAt };
    } catch (error) {
      outcome = this.#outcomeOf(error);
    } finally {
      clearInterval(heartbeat);
    }
    return outcome === undefined || !(await this.#settle(outcome)) ? undefined : outcome;
  }

  /** Undefined where the job is another daemon's by now. */
  #outcomeOf(error: unknown): Outcome | undefined {
    const now = this.#site.now();
    const { reason } = this.#interrupted.signal;
    if (!(reason instanceof JobInterrupted)) return outcomeOfFailure(this.job, error, this.#kind.retry, now);
    switch (reason.interruption) {
      case 'cancelled':
        return { state: 'cancelled' };
      case 'stopping':
        return { state: 'waiting', dueAt: now.toISOString() };
      case 'lease-lost':
        return undefined;
    }
  }

  #context(): JobContext {
    return {
      signal: this.#interrupted.signal,
      progress: (done, total) => {
        this.#progress = { done, total };
        this.#hasNews = true;
      },
      checkpoint: async (checkpoint) => {
        await this.#renew(checkpoint);
        this.#interrupted.signal.throwIfAborted();
      },
      giveWay: () => this.#giveWay(),
    };
  }

  async #giveWay(): Promise<void> {
    this.#interrupted.signal.throwIfAborted();
    const worked = performance.now() - this.#restedAt;
    if (this.#site.isBusy()) {
      const { signal } = this.#interrupted;
      await pause(Math.min(worked * REST_FACTOR, LONGEST_REST_MS), undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
    this.#restedAt = performance.now();
  }

  async #beat(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      // The catalogue may come back in time; if not, another daemon takes the job.
      if (performance.now() - this.#renewedAt < this.#site.leaseMs) return;
      this.interrupt('lease-lost');
      this.#site.onFault(error);
    }
  }

  async #renew(checkpoint?: Job['checkpoint']): Promise<void> {
    const { store, now, leaseMs } = this.#site;
    const asked = performance.now();
    const { id } = this.job;
    const news = {
      ...(this.#hasNews ? { progress: this.#progress } : {}),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
    this.#hasNews = false;
    const renewed = await store.renew({
      id,
      token: this.token,
      leaseMs,
      now: now().toISOString(),
      ...news,
    });
    this.#renewedAt = asked;
    if (renewed === 'lost') this.interrupt('lease-lost');
    if (renewed === 'cancelling') this.interrupt('cancelled');
  }

  async #settle(outcome: Outcome): Promise<boolean> {
    const { store, now, leaseMs } = this.#site;
    for (;;) {
      try {
        const { id } = this.job;
        const progress = this.#progress;
        return await store.settle({ id, token: this.token, outcome, progress, now: now().toISOString() });
      } catch (error) {
        const isStopping = this.#interrupted.signal.aborted;
        if (isStopping || performance.now() - this.#renewedAt > leaseMs) {
          this.#site.onFault(error);
          return false;
        }
        await pause(SETTLE_PAUSE_MS);
      }
    }
  }
}
