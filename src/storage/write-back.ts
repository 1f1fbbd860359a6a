// Starts writing a large file to the disk while it is still arriving, so that the last flush has little left to do.
import { awaitedLater } from '../util/promises.ts';
import type { IncomingFile } from './incoming-file.ts';

/** At most twice this much of one file waits in memory of the operating system: on a slow disk the source is
 *  stopped early, instead of the final flush taking longer than a peer's patience. */
const WINDOW_BYTES = 16 << 20;

export class WriteBack {
  readonly #file: IncomingFile;
  #flushedTo = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(file: IncomingFile) {
    this.#file = file;
  }

  /** Call after each write with the length so far. Throws what an earlier flush met: the operating system reports a
   *  lost write once, and a later flush would succeed as if nothing had happened. */
  async written(fileBytes: number): Promise<void> {
    if (this.#file.isDirect || fileBytes - this.#flushedTo < WINDOW_BYTES) return;
    this.#flushedTo = fileBytes;
    await this.#flushing;
    this.#flushing = awaitedLater(this.#file.flush());
  }

  /** Waits for the flush under way, if any. */
  ended(): Promise<void> {
    return this.#flushing;
  }
}
