// Lossless JPEG, Huffman coded, processes 14 (PS3.5 §A.4.2; ITU-T T.81 Annex H). Our own, because it has to be exact
// for every predictor, precision and number of components, and has to refuse a stream that is cut short.

import { malformed, TranscodeError, unsupported } from './errors.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';
import {
  BITS_MASK,
  COMPLETE,
  difference,
  FAST_BITS,
  type HuffmanTable,
  readHuffmanTables,
} from './jpeg-huffman.ts';
import {
  DHT,
  DRI,
  EOI,
  type FrameHeader,
  readFrameHeader,
  readSegment,
  requireEnd,
  SOS,
  START_OF_JPEG,
  skipStartOfImage,
} from './jpeg-segments.ts';
import { type DecodedSamples, layOutSamples } from './sample-layout.ts';

const SOF_LOSSLESS = 0xc3;
const RST0 = 0xd0;

type Samples = Uint8Array | Uint16Array;

/** The components of one scan, and how they are coded (T.81 §B.2.3). */
interface Scan {
  /** Offset of each component's sample in a pixel. */
  readonly offsets: readonly number[];
  readonly tables: readonly HuffmanTable[];
  readonly predictor: number;
}

interface ScanState extends Scan {
  readonly image: PixelImage;
  readonly samples: Samples;
  readonly precision: number;
  readonly restartInterval: number;
}

export function jpegLosslessCodec(): FrameCodec {
  return {
    startOfFrame: START_OF_JPEG,
    // PS3.5 §8.2.1: components are what Photometric Interpretation says; the codec changes no colours.
    undoesColourTransformation: () => false,
    decode: (frame, image) => layOutSamples(decodeJpegLossless(frame, image), image),
  };
}

/** All samples of one frame, side by side. */
export function decodeJpegLossless(frame: Buffer, image: PixelImage): DecodedSamples {
  const tables: (HuffmanTable | undefined)[] = [];
  const entropy = new Uint8Array(frame.length + 8);
  const decoded = new Set<number>();
  let header: FrameHeader | undefined;
  let samples: Samples | undefined;
  let restartInterval = 0;

  for (let at = skipStartOfImage(frame); ; ) {
    const { marker, body, next } = readSegment(frame, at);
    at = next;
    if (marker === EOI) {
      requireEnd(frame, next);
      break;
    }
    if (marker === DHT) readHuffmanTables(body, tables);
    else if (marker === DRI) restartInterval = readRestartInterval(body);
    else if (marker === SOF_LOSSLESS && header === undefined) {
      header = readFrameHeader(body, image);
      const count = image.rows * image.columns * image.samples;
      samples = header.precision <= 8 ? new Uint8Array(count) : new Uint16Array(count);
    } else if (marker === SOS && header !== undefined && samples !== undefined) {
      const scan = readScan(body, header, tables);
      for (const offset of scan.offsets) {
        if (decoded.has(offset)) throw malformed('The JPEG stream codes a component twice');
        decoded.add(offset);
      }
      const { precision } = header;
      at = decodeScan(frame, at, entropy, { ...scan, image, samples, precision, restartInterval });
    } else refuseUnlessIgnorable(marker);
  }
  if (header === undefined || samples === undefined || decoded.size !== image.samples) {
    throw malformed('The JPEG stream ends before all components were coded');
  }
  const bytes = new Uint8Array(samples.buffer);
  return { bytes, precision: header.precision, planar: false, signed: false };
}

function readRestartInterval(body: Buffer): number {
  if (body.length !== 2) throw malformed('The JPEG restart interval has a wrong length');
  return body.readUInt16BE(0);
}

/** APPn, comments and quantization tables do not touch lossless samples. */
function refuseUnlessIgnorable(marker: number): void {
  if (marker >= 0xe0 || marker === 0xdb) return;
  if (marker >= 0xc0 && marker <= 0xcf) {
    const kind = marker === 0xc9 || marker >= 0xcb ? 'arithmetic or hierarchical' : 'lossy or a second';
    throw new TranscodeError(
      marker <= 0xc2 ? 'transcode-lossy' : 'transcode-unsupported',
      `The JPEG stream is ${kind} (marker FF${marker.toString(16).toUpperCase()}), not Huffman coded lossless`,
    );
  }
  throw malformed(`The JPEG stream has marker FF${marker.toString(16).toUpperCase()} where it cannot be`);
}

function readScan(body: Buffer, header: FrameHeader, tables: readonly (HuffmanTable | undefined)[]): Scan {
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length !== 4 + 2 * count)
    throw malformed('The JPEG scan header has a wrong length');
  const predictor = body[1 + 2 * count]!;
  const pointTransform = body[3 + 2 * count]! & 0x0f;
  if (predictor < 1 || predictor > 7) throw unsupported(`The JPEG stream uses predictor ${predictor}`);
  if (pointTransform !== 0) {
    throw new TranscodeError('transcode-lossy', `The JPEG stream dropped the ${pointTransform} lowest bits`);
  }
  const offsets: number[] = [];
  const chosen: HuffmanTable[] = [];
  for (let index = 0; index < count; index += 1) {
    const offset = header.components.indexOf(body[1 + 2 * index]!);
    const table = tables[body[2 + 2 * index]! >> 4];
    if (offset < 0 || table === undefined)
      throw malformed('The JPEG scan names a component or table that is not there');
    offsets.push(offset);
    chosen.push(table);
  }
  return { offsets, tables: chosen, predictor };
}

/** Decodes a scan, one restart interval after the other; returns the offset of the marker behind it. */
function decodeScan(frame: Buffer, start: number, entropy: Uint8Array, scan: ScanState): number {
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
function decodeRows(entropy: Uint8Array, length: number, scan: ScanState, first: number, end: number): void {
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
