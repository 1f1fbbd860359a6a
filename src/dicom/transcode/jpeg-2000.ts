// JPEG 2000 and HTJ2K frames: reversible, whole, and of a kind that the decoder gives back exactly (PS3.5 §A.4.4).

import { malformed, unsupported } from './errors.ts';
import type { CodecOptions, FrameCodec, PixelImage } from './frame-codec.ts';
import { type Codestream, inspectCodestream, START_OF_CODESTREAM } from './jpeg-2000-codestream.ts';
import { openOpenJpeg } from './openjpeg.ts';
import { layOutSamples } from './sample-layout.ts';

export async function jpeg2000Codec({ lossy = false }: CodecOptions = {}): Promise<FrameCodec> {
  const openJpeg = await openOpenJpeg();
  return {
    startOfFrame: START_OF_CODESTREAM,
    inspect: (frame, image) => ({ undoesRct: inspect(frame, image, lossy).colourTransformation }),
    decode(frame, image) {
      const codestream = inspect(frame, image, lossy);
      const bytes = openJpeg.decode(frame);
      return layOutSamples({ bytes, planar: false, ...codestream }, image);
    },
  };
}

function inspect(frame: Buffer, image: PixelImage, lossy: boolean): Codestream {
  const codestream = inspectCodestream(frame, lossy);
  const { columns, rows, components, precision, signed } = codestream;
  if (columns !== image.columns || rows !== image.rows || components !== image.samples) {
    throw malformed(
      `The JPEG 2000 codestream holds ${columns}×${rows} pixels of ${components} samples, the data set says ` +
        `${image.columns}×${image.rows} of ${image.samples}`,
    );
  }
  // What the decoder's wrapper yields otherwise is not what the codestream holds: it clamps negative values of 8
  // bits, and leaves colours of more than 8 bits out.
  const exact =
    components === 1 ? !(signed && precision <= 8) : components === 3 && precision <= 8 && !signed;
  if (!exact || precision > 16) {
    const kind = `${components} ${signed ? 'signed' : 'unsigned'} components of ${precision} bits`;
    throw unsupported(`JPEG 2000 with ${kind} is not decoded exactly here`);
  }
  return codestream;
}
