// One decoded frame as cells: the samples of a pixel side by side, each in a cell of 8, 16 or 32 bits.

import { malformedImage, notShown } from './errors.ts';
import type { ShownImage } from './image-head.ts';

export interface ShownFrame {
  readonly cells: Uint8Array | Uint16Array | Uint32Array;
  /** What the cells mean now: a decoder may have undone a colour transformation. */
  readonly photometric: string;
}

/** Undoes one compression, also where that is not exact. */
export interface RenderCodec {
  /** How every codestream begins; undefined where that marks nothing. */
  readonly startOfFrame: Buffer | undefined;
  decode(frame: Buffer, image: ShownImage): ShownFrame;
}

/** Frames that need no decoder, whatever order and packing their samples have. */
export function nativeCells(
  { bytes, firstBit }: { bytes: Buffer; firstBit: number },
  image: ShownImage,
): ShownFrame {
  const { photometric } = image;
  if (photometric.endsWith('_422')) return { cells: spreadChroma(bytes, image), photometric };
  if (image.bitsAllocated === 1) return { cells: unpackBits(bytes, firstBit, image), photometric };
  return { cells: sideBySide(cellsOf(bytes, image), image), photometric };
}

/** Cells of what a decoder gave: samples side by side in little endian. */
export function cellsOf(bytes: Uint8Array, image: ShownImage): ShownFrame['cells'] {
  if (bytes.length < image.frameBytes) {
    throw malformedImage(`The frame has ${bytes.length} of ${image.frameBytes} bytes`);
  }
  const width = image.bitsAllocated / 8;
  // The codecs' memory and the files' offsets need not lie on a word's edge.
  const whole = bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
  const count = Math.floor(image.frameBytes / width);
  const View = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array;
  return new View(whole.buffer as ArrayBuffer, whole.byteOffset, count);
}

function sideBySide(cells: ShownFrame['cells'], { planar, samples }: ShownImage): ShownFrame['cells'] {
  if (!planar) return cells;
  const mixed = cells.slice();
  for (let sample = 0, from = 0; sample < samples; sample += 1) {
    for (let to = sample; to < cells.length; to += samples, from += 1) mixed[to] = cells[from]!;
  }
  return mixed;
}

/** The least significant bit comes first (PS3.5 §8.1.1, Annex D). */
export function unpackBits(bytes: Uint8Array, firstBit: number, { rows, columns }: ShownImage): Uint8Array {
  const cells = new Uint8Array(rows * columns);
  if (bytes.length * 8 - firstBit < cells.length) throw malformedImage('The frame has too few bits');
  for (let index = 0, bit = firstBit; index < cells.length; index += 1, bit += 1) {
    cells[index] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }
  return cells;
}

/** Two pixels share their colours: Y Y Cb Cr (PS3.3 §C.7.6.3.1.2). */
function spreadChroma(bytes: Buffer, { rows, columns, bitsAllocated, samples }: ShownImage): Uint8Array {
  if (bitsAllocated !== 8 || samples !== 3 || columns % 2 !== 0) {
    throw notShown('Uncompressed 4:2:2 colours are shown with 8 bits and an even number of columns only');
  }
  const cells = new Uint8Array(rows * columns * 3);
  for (let from = 0, to = 0; to < cells.length; from += 4, to += 6) {
    cells[to] = bytes[from]!;
    cells[to + 3] = bytes[from + 1]!;
    cells[to + 1] = cells[to + 4] = bytes[from + 2]!;
    cells[to + 2] = cells[to + 5] = bytes[from + 3]!;
  }
  return cells;
}
