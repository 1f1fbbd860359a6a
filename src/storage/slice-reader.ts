// Fills chunks from the slices of a ByteSource: tiny slices cannot pile up, and large buffers are let go at once.
import type { ByteSource } from '../util/byte-source.ts';

export class SliceReader {
  readonly #source: ByteSource;
  #slices: readonly Buffer[] = [];
  #index = 0;
  #offset = 0;
  #ended = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** True once `fill` has met the end of the source. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Copies into `chunk` from `start` until it is full or the source ends; answers where the bytes end. */
  async fill(chunk: Buffer, start: number): Promise<number> {
    let end = start;
    for (;;) {
      end = this.#copy(chunk, end);
      if (end === chunk.length) return end;
      const read = this.#source.read();
      const slices = read instanceof Promise ? await read : read;
      if (slices === undefined) {
        this.#ended = true;
        return end;
      }
      this.#slices = slices;
      this.#index = 0;
      this.#offset = 0;
    }
  }

  #copy(chunk: Buffer, start: number): number {
    let end = start;
    while (end < chunk.length) {
      const slice = this.#slices[this.#index];
      if (slice === undefined) break;
      const copied = slice.copy(chunk, end, this.#offset);
      end += copied;
      this.#offset += copied;
      if (this.#offset === slice.length) {
        this.#source.release?.(slice);
        this.#index += 1;
        this.#offset = 0;
      }
    }
    return end;
  }
}
