// A stretch of an open file, read in order straight into buffers that somebody else has laid out.

import type { ByteSource } from './byte-source.ts';
import { PacsError } from './errors.ts';
import type { OpenFile } from './open-file.ts';

const SOURCE_BYTES = 256 * 1024;

/** Owns the file: close it whatever happens. */
export class FileRange {
  readonly #file: OpenFile;
  readonly #name: string;
  #position: number;
  #remaining: number;

  /** `name` is what the file is called in errors. */
  constructor(file: OpenFile, name: string, position: number, bytes: number) {
    this.#file = file;
    this.#name = name;
    this.#position = position;
    this.#remaining = bytes;
  }

  get remaining(): number {
    return this.#remaining;
  }

  /** Fills the slices with the next bytes; `end` with the last. Throws PacsError 'file-shorter' where the file
   *  ends before the range does. */
  async fill(slices: readonly Buffer[]): Promise<{ bytes: number; end: boolean }> {
    if (this.#remaining === 0) return { bytes: 0, end: true };
    const bytesRead = await this.#file.read(slices, this.#position);
    const wanted = slices.reduce((sum, slice) => sum + slice.length, 0);
    if (bytesRead < Math.min(wanted, this.#remaining)) {
      throw new PacsError('file-shorter', `${this.#name} ended ${this.#remaining - bytesRead} bytes early.`);
    }
    const bytes = Math.min(bytesRead, this.#remaining);
    this.#position += bytes;
    this.#remaining -= bytes;
    return { bytes, end: this.#remaining === 0 };
  }

  close(): void {
    this.#file.close();
  }
}

/** The bytes of anything that fills buffers, as a source to pull from. */
export function rangeSource(range: Pick<FileRange, 'fill'>): ByteSource {
  let isOver = false;
  return {
    read: async () => {
      if (isOver) return undefined;
      const buffer = Buffer.allocUnsafe(SOURCE_BYTES);
      const { bytes, end } = await range.fill([buffer]);
      isOver = end;
      return bytes === 0 ? undefined : [buffer.subarray(0, bytes)];
    },
  };
}
