// Encapsulated Pixel Data: its fragments, and which of them make up which frame (PS3.5 §A.4).

import { ITEM, SEQUENCE_DELIMITATION } from '../tag.ts';
import type { ByteInput, DataSetFile } from './byte-input.ts';
import { type Encoding, readHeader } from './element-header.ts';
import { malformed, TranscodeError } from './errors.ts';
import type { FrameCodec, PixelImage } from './frame-codec.ts';

const MAX_FRAGMENTS = 1 << 20;

/** As far as frames can be told apart by it. */
type FrameMark = Pick<FrameCodec, 'startOfFrame'>;

/** The fragments of one Pixel Data, grouped into frames. */
export class Fragments {
  readonly endPosition: number;
  readonly #file: DataSetFile;
  readonly #positions: readonly number[];
  readonly #lengths: readonly number[];
  /** Index of each frame's first fragment, and the number of fragments. */
  readonly #starts: readonly number[];
  readonly #maxFrameBytes: number;

  constructor(file: DataSetFile, index: FragmentIndex, starts: readonly number[], frameBytes: number) {
    this.#file = file;
    this.#positions = index.positions;
    this.#lengths = index.lengths;
    this.#starts = [...starts, index.positions.length];
    // What does not compress grows a little: RLE by 1 in 128, the others by less.
    this.#maxFrameBytes = frameBytes * 2 + 65536;
    this.endPosition = index.endPosition;
  }

  /** The codestream of one frame, in one piece. */
  readFrame(frame: number): Buffer {
    const first = this.#starts[frame]!;
    const end = this.#starts[frame + 1]!;
    let bytes = 0;
    for (let fragment = first; fragment < end; fragment += 1) bytes += this.#lengths[fragment]!;
    if (bytes > this.#maxFrameBytes) {
      throw new TranscodeError('transcode-limit', `Its ${bytes} compressed bytes are too many for one frame`);
    }
    const codestream = Buffer.allocUnsafeSlow(bytes);
    for (let fragment = first, at = 0; fragment < end; fragment += 1) {
      const length = this.#lengths[fragment]!;
      this.#file.readFully(codestream.subarray(at, at + length), this.#positions[fragment]!);
      at += length;
    }
    return codestream;
  }
}

interface FragmentIndex {
  readonly offsetTable: Buffer;
  /** Of the fragments' values. */
  readonly positions: readonly number[];
  readonly lengths: readonly number[];
  readonly endPosition: number;
}

/** Reads the items behind `input`, which then stands behind the sequence delimiter, and groups them into frames. */
export async function readFragments(
  input: ByteInput,
  file: DataSetFile,
  encoding: Encoding,
  image: PixelImage,
  codec: FrameMark,
): Promise<Fragments> {
  const index = await indexFragments(input, encoding, image);
  return new Fragments(file, index, groupFrames(index, file, image, codec), image.frameBytes);
}

async function indexFragments(
  input: ByteInput,
  encoding: Encoding,
  image: PixelImage,
): Promise<FragmentIndex> {
  const positions: number[] = [];
  const lengths: number[] = [];
  let offsetTable: Buffer | undefined;
  for (;;) {
    const item = await readHeader(input, encoding);
    if (item?.tag === SEQUENCE_DELIMITATION && offsetTable !== undefined) {
      return { offsetTable, positions, lengths, endPosition: input.position };
    }
    if (item === undefined) throw malformed('The data set ends inside the pixel data');
    if (item.tag !== ITEM || input.position + item.length > input.size) {
      throw malformed(`The pixel data has no whole fragment at ${input.position}`);
    }
    // PS3.5 §A.4: the first item is the Basic Offset Table, empty or one entry a frame. One of another size is of no
    // use, and is not kept.
    if (offsetTable === undefined) {
      if (item.length === image.frames * 4) offsetTable = await input.take(item.length);
      else {
        offsetTable = Buffer.alloc(0);
        await input.skip(item.length);
      }
      continue;
    }
    if (positions.length === MAX_FRAGMENTS) {
      throw new TranscodeError('transcode-limit', `The pixel data has more than ${MAX_FRAGMENTS} fragments`);
    }
    positions.push(input.position);
    lengths.push(item.length);
    await input.skip(item.length);
  }
}

/** Index of the first fragment of each frame. */
function groupFrames(index: FragmentIndex, file: DataSetFile, image: PixelImage, codec: FrameMark): number[] {
  const { positions } = index;
  const { frames } = image;
  // Every frame has a fragment of its own at least, so that as many fragments as frames, which is also what an
  // Extended Offset Table demands, leave no choice: offset tables, often wrong in old files, are not needed.
  if (positions.length === frames) return positions.map((_, fragment) => fragment);
  if (frames === 1 && positions.length > 0) return [0];
  const starts =
    positions.length > frames
      ? (fromOffsetTable(index, frames) ?? fromCodestreams(index, file, codec))
      : undefined;
  if (starts?.length === frames && starts[0] === 0) return starts;
  throw malformed(`Number of Frames is ${frames}, which the ${positions.length} fragments do not bear out`);
}

/** Offsets count from the first fragment's item (PS3.5 §A.4); undefined when they do not hit fragments in order. */
function fromOffsetTable({ offsetTable, positions }: FragmentIndex, frames: number): number[] | undefined {
  if (offsetTable.length !== frames * 4) return undefined;
  const starts: number[] = [];
  let fragment = 0;
  for (let frame = 0; frame < frames; frame += 1) {
    const position = positions[0]! + offsetTable.readUInt32LE(frame * 4);
    while (fragment < positions.length && positions[fragment]! < position) fragment += 1;
    if (positions[fragment] !== position || starts.at(-1) === fragment) return undefined;
    starts.push(fragment);
  }
  return starts;
}

/** Without a table: frames begin where codestreams do, which their own bytes cannot imitate. */
function fromCodestreams(
  { positions, lengths }: FragmentIndex,
  file: DataSetFile,
  codec: FrameMark,
): number[] {
  const mark = codec.startOfFrame;
  if (mark === undefined) return [];
  const starts: number[] = [];
  const head = Buffer.alloc(mark.length);
  for (const [fragment, position] of positions.entries()) {
    if (lengths[fragment]! < mark.length) continue;
    file.readFully(head, position);
    if (head.equals(mark)) starts.push(fragment);
  }
  return starts;
}
