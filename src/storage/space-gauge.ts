// How much room the volume has left: asked at most once a second, what arrives in between is counted.
import { statfs } from 'node:fs/promises';
import { StorageError, storageErrorOf } from './storage-error.ts';

const FRESH_MS = 1000;

export class SpaceGauge {
  readonly #root: string;
  readonly #reserveBytes: number;
  readonly #now: () => number;
  #freeBytes = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(root: string, reserveBytes: number, now: () => number = () => performance.now()) {
    this.#root = root;
    this.#reserveBytes = reserveBytes;
    this.#now = now;
  }

  /** Throws `no-space` when less than the reserve is left; a promise only when the volume must be asked, as it is
   *  before every refusal: space may have returned within the second. */
  check(): void | Promise<void> {
    if (this.#freeBytes >= this.#reserveBytes && this.#now() - this.#askedAt < FRESH_MS) return undefined;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking.then(() => this.#judge());
  }

  /** Bytes on their way to the disk that the last answer of the volume cannot know of. */
  received(bytes: number): void {
    this.#freeBytes -= bytes;
  }

  async #ask(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#root);
      this.#freeBytes = bavail * bsize;
      this.#askedAt = this.#now();
    } catch (error) {
      throw storageErrorOf(error, `free space of ${this.#root}`);
    }
  }

  #judge(): void {
    if (this.#freeBytes >= this.#reserveBytes) return;
    const free = Math.max(0, this.#freeBytes);
    throw new StorageError(
      'no-space',
      `${this.#root}: ${free} bytes left, fewer than the reserve of ${this.#reserveBytes}; free some space`,
    );
  }
}
