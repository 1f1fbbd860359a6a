// A stored file as a stream: read when somebody takes it, closed when nobody does any more.
import { Readable } from 'node:stream';
import type { FileRange } from '../util/file-range.ts';

const CHUNK_BYTES = 256 * 1024;

export class FileStream extends Readable {
  readonly #file: FileRange;

  constructor(file: FileRange) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
  }

  override _read(): void {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, this.#file.remaining)));
    this.#file.fill([buffer]).then(
      ({ bytes, end }) => {
        if (bytes > 0) this.push(buffer.subarray(0, bytes));
        if (end) this.push(null);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#file.close();
    callback(error);
  }
}
