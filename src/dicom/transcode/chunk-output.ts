// The re-encoded data set on its way out: gathered into chunks of one size, whose memory is handed over.

import type { ByteInput } from './byte-input.ts';

export const CHUNK_BYTES = 256 * 1024;

/** Takes a chunk for good; the promise settles when there is room for another. */
export type SendChunk = (chunk: Uint8Array<ArrayBuffer>) => Promise<void>;

export class ChunkOutput {
  readonly #send: SendChunk;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #used = 0;

  constructor(send: SendChunk) {
    this.#send = send;
  }

  /** A place for a few bytes in one piece, counted as written. */
  async place(bytes: number): Promise<Buffer> {
    if (CHUNK_BYTES - this.#used < bytes) await this.#flush();
    this.#used += bytes;
    return this.#chunk.subarray(this.#used - bytes, this.#used);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      if (this.#used === CHUNK_BYTES) await this.#flush();
      const part = bytes.subarray(done, done + CHUNK_BYTES - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      done += part.length;
    }
  }

  /** Passes `length` bytes on, with the bytes of each unit of 2, 4 or 8 turned round; 1 leaves them. */
  async copy(input: ByteInput, length: number, unitBytes: number): Promise<void> {
    for (let left = length; left > 0; ) {
      if (CHUNK_BYTES - this.#used < unitBytes) await this.#flush();
      // Whole units only: one that straddles the window's end is completed first.
      if (unitBytes > 1) await input.fill(Math.min(unitBytes, left));
      const limit = unitBytes === 1 ? left : wholeUnits(Math.min(left, input.available), unitBytes);
      const room = wholeUnits(CHUNK_BYTES - this.#used, unitBytes);
      const target = this.#chunk.subarray(this.#used, this.#used + Math.min(limit, room));
      const moved = await input.move(target);
      turn(target.subarray(0, moved), unitBytes);
      this.#used += moved;
      left -= moved;
    }
  }

  async finish(): Promise<void> {
    if (this.#used > 0) await this.#flush();
  }

  async #flush(): Promise<void> {
    const full = this.#chunk.subarray(0, this.#used);
    // Not from the pool: its memory goes to the other thread with it.
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#used = 0;
    await this.#send(full);
  }
}

function wholeUnits(bytes: number, unitBytes: number): number {
  return bytes - (bytes % unitBytes);
}

function turn(bytes: Buffer, unitBytes: number): void {
  if (unitBytes === 2) bytes.swap16();
  else if (unitBytes === 4) bytes.swap32();
  else if (unitBytes === 8) bytes.swap64();
}
