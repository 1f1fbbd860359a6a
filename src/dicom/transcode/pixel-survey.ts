// Goes through a compressed data set before anything of it is written: what cannot be done exactly is refused first.

import type { ByteInput, DataSetFile } from './byte-input.ts';
import { type DataSetVisitor, type Scope, walkDataSet } from './data-set-walker.ts';
import type { ElementHeader, Encoding } from './element-header.ts';
import { readFragments } from './fragments.ts';
import type { FrameCodec } from './frame-codec.ts';
import {
  LOSSY_IMAGE_COMPRESSION,
  type PixelPlan,
  planPixels,
  readPixelImage,
  requireDeclaredLossless,
} from './pixel-plan.ts';

const MAX_KEPT_BYTES = 64;

/** A plan for each encapsulated Pixel Data, also of icons in items, by the position of its data set. */
export async function surveyPixels(
  input: ByteInput,
  file: DataSetFile,
  encoding: Encoding,
  codec: FrameCodec,
  mayBeCut: boolean,
): Promise<Map<number, PixelPlan>> {
  const survey = new PixelSurvey(input, file, codec, mayBeCut);
  await walkDataSet(input, encoding, true, survey);
  return survey.plans;
}

class PixelSurvey implements DataSetVisitor {
  readonly plans = new Map<number, PixelPlan>();
  readonly #input: ByteInput;
  readonly #file: DataSetFile;
  readonly #codec: FrameCodec;
  readonly #mayBeCut: boolean;
  /** Of the data sets that are open now. */
  readonly #attributes = new Map<Scope, Map<number, Buffer>>();

  constructor(input: ByteInput, file: DataSetFile, codec: FrameCodec, mayBeCut: boolean) {
    this.#input = input;
    this.#file = file;
    this.#codec = codec;
    this.#mayBeCut = mayBeCut;
  }

  async value({ tag, length }: ElementHeader, scope: Scope): Promise<void> {
    const wanted = (tag >= 0x00280002 && tag <= 0x00280103) || tag === LOSSY_IMAGE_COMPRESSION;
    if (!wanted || length > MAX_KEPT_BYTES || scope.verbatim) return await this.#input.skip(length);
    let attributes = this.#attributes.get(scope);
    if (attributes === undefined) {
      attributes = new Map();
      this.#attributes.set(scope, attributes);
    }
    attributes.set(tag, await this.#input.take(length));
  }

  async fragments(_element: ElementHeader, scope: Scope): Promise<void> {
    const attributes = this.#attributes.get(scope) ?? new Map<number, Buffer>();
    const image = readPixelImage(attributes);
    const fragments = await readFragments(this.#input, this.#file, scope.encoding, image, this.#codec);
    const plan = planPixels(attributes, image, fragments, this.#codec);
    if (this.#mayBeCut) requireDeclaredLossless(attributes);
    this.plans.set(scope.position, plan);
  }

  async beginSequence(): Promise<void> {}

  async beginItem(): Promise<void> {}

  /** An item's attributes describe nothing outside it. */
  async endItem(_length: number, inner: Scope): Promise<void> {
    this.#attributes.delete(inner);
  }

  async endSequence(): Promise<void> {}
}
