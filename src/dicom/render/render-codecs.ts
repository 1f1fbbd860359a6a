// Who decodes a compressed frame for showing it, lossy ones included, by transfer syntax (PS3.5 Annex A).

import { inflateRawSync } from 'node:zlib';
import type { FrameCodec } from '../transcode/frame-codec.ts';
import { jpeg2000Codec } from '../transcode/jpeg-2000.ts';
import { jpegLosslessCodec, SOF_LOSSLESS } from '../transcode/jpeg-lossless.ts';
import { jpegLsCodec } from '../transcode/jpeg-ls.ts';
import { EOI, readSegment, SOS, START_OF_JPEG, skipStartOfImage } from '../transcode/jpeg-segments.ts';
import { rleCodec } from '../transcode/rle.ts';
import { transferSyntax } from '../transfer-syntax.ts';
import { malformedImage, notShown } from './errors.ts';
import type { ShownImage } from './image-head.ts';
import { jpegDctCodec } from './jpeg-dct.ts';
import { cellsOf, type RenderCodec, unpackBits } from './shown-frame.ts';

type Open = () => RenderCodec | Promise<RenderCodec>;

/** Suffixes of 1.2.840.10008.1.2. */
const CODECS: readonly (readonly [suffixes: readonly string[], open: Open])[] = [
  [['.5'], () => fromLossless(rleCodec())],
  [['.4.50', '.4.51', '.4.53', '.4.55', '.4.57', '.4.70'], jpegCodec],
  [['.4.80', '.4.81'], async () => fromLossless(await jpegLsCodec({ lossy: true }))],
  [
    ['.4.90', '.4.91', '.4.201', '.4.202', '.4.203'],
    async () => fromLossless(await jpeg2000Codec({ lossy: true })),
  ],
  [['.1.98'], () => rawCodec((frame) => frame)],
  [['.8.1'], () => rawCodec(inflated)],
];

const openers = new Map(
  CODECS.flatMap(([suffixes, open]) =>
    suffixes.map((suffix): [string, Open] => [`1.2.840.10008.1.2${suffix}`, open]),
  ),
);
// Opened once: WebAssembly takes a while to compile.
const opened = new Map<Open, RenderCodec>();

export async function openRenderCodec(transferSyntaxUid: string): Promise<RenderCodec> {
  const open = openers.get(transferSyntaxUid);
  if (open === undefined) throw notShown(`${transferSyntax(transferSyntaxUid).name} is not shown`);
  const codec = opened.get(open) ?? (await open());
  opened.set(open, codec);
  return codec;
}

/** Deviation (PS3.5 §A.4.1): goes by what the stream is, because lossy JPEG is also found under the name of lossless. */
async function jpegCodec(): Promise<RenderCodec> {
  const lossless = fromLossless(jpegLosslessCodec());
  const dct = await jpegDctCodec();
  return {
    startOfFrame: START_OF_JPEG,
    decode: (frame, image) => (isLosslessJpeg(frame) ? lossless : dct).decode(frame, image),
  };
}

function isLosslessJpeg(frame: Buffer): boolean {
  for (let at = skipStartOfImage(frame); ; ) {
    const { marker, next } = readSegment(frame, at);
    if (marker === SOF_LOSSLESS) return true;
    if (marker === SOS || marker === EOI) return false;
    at = next;
  }
}

function fromLossless(codec: FrameCodec): RenderCodec {
  return {
    startOfFrame: codec.startOfFrame,
    decode(frame, image) {
      const { undoesRct } = codec.inspect(frame, image);
      const cells = cellsOf(codec.decode(frame, image), image);
      return { cells, photometric: undoesRct ? 'RGB' : image.photometric };
    },
  };
}

function rawCodec(bytesOf: (frame: Buffer, image: ShownImage) => Uint8Array): RenderCodec {
  return {
    startOfFrame: undefined,
    decode(frame, image) {
      const bytes = bytesOf(frame, image);
      const cells = image.bitsAllocated === 1 ? unpackBits(bytes, 0, image) : cellsOf(bytes, image);
      return { cells, photometric: image.photometric };
    },
  };
}

/** Deflated Image Frame Compression (PS3.5 §A.4.14). */
function inflated(frame: Buffer, image: ShownImage): Uint8Array {
  try {
    return inflateRawSync(frame, { maxOutputLength: image.frameBytes + 1 });
  } catch (error) {
    throw malformedImage(`The deflated frame cannot be inflated: ${(error as Error).message}`);
  }
}
