// The scans of lossless JPEG: Huffman codes to differences to samples (ITU-T T.81 §H.1.2, §H.2).

import { malformed } from './errors.ts';
import type { PixelImage } from './frame-codec.ts';
import { BITS_MASK, COMPLETE, difference, FAST_BITS, type HuffmanTable } from './jpeg-huffman.ts';

const RST0 = 0xd0;

/** The components of one scan, and how they are coded (T.81 §B.2.3). */
export interface Scan {
  readonly image: PixelImage;
  /** Of all components, side by side. */
  readonly samples: Uint8Array | Uint16Array;
  readonly precision: number;
  /** Offset of each component's sample in a pixel. */
  readonly offsets: readonly number[];
  readonly tables: readonly HuffmanTable[];
  readonly predictor: number;
  /** Pixels between restart markers, 0: there are none. */
  readonly restartInterval: number;
}

/** Decodes a scan, one restart interval after the other; returns the offset of the marker behind it. */
export function decodeScan(frame: Buffer, start: number, entropy: Uint8Array, scan: Scan): number {
  const { rows, columns } = scan.image;
  const { restartInterval } = scan;
  // T.81 §H.1.1: a restart interval of lossless coding is a whole number of lines.
  if (restartInterval % columns !== 0)
    throw malformed(`A JPEG restart interval of ${restartInterval} is not whole lines`);
  const lines = restartInterval === 0 ? rows : restartInterval / columns;
  let at = start;
  for (let row = 0, interval = 0; row < rows; row += lines, interval += 1) {
    if (interval > 0) {
      if (frame[at] !== 0xff || frame[at + 1] !== RST0 + ((interval - 1) % 8)) {
        throw malformed(`The JPEG stream misses the restart marker before row ${row}`);
      }
      at += 2;
    }
    const { length, marker } = unstuff(frame, at, entropy);
    decodeRows(entropy, length, scan, row, Math.min(row + lines, rows));
    at = marker;
  }
  return at;
}

/** Copies entropy-coded bytes without the stuffed zeros (T.81 §B.1.1.5) up to the next marker. */
function unstuff(frame: Buffer, start: number, entropy: Uint8Array): { length: number; marker: number } {
  let length = 0;
  for (let from = start; ; ) {
    const stop = frame.indexOf(0xff, from);
    if (stop < 0 || stop + 1 === frame.length)
      throw malformed('The JPEG stream ends inside its entropy-coded data');
    entropy.set(frame.subarray(from, stop), length);
    length += stop - from;
    const next = frame[stop + 1]!;
    if (next !== 0 && next !== 0xff) {
      entropy.fill(0, length, length + 8);
      return { length, marker: stop };
    }
    if (next === 0) entropy[length++] = 0xff;
    from = next === 0 ? stop + 2 : stop + 1;
  }
}

/** The rows of one restart interval. This loop is where the time goes: state stays in local variables. */
function decodeRows(entropy: Uint8Array, length: number, scan: Scan, first: number, end: number): void {
  const { samples, offsets, tables, precision, predictor } = scan;
  const stride = scan.image.samples;
  const rowStride = scan.image.columns * stride;
  const components = offsets.length;
  const initial = 1 << (precision - 1);
  let bitBuffer = 0; // its lowest `bits` bits are the next ones
  let bits = 0;
  let at = 0;

  for (let row = first; row < end; row += 1) {
    const rowStart = row * rowStride;
    const rowEnd = rowStart + rowStride;
    let seen = 0;
    for (let pixel = rowStart; pixel < rowEnd; pixel += stride) {
      for (let component = 0; component < components; component += 1) {
        const table = tables[component]!;
        if (bits < 16) {
          bitBuffer = (bitBuffer << 16) | (entropy[at]! << 8) | entropy[at + 1]!;
          at += 2;
          bits += 16;
        }
        // Most codes are short: one look tells the difference and how many bits it took.
        const entry = table.fast[(bitBuffer >>> (bits - FAST_BITS)) & 0xfff]!;
        let delta: number;
        if ((entry & COMPLETE) !== 0) {
          delta = entry >> 8;
          bits -= entry & BITS_MASK;
        } else {
          let category = entry >> 8;
          if (entry !== 0) bits -= entry & BITS_MASK;
          else {
            const code = (bitBuffer >>> (bits - 16)) & 0xffff;
            let codeBits = FAST_BITS + 1;
            while (codeBits <= 16 && code >= table.limits[codeBits]!) codeBits += 1;
            if (codeBits > 16)
              throw malformed(`The JPEG stream has a code in row ${row} that no table knows`);
            category = table.categories[(code >> (16 - codeBits)) + table.indexes[codeBits]!]!;
            bits -= codeBits;
          }
          let extra = 0;
          if (category !== 16) {
            if (bits < category) {
              bitBuffer = (bitBuffer << 16) | (entropy[at]! << 8) | entropy[at + 1]!;
              at += 2;
              bits += 16;
            }
            bits -= category;
            extra = (bitBuffer >>> bits) & ((1 << category) - 1);
          }
          delta = difference(category, extra);
        }

        // T.81 §H.1.2.1: the first line of an interval is predicted from the left, the first column from above.
        const index = pixel + offsets[component]!;
        let prediction: number;
        if (row === first) prediction = pixel === rowStart ? initial : samples[index - stride]!;
        else if (pixel === rowStart) prediction = samples[index - rowStride]!;
        else {
          const left = samples[index - stride]!;
          if (predictor === 1) prediction = left;
          else {
            const above = samples[index - rowStride]!;
            const diagonal = samples[index - rowStride - stride]!;
            prediction = predict(predictor, left, above, diagonal);
          }
        }
        // T.81 §H.1.2.1: modulo 65536; what that makes of a corrupt stream is above the precision.
        const sample = (prediction + delta) & 0xffff;
        seen |= sample;
        samples[index] = sample;
      }
    }
    if (at * 8 - bits > length * 8) throw malformed(`The JPEG stream is cut short in row ${row}`);
    if (seen >>> precision !== 0)
      throw malformed(`Row ${row} of the JPEG stream has a sample above ${precision} bits`);
  }
  // The last byte is filled up with ones (T.81 §F.1.2.3); whole bytes would be samples that nobody asked for.
  if (length * 8 - (at * 8 - bits) >= 8) throw malformed('The JPEG stream holds more samples than the image');
}

/** T.81 Table H.1, selection values 2 to 7. */
function predict(predictor: number, left: number, above: number, diagonal: number): number {
  switch (predictor) {
    case 2:
      return above;
    case 3:
      return diagonal;
    case 4:
      return left + above - diagonal;
    case 5:
      return left + ((above - diagonal) >> 1);
    case 6:
      return above + ((left - diagonal) >> 1);
    default:
      return (left + above) >> 1;
  }
}
