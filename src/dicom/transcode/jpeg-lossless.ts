// Lossless JPEG, Huffman coded, processes 14 (PS3.5 §A.4.2; ITU-T T.81 Annex H). Our own, because it has to be exact
// for every predictor, precision and number of components, and has to refuse a stream that is cut short.

import { malformed, TranscodeError, unsupported } from './errors.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';
import { BITS_MASK, COMPLETE, difference, FAST_BITS, type HuffmanTable, readHuffmanTables } from './jpeg-huffman.ts';
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

export function jpegLosslessCodec(): FrameCodec {
  return {
    startOfFrame: START_OF_JPEG,
    // PS3.5 §8.2.1: components are what Photometric Interpretation says; the codec changes no colours.
    undoesColourTransformation: () => false,
    decode: (frame, image) => layOutSamples(decodeJpegLossless(frame, image), image),
  };
}

export function decodeJpegLossless(frame: Buffer, image: PixelImage): DecodedSamples {
  const tables: (HuffmanTable | undefined)[] = [];
  const entropy = new Uint8Array(frame.length + 8);
  let header: FrameHeader | undefined;
  let samples: Samples | undefined;
  let restartInterval = 0;
  const decoded = new Set<number>();

  for (let at = skipStartOfImage(frame); ; ) {
    const { marker, body, next } = readSegment(frame, at);
    at = next;
    if (marker === EOI) break;
    if (marker === DHT) readHuffmanTables(body, tables);
    else if (marker === DRI) restartInterval = body.length === 2 ? body.readUInt16BE(0) : -1;
    else if (marker === SOS && header !== undefined && samples !== undefined) {
      const scan = readScan(body, header, tables);
      for (const offset of scan.offsets) {
        if (decoded.has(offset)) throw malformed('The JPEG stream codes a component twice');
        decoded.add(offset);
      }
      at = decodeScan(frame, at, { scan, samples, image, precision: header.precision, restartInterval, entropy });
    } else if (marker === SOF_LOSSLESS && header === undefined) {
      header = readFrameHeader(body, image);
      const count = image.rows * image.columns * image.samples;
      samples = header.precision <= 8 ? new Uint8Array(count) : new Uint16Array(count);
    } else if (!isIgnorable(marker)) throw refusal(marker);
  }
  requireEnd(frame, frame.indexOf(Buffer.of(0xff, EOI), 0, 'latin1') < 0 ? frame.length : endOfImage);
  if (header === undefined || samples === undefined || decoded.size !== image.samples) {
    throw malformed('The JPEG stream ends before all components were coded');
  }
  const bytes = new Uint8Array(samples.buffer);
  return { bytes, precision: header.precision, planar: false, signed: false };
}
