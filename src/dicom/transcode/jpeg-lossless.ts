// Lossless JPEG, Huffman coded, process 14 (PS3.5 §A.4.1; ITU-T T.81 Annex H): the markers around the scans.
// Our own, because it has to be exact for every predictor, precision and number of components, and has to refuse a
// stream that is cut short.

import { malformed, TranscodeError, unsupported } from './errors.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';
import { type HuffmanTable, readHuffmanTables } from './jpeg-huffman.ts';
import { decodeScan, type Scan } from './jpeg-lossless-scan.ts';
import {
  DHT,
  DRI,
  EOI,
  type FrameHeader,
  readFrameHeader,
  readSegment,
  requireEnd,
  type Segment,
  SOS,
  START_OF_JPEG,
  skipStartOfImage,
} from './jpeg-segments.ts';
import { type DecodedSamples, layOutSamples } from './sample-layout.ts';

export const SOF_LOSSLESS = 0xc3;

/** What tables and miscellaneous segments have said so far (T.81 §B.2.4). */
interface Tables {
  readonly huffman: (HuffmanTable | undefined)[];
  restartInterval: number;
}

export function jpegLosslessCodec(): FrameCodec {
  return {
    startOfFrame: START_OF_JPEG,
    inspect(frame, image) {
      const { header, tables, segment } = readHeaders(frame, image);
      readScan(segment.body, header, tables);
      // PS3.5 §8.2.1: components are what Photometric Interpretation says; the codec changes no colours.
      return { undoesRct: false };
    },
    decode: (frame, image) => layOutSamples(decodeJpegLossless(frame, image), image),
  };
}

/** All samples of one frame, side by side. */
export function decodeJpegLossless(frame: Buffer, image: PixelImage): DecodedSamples {
  const { header, tables, segment: firstScan } = readHeaders(frame, image);
  const { precision } = header;
  const count = image.rows * image.columns * image.samples;
  const samples = precision <= 8 ? new Uint8Array(count) : new Uint16Array(count);
  const entropy = new Uint8Array(frame.length + 8);
  const decoded = new Set<number>();

  let segment = firstScan;
  while (segment.marker !== EOI) {
    let next = segment.next;
    if (segment.marker === SOS) {
      const scan = readScan(segment.body, header, tables);
      for (const offset of scan.offsets) {
        if (decoded.has(offset)) throw malformed('The JPEG stream codes a component twice');
        decoded.add(offset);
      }
      next = decodeScan(frame, next, entropy, { ...scan, image, samples, precision });
    } else readTables(segment, tables);
    segment = readSegment(frame, next);
  }
  requireEnd(frame, segment.next);
  if (decoded.size !== image.samples)
    throw malformed('The JPEG stream ends before all components were coded');
  return { bytes: new Uint8Array(samples.buffer), precision, planar: false, signed: false };
}

/** Everything before the first scan; `segment` is that scan's header. */
function readHeaders(
  frame: Buffer,
  image: PixelImage,
): { header: FrameHeader; tables: Tables; segment: Segment } {
  const tables: Tables = { huffman: [], restartInterval: 0 };
  let header: FrameHeader | undefined;
  for (let at = skipStartOfImage(frame); ; ) {
    const segment = readSegment(frame, at);
    if (segment.marker === SOS && header !== undefined) return { header, tables, segment };
    if (segment.marker === SOF_LOSSLESS && header === undefined)
      header = readFrameHeader(segment.body, image);
    else readTables(segment, tables);
    at = segment.next;
  }
}

function readTables({ marker, body }: Segment, tables: Tables): void {
  if (marker === DHT) readHuffmanTables(body, tables.huffman);
  else if (marker === DRI) {
    if (body.length !== 2) throw malformed('The JPEG restart interval has a wrong length');
    tables.restartInterval = body.readUInt16BE(0);
  } else refuseUnlessIgnorable(marker);
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

function readScan(
  body: Buffer,
  header: FrameHeader,
  tables: Tables,
): Pick<Scan, 'offsets' | 'tables' | 'predictor' | 'restartInterval'> {
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
    const table = tables.huffman[body[2 + 2 * index]! >> 4];
    if (offset < 0 || table === undefined)
      throw malformed('The JPEG scan names a component or table that is not there');
    offsets.push(offset);
    chosen.push(table);
  }
  return { offsets, tables: chosen, predictor, restartInterval: tables.restartInterval };
}
