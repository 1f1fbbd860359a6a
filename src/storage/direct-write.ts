// Direct writing (O_DIRECT): bytes go from our memory to the disk without a copy in that of the operating system, which
// costs several times what receiving them does. It wants memory, position and length in whole blocks.
import { constants } from 'node:fs';

/** What every disk of today takes: block sizes are 512 or 4096. */
export const DIRECT_BLOCK_BYTES = 4096;

export const DIRECT_FLAG = constants.O_DIRECT;

// Its types come with those of the browser, which have no place here.
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE_BYTES = 64 << 10;

/** Blank memory that begins on a block boundary. Node allocates anywhere; the memory of a WebAssembly module begins at
 *  a page, and nothing forbids to have one without a module. */
export function alignedBuffer(bytes: number): Buffer {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer, 0, bytes);
}

/** How many of so many bytes are in whole blocks. The rest, the end of a file, is written the ordinary way: to cut off
 *  what a padded block has too much costs more. */
export function wholeBlocks(bytes: number): number {
  return bytes - (bytes % DIRECT_BLOCK_BYTES);
}

/** The length of the blocks that hold so many bytes. */
export function blocksAround(bytes: number): number {
  return wholeBlocks(bytes + DIRECT_BLOCK_BYTES - 1);
}
