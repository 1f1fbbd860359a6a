// JPEG-LS: what its headers say before CharLS may decode it (PS3.5 §A.4.3; ITU-T T.87 Annex C).

import { openCharLs } from './charls.ts';
import { malformed, TranscodeError, unsupported } from './errors.ts';
import type { CodecOptions, FrameCodec, PixelImage } from './frame-codec.ts';
import {
  EOI,
  type FrameHeader,
  readFrameHeader,
  readSegment,
  requireEnd,
  SOS,
  START_OF_JPEG,
  skipStartOfImage,
} from './jpeg-segments.ts';
import { layOutSamples } from './sample-layout.ts';

const SOF_JPEG_LS = 0xf7;
const LSE = 0xf8;
const PRESET_CODING_PARAMETERS = 1;

export async function jpegLsCodec({ lossy = false }: CodecOptions = {}): Promise<FrameCodec> {
  const charls = await openCharLs();
  return {
    startOfFrame: START_OF_JPEG,
    inspect(frame, image) {
      inspectJpegLs(frame, image, lossy);
      return { undoesRct: false };
    },
    decode(frame, image) {
      const { precision, interleaved } = inspectJpegLs(frame, image, lossy);
      const bytes = charls.decode(frame);
      return layOutSamples({ bytes, precision, planar: !interleaved, signed: false }, image);
    },
  };
}

/** Refuses what is not lossless, unless it may be `lossy`, and what does not fit the data set, before anything is
 *  allocated for it. */
export function inspectJpegLs(
  frame: Buffer,
  image: PixelImage,
  lossy = false,
): { precision: number; interleaved: boolean } {
  let header: FrameHeader | undefined;
  let interleaved = false;
  const coded: number[] = [];
  for (let at = skipStartOfImage(frame); ; ) {
    const { marker, body, next } = readSegment(frame, at);
    at = next;
    if (marker === EOI) {
      requireEnd(frame, next);
      break;
    }
    if (marker === SOF_JPEG_LS && header === undefined) header = readFrameHeader(body, image);
    else if (marker === LSE && body[0] !== PRESET_CODING_PARAMETERS) {
      throw unsupported(`The JPEG-LS stream has a parameter segment of type ${body[0]}`);
    } else if (marker === SOS && header !== undefined) {
      interleaved = checkScan(body, header, coded, lossy);
      at = skipEntropyCodedData(frame, next);
    } else if (marker < 0xdb || marker === SOF_JPEG_LS) {
      throw malformed(
        `The JPEG-LS stream has marker FF${marker.toString(16).toUpperCase()} where it cannot be`,
      );
    }
  }
  if (header === undefined || coded.length !== image.samples) {
    throw malformed('The JPEG-LS stream ends before all components were coded');
  }
  return { precision: header.precision, interleaved };
}

/** T.87 §C.2.3: every scan has its own NEAR. Returns whether its components are interleaved. */
function checkScan(body: Buffer, header: FrameHeader, coded: number[], lossy: boolean): boolean {
  const count = body[0] ?? 0;
  if (body.length !== 4 + 2 * count) throw malformed('The JPEG-LS scan header has a wrong length');
  for (let index = 0; index < count; index += 1) {
    // Scans in another order than the components would leave CharLS' planes in that order.
    if (body[1 + 2 * index] !== header.components[coded.length]) {
      throw malformed('The JPEG-LS stream codes its components out of order');
    }
    if (body[2 + 2 * index] !== 0) throw unsupported('The JPEG-LS stream maps its samples through a table');
    coded.push(body[1 + 2 * index]!);
  }
  const near = body[1 + 2 * count]!;
  if (near !== 0 && !lossy) {
    throw new TranscodeError(
      'transcode-lossy',
      `The JPEG-LS stream is near-lossless: samples may be off by ${near}`,
    );
  }
  const pointTransform = body[3 + 2 * count]! & 0x0f;
  if (pointTransform !== 0) {
    throw new TranscodeError(
      'transcode-lossy',
      `The JPEG-LS stream dropped the ${pointTransform} lowest bits`,
    );
  }
  return count > 1 || header.components.length === 1;
}

/** T.87 §A.1: after FF comes a stuffed zero bit; a byte above 7F is a marker. Restart markers do not end the scan. */
function skipEntropyCodedData(frame: Buffer, start: number): number {
  for (let at = frame.indexOf(0xff, start); at >= 0; at = frame.indexOf(0xff, at + 1)) {
    const next = frame[at + 1];
    if (next === undefined) break;
    if (next >= 0x80 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw malformed('The JPEG-LS stream ends inside its entropy-coded data');
}
