// Leaves the disk to the users: so many bytes a second, and none while instances are being received.

import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MS = 500;

export interface PaceOptions {
  readonly bytesPerSecond: number;
  /** Whether users need the disk now. */
  readonly isBusy: () => boolean;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** How a machine tells time, and waits. */
export interface Clock {
  /** In milliseconds, from whenever. */
  now(): number;
  /** Rejects when `signal` aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const MACHINE: Clock = {
  now: () => performance.now(),
  pause: (ms, signal) => pause(ms, undefined, { signal }),
};

export class Pace {
  readonly #options: PaceOptions;
  /** When what was read so far is paid for. */
  #paidAt = 0;
  bytes = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves when so many bytes may be read; throws the signal's reason when there is to be an end. */
  async beforeReading(bytes: number): Promise<void> {
    const { bytesPerSecond, isBusy, signal, clock = MACHINE } = this.#options;
    signal.throwIfAborted();
    while (isBusy()) await clock.pause(LOOK_AGAIN_MS, signal);
    const now = clock.now();
    this.bytes += bytes;
    this.#paidAt = Math.max(this.#paidAt, now) + (bytes / bytesPerSecond) * 1000;
    const early = this.#paidAt - now - LOOK_AGAIN_MS;
    if (early > 0) await clock.pause(early, signal);
  }
}
