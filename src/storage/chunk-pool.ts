// Buffers of one size between socket and disk, used again and again so that memory stays flat.
import { alignedBuffer } from './direct-write.ts';

/** Small enough that two per association are cheap, large enough that a write costs little beside its bytes. */
export const CHUNK_BYTES = 1024 * 1024;

const MAX_IDLE = 16;
/** Aligned memory is made by the slab: each takes 8 GiB of addresses, of which some machines have few. */
const CHUNKS_PER_SLAB = 8;

export class ChunkPool {
  readonly #idle: Buffer[] = [];

  /** Aligned for direct writing. */
  take(): Buffer {
    return this.#idle.pop() ?? this.#fromNewSlab();
  }

  /** Only once nothing reads or writes it any more. */
  give(chunk: Buffer): void {
    if (chunk.length === CHUNK_BYTES && this.#idle.length < MAX_IDLE) this.#idle.push(chunk);
  }

  #fromNewSlab(): Buffer {
    const slab = alignedBuffer(CHUNKS_PER_SLAB * CHUNK_BYTES);
    for (let at = CHUNK_BYTES; at < slab.length; at += CHUNK_BYTES) {
      this.#idle.push(slab.subarray(at, at + CHUNK_BYTES));
    }
    return slab.subarray(0, CHUNK_BYTES);
  }
}
