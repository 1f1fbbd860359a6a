// From a codec's samples to native pixel cells: one sample beside the other, as wide as Bits Allocated (PS3.5 §8.1).

import { unsupported } from './errors.ts';
import type { PixelImage } from './frame-codec.ts';

export interface DecodedSamples {
  /** One byte a sample up to 8 bits of precision, else two, little endian. */
  readonly bytes: Uint8Array;
  readonly precision: number;
  /** All of the first component, then all of the second … */
  readonly planar: boolean;
  /** Negative values came out extended to the full width. */
  readonly signed: boolean;
}

/** Pixel cells of exactly `image.frameBytes`. */
export function layOutSamples(decoded: DecodedSamples, image: PixelImage): Uint8Array {
  const { precision } = decoded;
  const { bitsAllocated, bitsStored } = image;
  if ((bitsAllocated !== 8 && bitsAllocated !== 16) || precision > bitsAllocated) {
    throw unsupported(`Samples of ${precision} bits cannot be put into ${bitsAllocated} bits allocated`);
  }
  const width = precision <= 8 ? 1 : 2;
  const count = (image.frameBytes * 8) / bitsAllocated;
  if (decoded.bytes.length !== count * width) {
    throw unsupported(
      `The codec gave ${decoded.bytes.length} bytes for ${count} samples of ${precision} bits`,
    );
  }
  if (image.signed !== decoded.signed && precision < bitsStored) {
    throw unsupported(
      `The codestream's samples of ${precision} bits do not tell the sign of ${bitsStored} bits stored`,
    );
  }
  // The codestream knows bit patterns; the data set says which of them are negative. Cells narrower than what is
  // allocated get their sign extended, as applications expect of native pixel data.
  const extend = image.signed && precision === bitsStored && precision < bitsAllocated;
  const mask = decoded.signed && !image.signed && precision < bitsAllocated;
  const cellBytes = bitsAllocated / 8;
  if (width === cellBytes && !decoded.planar && !extend && !mask) return decoded.bytes;

  const source = width === 1 ? decoded.bytes : words(decoded.bytes);
  const cells = new Uint8Array(image.frameBytes);
  const target = cellBytes === 1 ? cells : words(cells);
  const shift = 32 - precision;
  const keep = 2 ** precision - 1;
  const samples = decoded.planar ? image.samples : 1;
  for (let sample = 0, from = 0; sample < samples; sample += 1) {
    for (let to = sample; to < count; to += samples, from += 1) {
      const value = source[from]!;
      target[to] = extend ? (value << shift) >> shift : mask ? value & keep : value;
    }
  }
  return cells;
}

// Both Node's platforms here are little endian, as the codecs' output is.
function words(bytes: Uint8Array): Uint16Array {
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(bytes.slice().buffer);
}
