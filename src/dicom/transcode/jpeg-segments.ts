// Marker segments, which JPEG and JPEG-LS have in common (ITU-T T.81 Annex B, T.87 Annex C).

import { malformed, unsupported } from './errors.ts';
import { isPadding, type PixelImage } from './frame-codec.ts';

export const SOI = 0xd8;
export const EOI = 0xd9;
export const SOS = 0xda;
export const DHT = 0xc4;
export const DRI = 0xdd;
export const START_OF_JPEG = Buffer.of(0xff, SOI, 0xff);

export interface Segment {
  readonly marker: number;
  /** Without its length field; empty for EOI. */
  readonly body: Buffer;
  /** Offset of what follows. */
  readonly next: number;
}

export interface FrameHeader {
  readonly precision: number;
  /** Component identifiers, in the order of the samples. */
  readonly components: readonly number[];
}

/** Offset of the first marker segment. */
export function skipStartOfImage(frame: Buffer): number {
  if (frame[0] !== 0xff || frame[1] !== SOI)
    throw malformed('The frame does not begin with a JPEG Start of Image');
  return 2;
}

/** The segment at `offset`. */
export function readSegment(frame: Buffer, offset: number): Segment {
  let at = offset;
  if (frame[at] !== 0xff) throw malformed(`The JPEG stream has no marker at ${at}`);
  // T.81 §B.1.1.2: any number of fill bytes FF before a marker.
  while (frame[at] === 0xff) at += 1;
  const marker = frame[at];
  if (marker === undefined) throw malformed('The JPEG stream ends before End of Image');
  if (marker === EOI) return { marker, body: frame.subarray(at + 1, at + 1), next: at + 1 };
  const length = at + 3 <= frame.length ? frame.readUInt16BE(at + 1) : 0;
  const next = at + 1 + length;
  if (length < 2 || next > frame.length)
    throw malformed(`The JPEG segment at ${offset} has an impossible length`);
  return { marker, body: frame.subarray(at + 3, next), next };
}

/** SOF: refuses what differs from the data set (T.81 §B.2.2). */
export function readFrameHeader(body: Buffer, image: PixelImage): FrameHeader {
  const count = body[5] ?? 0;
  if (body.length !== 6 + 3 * count || count === 0)
    throw malformed('The JPEG frame header has a wrong length');
  const precision = body[0]!;
  const rows = body.readUInt16BE(1);
  const columns = body.readUInt16BE(3);
  if (rows !== image.rows || columns !== image.columns || count !== image.samples) {
    throw malformed(
      `The JPEG stream holds ${columns}×${rows} pixels of ${count} samples, the data set says ` +
        `${image.columns}×${image.rows} of ${image.samples}`,
    );
  }
  if (precision < 2 || precision > 16 || precision > image.bitsAllocated) {
    throw malformed(
      `The JPEG stream has ${precision} bits a sample, the data set ${image.bitsAllocated} allocated`,
    );
  }
  const components: number[] = [];
  for (let at = 6; at < body.length; at += 3) {
    if (body[at + 1] !== 0x11) throw unsupported('The JPEG stream has subsampled components');
    if (components.includes(body[at]!)) throw malformed('The JPEG stream names a component twice');
    components.push(body[at]!);
  }
  return { precision, components };
}

/** Behind End of Image there is nothing but padding; a second image would be a frame that nobody counted. */
export function requireEnd(frame: Buffer, offset: number): void {
  if (!isPadding(frame.subarray(offset))) {
    throw malformed(`The frame goes on for ${frame.length - offset} bytes behind its codestream's end`);
  }
}
