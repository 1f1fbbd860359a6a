// RLE Lossless: PackBits over byte planes, the most significant byte of each sample first (PS3.5 Annex G).

import { malformed } from './errors.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';

const HEADER_BYTES = 64;
const MAX_SEGMENTS = 15;
// Below this a loop is faster than the call of a Buffer method.
const SHORT_RUN = 24;

export function rleCodec(): FrameCodec {
  let frameBuffer = Buffer.alloc(0);
  return {
    startOfFrame: undefined,
    inspect(frame, image) {
      segmentOffsets(frame, image);
      return { undoesRct: false };
    },
    decode(frame, image) {
      if (frameBuffer.length !== image.frameBytes) frameBuffer = Buffer.allocUnsafeSlow(image.frameBytes);
      decodeRle(frame, image, frameBuffer);
      return frameBuffer;
    },
  };
}

/** Fills all of `target`, or throws. */
export function decodeRle(frame: Buffer, image: PixelImage, target: Buffer): void {
  const sampleBytes = image.bitsAllocated / 8;
  const pixelBytes = image.samples * sampleBytes;
  const offsets = segmentOffsets(frame, image);
  for (let segment = 0; segment < pixelBytes; segment += 1) {
    const sample = Math.floor(segment / sampleBytes);
    // PS3.5 §G.2: from the most to the least significant byte; little endian cells want it the other way.
    const significance = sampleBytes - 1 - (segment % sampleBytes);
    const bytes = frame.subarray(offsets[segment], offsets[segment + 1]);
    decodeSegment(bytes, target, sample * sampleBytes + significance, pixelBytes, segment + 1);
  }
}

/** Where each segment begins, and the end of the last (PS3.5 §G.5). */
function segmentOffsets(frame: Buffer, image: PixelImage): number[] {
  const expected = (image.samples * image.bitsAllocated) / 8;
  if (frame.length < HEADER_BYTES)
    throw malformed(`An RLE frame of ${frame.length} bytes has no whole header`);
  const segments = frame.readUInt32LE(0);
  if (segments !== expected || segments > MAX_SEGMENTS) {
    throw malformed(`The RLE header names ${segments} segments where the image has ${expected}`);
  }
  const offsets = [];
  for (let index = 1; index <= segments; index += 1) offsets.push(frame.readUInt32LE(index * 4));
  offsets.push(frame.length);
  let least = HEADER_BYTES;
  for (const offset of offsets) {
    if (offset < least) throw malformed(`The RLE header's segment offsets do not ascend within the frame`);
    least = offset;
  }
  return offsets;
}

/** PackBits (PS3.5 §G.3.1) into every `stride`th byte from `first` on. */
function decodeSegment(bytes: Buffer, target: Buffer, first: number, stride: number, segment: number): void {
  const length = bytes.length;
  const end = target.length;
  let from = 0;
  let to = first;
  while (to < end) {
    if (from >= length) throw malformed(`RLE segment ${segment} ends before its plane is full`);
    const control = bytes[from]!;
    from += 1;
    if (control === 128) continue;
    const run = control < 128 ? control + 1 : 257 - control;
    const next = to + run * stride;
    if (next - stride >= end) throw malformed(`RLE segment ${segment} holds more than its plane`);
    if (control < 128) {
      if (from + run > length) throw malformed(`RLE segment ${segment} ends inside a literal run`);
      if (stride === 1 && run >= SHORT_RUN) bytes.copy(target, to, from, from + run);
      else for (let at = to, source = from; at < next; at += stride, source += 1) target[at] = bytes[source]!;
      from += run;
    } else {
      if (from >= length) throw malformed(`RLE segment ${segment} ends inside a replicate run`);
      const value = bytes[from]!;
      if (stride === 1 && run >= SHORT_RUN) target.fill(value, to, next);
      else for (let at = to; at < next; at += stride) target[at] = value;
      from += 1;
    }
    to = next;
  }
  // Segments have even length (PS3.5 §G.3.1); anything but padding would be pixels that the image has no place for.
  for (; from < length; from += 1) {
    if (bytes[from] !== 0 && bytes[from] !== 128)
      throw malformed(`RLE segment ${segment} goes on behind its plane`);
  }
}
