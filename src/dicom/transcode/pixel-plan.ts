// What becomes of one encapsulated Pixel Data: its image, its frames, and the attributes that follow (PS3.3 §C.7.6.3).

import { TranscodeError, unsupported } from './errors.ts';
import type { Fragments } from './fragments.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';

/** One decoded frame, and so what a codec may need of memory: about the largest mammogram, four times over. */
const MAX_FRAME_BYTES = 128 * 1024 * 1024;
const MAX_VALUE_BYTES = 0xfffffffe;

export interface PixelPlan {
  readonly image: PixelImage;
  readonly fragments: Fragments;
  /** Photometric Interpretation of the native samples. */
  readonly photometric: string;
  /** Length of native Pixel Data, even. */
  readonly valueBytes: number;
  /** Where the encapsulated value ends, behind its delimiter. */
  readonly endPosition: number;
}

/** Attributes as they stand in the data set, by tag. */
export type PixelAttributes = ReadonlyMap<number, Buffer>;

export const NUMBER_OF_FRAMES = 0x00280008;
export const LOSSY_IMAGE_COMPRESSION = 0x00282110;
const PHOTOMETRIC_INTERPRETATION = 0x00280004;

/** Reads the Image Pixel Module and checks every size before anything is allocated for it. */
export function readPixelImage(attributes: PixelAttributes): PixelImage {
  const rows = requiredNumber(attributes, 0x00280010, 'Rows');
  const columns = requiredNumber(attributes, 0x00280011, 'Columns');
  const samples = requiredNumber(attributes, 0x00280002, 'Samples per Pixel');
  const bitsAllocated = requiredNumber(attributes, 0x00280100, 'Bits Allocated');
  const bitsStored = requiredNumber(attributes, 0x00280101, 'Bits Stored');
  const signed = (attributes.get(0x00280103)?.[0] ?? 0) !== 0;
  if (bitsAllocated % 8 !== 0 || bitsAllocated > 64 || bitsStored > bitsAllocated || samples > 4) {
    throw unsupported(`Compressed pixels of ${samples} samples with ${bitsStored}/${bitsAllocated} bits`);
  }
  const frames = readFrameCount(attributes);
  const frameBytes = (rows * columns * samples * bitsAllocated) / 8;
  if (frameBytes > MAX_FRAME_BYTES) {
    throw new TranscodeError(
      'transcode-limit',
      `A frame of ${columns}×${rows} has more than ${MAX_FRAME_BYTES} bytes`,
    );
  }
  if (frameBytes * frames > MAX_VALUE_BYTES) {
    throw new TranscodeError(
      'transcode-limit',
      `${frames} frames of ${frameBytes} bytes are too many for native pixels`,
    );
  }
  return { rows, columns, samples, bitsAllocated, bitsStored, signed, frames, frameBytes };
}

/** Refuses what is declared lossy where the codestream cannot tell; `mayBeCut` says that it cannot. */
export function requireDeclaredLossless(attributes: PixelAttributes): void {
  const declared = text(attributes, LOSSY_IMAGE_COMPRESSION);
  if (declared === '00') return;
  throw new TranscodeError(
    'transcode-lossy',
    'A reversible codestream of this transfer syntax may have been cut short, and Lossy Image Compression ' +
      `(0028,2110) is ${declared === '' ? 'not there' : `"${declared}"`}, not "00"`,
  );
}

export function planPixels(
  attributes: PixelAttributes,
  image: PixelImage,
  fragments: Fragments,
  codec: FrameCodec,
): PixelPlan {
  const bytes = image.frameBytes * image.frames;
  const declared = text(attributes, PHOTOMETRIC_INTERPRETATION);
  return {
    image,
    fragments,
    photometric: nativePhotometric(declared, codec.inspect(fragments.readFrame(0), image).undoesRct),
    valueBytes: bytes + (bytes % 2), // PS3.5 §8.1.1: padded to an even length
    endPosition: fragments.endPosition,
  };
}

/** PS3.5 §8.2.4: YBR_RCT exists within a codestream only. Colours that came at full resolution are not 4:2:2. */
function nativePhotometric(declared: string, undone: boolean): string {
  if (declared === 'YBR_RCT' && undone) return 'RGB';
  if (declared === 'YBR_FULL_422') return 'YBR_FULL';
  if (declared === 'YBR_RCT' || declared === 'YBR_ICT' || declared.startsWith('YBR_PARTIAL')) {
    throw unsupported(
      `Photometric Interpretation ${declared} does not fit a codestream without that transformation`,
    );
  }
  return declared;
}

function readFrameCount(attributes: PixelAttributes): number {
  const declared = text(attributes, NUMBER_OF_FRAMES);
  if (declared === '') return 1;
  // IS (PS3.5 §6.2), and no more digits than any number of frames that fits.
  const frames = /^\+?\d{1,10}$/.test(declared) ? Number(declared) : 0;
  if (frames < 1) throw unsupported(`Number of Frames is "${declared}"`);
  return frames;
}

function requiredNumber(attributes: PixelAttributes, tag: number, name: string): number {
  const value = attributes.get(tag);
  const number = value?.length === 2 ? value.readUInt16LE(0) : 0;
  if (number === 0) throw unsupported(`Compressed pixels come without ${name}, or it is zero`);
  return number;
}

function text(attributes: PixelAttributes, tag: number): string {
  return (attributes.get(tag)?.toString('latin1') ?? '').replaceAll('\0', '').trim();
}
