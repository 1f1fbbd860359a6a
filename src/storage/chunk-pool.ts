// Buffers of one size between socket and disk, used again and again so that memory stays flat.

/** Small enough that two per association are cheap, large enough that a write costs little beside its bytes. */
export const CHUNK_BYTES = 1024 * 1024;

const MAX_IDLE = 16;

export class ChunkPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Only once nothing reads or writes it any more. */
  give(chunk: Buffer): void {
    if (chunk.length === CHUNK_BYTES && this.#idle.length < MAX_IDLE) this.#idle.push(chunk);
  }
}
