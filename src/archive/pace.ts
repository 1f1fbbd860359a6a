// Leaves the disk to the users: so many bytes a second, and none while instances are being received.

import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MS = 500;

export interface PaceOptions {
  readonly bytesPerSecond: number;
  /** Whether users need the disk now. */
  readonly isBusy: () => boolean;
  readonly signal: AbortSignal;
}

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
    const { bytesPerSecond, isBusy, signal } = this.#options;
    signal.throwIfAborted();
    while (isBusy()) await pause(LOOK_AGAIN_MS, undefined, { signal });
    const now = performance.now();
    this.bytes += bytes;
    this.#paidAt = Math.max(this.#paidAt, now) + (bytes / bytesPerSecond) * 1000;
    const early = this.#paidAt - now - LOOK_AGAIN_MS;
    if (early > 0) await pause(early, undefined, { signal });
  }
}
