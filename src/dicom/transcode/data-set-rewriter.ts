// Writes what the walker sees in another native encoding; values stay, or turn their bytes round (PS3.5 §7).

import { describeTag, isUsOrSs } from '../dictionary.ts';
import { ITEM, ITEM_DELIMITATION, PIXEL_DATA, PIXEL_REPRESENTATION, SEQUENCE_DELIMITATION } from '../tag.ts';
import { vrInfo } from '../vr.ts';
import type { ByteInput } from './byte-input.ts';
import type { ChunkOutput } from './chunk-output.ts';
import type { DataSetVisitor, Scope } from './data-set-walker.ts';
import {
  type ElementHeader,
  type Encoding,
  hasLongHeader,
  headerBytes,
  IMPLICIT,
  UNDEFINED_LENGTH,
  writeHeader,
} from './element-header.ts';
import { malformed } from './errors.ts';
import type { PixelPlan } from './pixel-plan.ts';

const PHOTOMETRIC_INTERPRETATION = 0x00280004;
const PLANAR_CONFIGURATION = 0x00280006;
// Extended Offset Table, its lengths, and the total length: they describe fragments (PS3.3 §C.7.6.3.1.8).
const OF_FRAGMENTS: ReadonlySet<number> = new Set([0x7fe00001, 0x7fe00002, 0x7fe00003]);

/** Decodes one frame of planned pixel data; the bytes are good until the next call. */
export type DecodeFrame = (plan: PixelPlan, frame: number) => Uint8Array;

export class DataSetRewriter implements DataSetVisitor {
  readonly #input: ByteInput;
  readonly #output: ChunkOutput;
  readonly #target: Encoding;
  readonly #plans: ReadonlyMap<number, PixelPlan>;
  readonly #decode: DecodeFrame;

  /** `plans`: what becomes of encapsulated Pixel Data, by the position of the data set that it is in. */
  constructor(
    input: ByteInput,
    output: ChunkOutput,
    target: Encoding,
    plans: ReadonlyMap<number, PixelPlan>,
    decode: DecodeFrame,
  ) {
    this.#input = input;
    this.#output = output;
    this.#target = target;
    this.#plans = plans;
    this.#decode = decode;
  }

  async value(element: ElementHeader, scope: Scope): Promise<void> {
    const { tag, length } = element;
    const plan = this.#plans.get(scope.position);
    // Group lengths would be wrong in the new encoding; they are retired (PS3.5 §7.2).
    const stale = (tag & 0xffff) === 0 || (plan !== undefined && OF_FRAGMENTS.has(tag));
    if (stale && !scope.verbatim) return await this.#input.skip(length);

    if (plan !== undefined && tag === PHOTOMETRIC_INTERPRETATION) {
      const value = Buffer.from(
        plan.photometric.padEnd(plan.photometric.length + (plan.photometric.length % 2)),
      );
      await this.#header(tag, 'CS', value.length, scope);
      await this.#output.write(value);
      return await this.#input.skip(length);
    }
    // Every codec's output here has the samples of one pixel side by side.
    if (plan !== undefined && tag === PLANAR_CONFIGURATION) {
      await this.#header(tag, 'US', 2, scope);
      await this.#output.write(Buffer.alloc(2));
      return await this.#input.skip(length);
    }
    if (tag === PIXEL_REPRESENTATION && length === 2) await this.#notePixelRepresentation(scope);

    const vr = this.#vrOf(element, scope);
    const turns = !scope.verbatim && scope.encoding.bigEndian !== this.#target.bigEndian;
    const unitBytes = turns ? vrInfo(vr).unitBytes : 1;
    if (length % unitBytes !== 0) {
      throw malformed(`${describeTag(tag)} of ${length} bytes does not hold whole values of ${vr}`);
    }
    await this.#header(tag, vr, length, scope);
    await this.#output.copy(this.#input, length, unitBytes);
  }

  async fragments(_element: ElementHeader, scope: Scope): Promise<void> {
    const plan = this.#plans.get(scope.position)!;
    const { image } = plan;
    // PS3.5 §A.2: OW when a sample has more than 8 bits allocated.
    await this.#header(PIXEL_DATA, image.bitsAllocated > 8 ? 'OW' : 'OB', plan.valueBytes, scope);
    for (let frame = 0; frame < image.frames; frame += 1) {
      await this.#output.write(this.#decode(plan, frame));
    }
    const padding = plan.valueBytes - image.frames * image.frameBytes;
    if (padding > 0) await this.#output.write(Buffer.alloc(padding));
    await this.#input.skip(plan.endPosition - this.#input.position);
  }

  async beginSequence({ tag, vr }: ElementHeader, scope: Scope): Promise<void> {
    await this.#header(tag, vr, UNDEFINED_LENGTH, scope);
  }

  async beginItem(length: number, inner: Scope): Promise<void> {
    // The length of what is written again is not known yet; undefined is always allowed (PS3.5 §7.5.2).
    await this.#header(ITEM, '', inner.verbatim ? length : UNDEFINED_LENGTH, inner);
  }

  async endItem(length: number, inner: Scope): Promise<void> {
    if (!inner.verbatim || length === UNDEFINED_LENGTH) await this.#header(ITEM_DELIMITATION, '', 0, inner);
  }

  async endSequence(_element: ElementHeader, inner: Scope): Promise<void> {
    await this.#header(SEQUENCE_DELIMITATION, '', 0, inner);
  }

  async #header(tag: number, vr: string, length: number, scope: Scope): Promise<void> {
    const encoding = scope.verbatim ? IMPLICIT : this.#target;
    writeHeader(await this.#output.place(headerBytes(vr, encoding)), tag, vr, length, encoding);
  }

  #vrOf({ tag, vr, implicit, length }: ElementHeader, scope: Scope): string {
    // A short header cannot say more than 65535 bytes: UN can (PS3.5 §6.2.2 note 4).
    if (length > 0xffff && this.#target.explicit && !scope.verbatim && !hasLongHeader(vr)) {
      if (this.#target.bigEndian)
        throw malformed(`${describeTag(tag)} is too long for Explicit VR Big Endian`);
      return 'UN';
    }
    return implicit && scope.signed && isUsOrSs(tag) ? 'SS' : vr;
  }

  async #notePixelRepresentation(scope: Scope): Promise<void> {
    await this.#input.fill(2);
    const { buffer, offset } = this.#input;
    scope.signed = (buffer[offset]! | buffer[offset + 1]!) !== 0;
  }
}
