// One change at a time among all daemons of an area to what has its place already: who replaces or moves an instance
// looks first what is there, and that must still be so when he acts.

import { setTimeout as pause } from 'node:timers/promises';
import { KeyedLock } from '../util/keyed-lock.ts';
import type { Directory } from './directory.ts';
import { lockIn } from './seat.ts';

/** Between two looks at a lock that somebody else holds. */
const LOOK_EVERY_MS = 3;
/** Whoever has had it leaves it to the others for so long. */
const GAP_MS = 5;

export class ChangeLock {
  readonly #daemons: Directory;
  /** Within this process first: who waits for the file looks again and again. */
  readonly #turns = new KeyedLock();
  #releasedAt = Number.NEGATIVE_INFINITY;

  constructor(daemons: Directory) {
    this.#daemons = daemons;
  }

  /** `what` goes on: the lock is `daemons/<what>.lock`. */
  run<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(what, async () => {
      const lock = await this.#take(`${what}.lock`);
      try {
        return await work();
      } finally {
        lock.release();
        this.#releasedAt = performance.now();
      }
    });
  }

  /** As `run`, without waiting: undefined when somebody else, in this process or another, holds the lock. */
  async runIfFree<T>(what: string, work: () => Promise<T>): Promise<{ readonly result: T } | undefined> {
    const lock = lockIn(this.#daemons, `${what}.lock`, 'exclusive');
    if (lock === undefined) return undefined;
    try {
      return { result: await work() };
    } finally {
      lock.release();
    }
  }

  /** Runs `work` beside others who call this, and not beside `runBeforeOthers`. */
  async runTogether<T>(what: string, work: () => Promise<T>): Promise<T> {
    // Whoever wants it alone would never get it from a crowd that comes and goes: he is let in first.
    (await this.#await(`${what}.wanted.lock`, 'shared')).release();
    const lock = await this.#await(`${what}.lock`, 'shared');
    try {
      return await work();
    } finally {
      lock.release();
    }
  }

  /** As `run`, with nobody in `runTogether`; who comes to that now has to wait. */
  runBeforeOthers<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.run(`${what}.wanted`, async () => {
      const lock = await this.#await(`${what}.lock`, 'exclusive');
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
  }

  async #take(name: string) {
    const gap = this.#releasedAt + GAP_MS - performance.now();
    if (gap > 0) await pause(gap);
    return this.#await(name, 'exclusive');
  }

  async #await(name: string, kind: 'exclusive' | 'shared') {
    for (;;) {
      const lock = lockIn(this.#daemons, name, kind);
      if (lock !== undefined) return lock;
      await pause(LOOK_EVERY_MS);
    }
  }
}
