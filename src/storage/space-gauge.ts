// How much room the volume has left: far from the reserve it is asked at most once a second, and what arrives in
// between is counted; near it, it is asked every time.
import { statfs } from 'node:fs/promises';
import { StorageError, storageErrorOf } from './storage-error.ts';

const FRESH_MS = 1000;
/** Times the reserve. Others write too: between two answers the durable record and the catalogue may take a reserve. */
const NEAR = 2;

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
    const isNear = this.#freeBytes < NEAR * this.#reserveBytes;
    if (!isNear && this.#now() - this.#askedAt < FRESH_MS) return undefined;
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
