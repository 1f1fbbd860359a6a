// The bytes of one frame, read from the file without the others (PS3.5 §8, Annex A).

import { PIXEL_DATA } from '../tag.ts';
import { ByteInput, type DataSetFile } from '../transcode/byte-input.ts';
import { type ElementHeader, readHeader, UNDEFINED_LENGTH } from '../transcode/element-header.ts';
import { readFragments } from '../transcode/fragments.ts';
import { transferSyntax } from '../transfer-syntax.ts';
import { malformedImage, notShown } from './errors.ts';
import type { ShownImage } from './image-head.ts';
import { openRenderCodec } from './render-codecs.ts';
import { nativeCells, type ShownFrame } from './shown-frame.ts';

/** Its samples alone are big endian in a little endian data set. */
const GE_PRIVATE_BIG_ENDIAN_PIXELS = '1.2.840.113619.5.2';
/** Small: from one fragment to the next is a jump. */
const WINDOW_BYTES = 4096;

/** Reads and decodes one frame; `headEnd` is where the group of Pixel Data begins. */
export async function readFrame(
  file: DataSetFile,
  headEnd: number,
  transferSyntaxUid: string,
  image: ShownImage,
  frame: number,
): Promise<ShownFrame> {
  const syntax = transferSyntax(transferSyntaxUid);
  const windowBytes = Math.max(WINDOW_BYTES, Math.min(image.frames * 4, 1 << 20));
  const input = new ByteInput(file, syntax.deflated, windowBytes);
  await input.skip(headEnd);
  const element = await findPixelData(input, syntax);
  if (element.length === UNDEFINED_LENGTH) {
    const codec = await openRenderCodec(transferSyntaxUid);
    const fragments = await readFragments(input, file, syntax, image, codec);
    return codec.decode(fragments.readFrame(frame), image);
  }
  const bigEndian = syntax.bigEndian || transferSyntaxUid === GE_PRIVATE_BIG_ENDIAN_PIXELS;
  return nativeCells(await readNative(input, element, image, frame, bigEndian), image);
}

async function findPixelData(
  input: ByteInput,
  encoding: { explicit: boolean; bigEndian: boolean },
): Promise<ElementHeader> {
  for (;;) {
    const element = await readHeader(input, encoding);
    if (element === undefined || element.tag > PIXEL_DATA) throw notShown('It holds no Pixel Data');
    if (element.tag === PIXEL_DATA) return element;
    // Extended offset tables, float pixels.
    if (element.length === UNDEFINED_LENGTH) throw malformedImage('Its pixels have no readable beginning');
    await input.skip(element.length);
  }
}

/** Native frames follow each other without a gap, those of single bits even within a byte (PS3.5 §8.1.1). */
async function readNative(
  input: ByteInput,
  element: ElementHeader,
  image: ShownImage,
  frame: number,
  bigEndian: boolean,
): Promise<{ bytes: Buffer; firstBit: number }> {
  const pixels = image.rows * image.columns;
  const subsampled = image.photometric.endsWith('_422');
  const frameBits = subsampled
    ? pixels * 2 * image.bitsAllocated
    : pixels * image.samples * image.bitsAllocated;
  const bits = frame * frameBits;
  const start = Math.floor(bits / 8);
  const end = Math.ceil((bits + frameBits) / 8);
  if (end > element.length) {
    throw malformedImage(`Pixel Data has ${element.length} bytes, frame ${frame + 1} would end at ${end}`);
  }
  // Bytes in words of a big endian data set are turned round, too (PS3.5 §7.3).
  const unit = bigEndian ? (image.bitsAllocated === 32 ? 4 : element.vr === 'OB' ? 1 : 2) : 1;
  const from = start - (start % unit);
  const bytes = Buffer.allocUnsafeSlow(Math.ceil((end - from) / unit) * unit);
  await input.skip(from);
  for (let at = 0; at < bytes.length; ) at += await input.move(bytes.subarray(at));
  if (unit === 2) bytes.swap16();
  if (unit === 4) bytes.swap32();
  return { bytes: bytes.subarray(start - from, end - from), firstBit: bits % 8 };
}
