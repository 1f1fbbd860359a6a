// One stored data set in another transfer syntax, from the file to chunks: what a worker does.

import { transferSyntax } from '../transfer-syntax.ts';
import { ByteInput, DataSetFile } from './byte-input.ts';
import { ChunkOutput, type SendChunk } from './chunk-output.ts';
import { DataSetRewriter, type DecodeFrame } from './data-set-rewriter.ts';
import { walkDataSet } from './data-set-walker.ts';
import { TranscodeError, type TranscodeErrorCode } from './errors.ts';
import type { FrameCodec } from './frame-codec.ts';
import { jpeg2000Codec } from './jpeg-2000.ts';
import { jpegLosslessCodec } from './jpeg-lossless.ts';
import { jpegLsCodec } from './jpeg-ls.ts';
import { type CodecName, FRAME_CODECS, MAY_BE_CUT } from './lossless-syntaxes.ts';
import type { PixelPlan } from './pixel-plan.ts';
import { surveyPixels } from './pixel-survey.ts';
import { rleCodec } from './rle.ts';
import type { TranscodeTask } from './worker-messages.ts';

const OPEN_CODEC: Record<CodecName, () => FrameCodec | Promise<FrameCodec>> = {
  rle: rleCodec,
  'jpeg-lossless': jpegLosslessCodec,
  'jpeg-ls': jpegLsCodec,
  'jpeg-2000': jpeg2000Codec,
};

// Opened once: WebAssembly takes a while to compile.
const codecs = new Map<CodecName, FrameCodec>();

/** Sends the whole data set, or throws a TranscodeError. */
export async function transcodeFile(task: TranscodeTask, send: SendChunk): Promise<void> {
  const { path, dataSetOffset, from, to } = task;
  const source = transferSyntax(from);
  const file = new DataSetFile(path, dataSetOffset);
  try {
    // Twice through a compressed data set: attributes before the pixels depend on what the codestreams say, and a
    // refusal should come before the first byte.
    const codec = await openCodec(from);
    const plans =
      codec === undefined
        ? new Map<number, PixelPlan>()
        : await surveyPixels(new ByteInput(file, false), file, source, codec, MAY_BE_CUT.has(from));
    const input = new ByteInput(file, source.deflated);
    const output = new ChunkOutput(send);
    const rewriter = new DataSetRewriter(input, output, transferSyntax(to), plans, decoderOf(codec));
    await walkDataSet(input, source, codec !== undefined, rewriter);
    await output.finish();
  } finally {
    file.close();
  }
}

/** The frame's number goes into every complaint. */
function decoderOf(codec: FrameCodec | undefined): DecodeFrame {
  return (plan, frame) => {
    try {
      return codec!.decode(plan.fragments.readFrame(frame), plan.image);
    } catch (error) {
      if (!(error instanceof TranscodeError)) throw error;
      const where = `frame ${frame + 1} of ${plan.image.frames}`;
      throw new TranscodeError(error.code as TranscodeErrorCode, `${error.message} (${where})`, {
        cause: error,
      });
    }
  };
}

async function openCodec(from: string): Promise<FrameCodec | undefined> {
  const name = FRAME_CODECS.get(from);
  if (name === undefined) return undefined;
  const codec = codecs.get(name) ?? (await OPEN_CODEC[name]());
  codecs.set(name, codec);
  return codec;
}
