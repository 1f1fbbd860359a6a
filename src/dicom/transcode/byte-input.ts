// The stored data set as a stream of bytes with a small window: elements are looked at, values pass through.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createInflateRaw } from 'node:zlib';
import { malformed, TranscodeError } from './errors.ts';

const WINDOW_BYTES = 128 * 1024;
// A deflate stream of a few megabytes can grow a thousandfold: nothing that we keep is near this.
const MAX_INFLATED_BYTES = 2 ** 32;

/** The data set's part of one stored file. */
export class DataSetFile {
  readonly size: number;
  readonly #fd: number;
  readonly #start: number;

  constructor(path: string, dataSetOffset: number) {
    // O_NONBLOCK: a FIFO in the place of the file must not hold this thread for ever.
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(this.#fd);
    this.#start = dataSetOffset;
    this.size = stat.size - dataSetOffset;
    if (stat.isFile() && this.size >= 0) return;
    this.close();
    throw new TranscodeError(
      'transcode-failed',
      `${path} is not a file that holds a data set at ${dataSetOffset}`,
    );
  }

  /** Reads what there is at `position`, at most the whole of `target`; 0 at the end. */
  read(target: Uint8Array, position: number): number {
    return readSync(this.#fd, target, 0, target.length, this.#start + position);
  }

  /** Fills all of `target`. */
  readFully(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const bytes = this.read(target.subarray(done), position + done);
      if (bytes === 0) throw malformed(`The file ends at ${this.size}, inside the pixel data`);
      done += bytes;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Bytes read in order. Callers look at `buffer` from `offset` to `end` and move `offset` on. */
export class ByteInput {
  readonly buffer: Buffer;
  offset = 0;
  end = 0;
  /** Of the bytes behind this input, where that is known. */
  readonly size: number;
  readonly #file: DataSetFile;
  readonly #inflated: AsyncIterator<Buffer> | undefined;
  #leftOver: Buffer = Buffer.alloc(0);
  /** Where in the data set the byte at `end` would be. */
  #endPosition = 0;

  constructor(file: DataSetFile, deflated: boolean, windowBytes = WINDOW_BYTES) {
    this.buffer = Buffer.allocUnsafeSlow(windowBytes);
    this.#file = file;
    this.#inflated = deflated ? inflate(file) : undefined;
    this.size = deflated ? MAX_INFLATED_BYTES : file.size;
  }

  /** Where in the data set the next byte is. */
  get position(): number {
    return this.#endPosition - (this.end - this.offset);
  }

  get available(): number {
    return this.end - this.offset;
  }

  /** Brings at least `bytes` into the window; false when the data set ends before. */
  async fill(bytes: number): Promise<boolean> {
    if (this.available >= bytes) return true;
    this.buffer.copyWithin(0, this.offset, this.end);
    this.end -= this.offset;
    this.offset = 0;
    while (this.end < bytes) {
      const read = await this.#supply(this.buffer.subarray(this.end));
      if (read === 0) return false;
      this.end += read;
    }
    return true;
  }

  /** The next bytes, copied; few of them. */
  async take(bytes: number): Promise<Buffer> {
    if (!(await this.fill(bytes))) throw this.#endsEarly();
    const taken = Buffer.from(this.buffer.subarray(this.offset, this.offset + bytes));
    this.offset += bytes;
    return taken;
  }

  /** Moves bytes into `target`, at least one, past the window when that is empty. */
  async move(target: Buffer): Promise<number> {
    if (this.available === 0) {
      const read = await this.#supply(target);
      if (read === 0) throw this.#endsEarly();
      return read;
    }
    const copied = this.buffer.copy(target, 0, this.offset, this.end);
    this.offset += copied;
    return copied;
  }

  async skip(bytes: number): Promise<void> {
    const position = this.position + bytes;
    if (position <= this.#endPosition) {
      this.offset += bytes;
      return;
    }
    this.offset = this.end = 0;
    if (this.#inflated === undefined) {
      this.#endPosition = position;
      return;
    }
    while (this.#endPosition < position) {
      const read = await this.#supply(this.buffer.subarray(0, position - this.#endPosition));
      if (read === 0) throw this.#endsEarly();
    }
  }

  async #supply(target: Buffer): Promise<number> {
    const read =
      this.#inflated === undefined
        ? this.#file.read(target, this.#endPosition)
        : await this.#supplyInflated(this.#inflated, target);
    this.#endPosition += read;
    return read;
  }

  async #supplyInflated(inflated: AsyncIterator<Buffer>, target: Buffer): Promise<number> {
    if (this.#leftOver.length === 0) {
      const next = await inflated.next();
      if (next.done === true) return 0;
      this.#leftOver = next.value;
    }
    if (this.#endPosition + this.#leftOver.length > MAX_INFLATED_BYTES) {
      throw new TranscodeError(
        'transcode-limit',
        `The data set inflates to more than ${MAX_INFLATED_BYTES} bytes`,
      );
    }
    const copied = this.#leftOver.copy(target);
    this.#leftOver = this.#leftOver.subarray(copied);
    return copied;
  }

  #endsEarly(): TranscodeError {
    return malformed(`The data set ends at ${this.#endPosition}, inside a value`);
  }
}

/** The whole data set is one raw deflate stream, padded with at most one zero byte (PS3.5 §A.5). */
async function* inflate(file: DataSetFile): AsyncGenerator<Buffer, void, undefined> {
  const stream = createInflateRaw({ chunkSize: WINDOW_BYTES });
  let position = 0;
  const feed = () => {
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafeSlow(WINDOW_BYTES);
        const read = file.read(chunk, position);
        position += read;
        if (read === 0) return void stream.end();
        if (!stream.write(chunk.subarray(0, read))) return;
      }
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  stream.on('drain', feed);
  feed();
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw new TranscodeError('transcode-malformed', 'The deflated data set cannot be inflated', {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
}
