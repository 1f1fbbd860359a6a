// Makes a stream of unknown length an outgoing data set: one slice is held back to know which is the last.

import type { ByteSource } from '../util/byte-source.ts';
import type { OutgoingDataSet } from './message-writer.ts';

export class SourceDataSet implements OutgoingDataSet {
  readonly remaining = undefined;
  readonly #source: ByteSource;
  #held: Buffer[] = [];
  #ended = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async fill(slices: readonly Buffer[]): Promise<{ bytes: number; end: boolean }> {
    let bytes = 0;
    for (const slice of slices) {
      let at = 0;
      while (at < slice.length && (await this.#more())) at += this.#take(slice, at);
      bytes += at;
      if (at < slice.length) break;
    }
    return { bytes, end: !(await this.#more()) };
  }

  #take(target: Buffer, at: number): number {
    const [first] = this.#held as [Buffer];
    const size = first.copy(target, at);
    if (size === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(size);
    return size;
  }

  async #more(): Promise<boolean> {
    while (this.#held.length === 0 && !this.#ended) {
      const read = await this.#source.read();
      if (read === undefined) this.#ended = true;
      else this.#held = read.filter(({ length }) => length > 0);
    }
    return this.#held.length > 0;
  }
}
