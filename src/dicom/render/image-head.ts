// The attributes that say how to show an image, read from the data set in front of its pixels (PS3.3 §C.7.6.3, §C.11).

import type { DataSet } from '../data-set.ts';
import { readDataSet } from '../data-set-reader.ts';
import { DicomError } from '../errors.ts';
import type { DataSetFile } from '../transcode/byte-input.ts';
import type { PixelImage } from '../transcode/frame-codec.ts';
import { malformedImage, notShown, RenderError } from './errors.ts';

const FIRST_WINDOW_BYTES = 64 * 1024;
const MAX_HEAD_BYTES = 32 * 1024 * 1024;
/** Look-up tables of 65536 words are the largest values looked at. */
const LIMITS = { valueBytes: 256 * 1024, elements: 1_000_000 };
const PIXEL_GROUP = 0x7fe00000;
/** What one frame may have in memory: the largest mammograms have 40 MB. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export const IMAGE_TAG = {
  SOPClassUID: 0x00080016,
  SamplesPerPixel: 0x00280002,
  PhotometricInterpretation: 0x00280004,
  PlanarConfiguration: 0x00280006,
  NumberOfFrames: 0x00280008,
  Rows: 0x00280010,
  Columns: 0x00280011,
  BitsAllocated: 0x00280100,
  BitsStored: 0x00280101,
  HighBit: 0x00280102,
  PixelRepresentation: 0x00280103,
  PixelIntensityRelationship: 0x00281040,
  WindowCenter: 0x00281050,
  WindowWidth: 0x00281051,
  RescaleIntercept: 0x00281052,
  RescaleSlope: 0x00281053,
  VOILUTFunction: 0x00281056,
  RedPaletteDescriptor: 0x00281101,
  GreenPaletteDescriptor: 0x00281102,
  BluePaletteDescriptor: 0x00281103,
  RedPaletteData: 0x00281201,
  GreenPaletteData: 0x00281202,
  BluePaletteData: 0x00281203,
  ModalityLUTSequence: 0x00283000,
  LUTDescriptor: 0x00283002,
  LUTData: 0x00283006,
  VOILUTSequence: 0x00283010,
  FrameVOILUTSequence: 0x00289132,
  PixelValueTransformationSequence: 0x00289145,
  SharedFunctionalGroupsSequence: 0x52009229,
  PerFrameFunctionalGroupsSequence: 0x52009230,
} as const;

const KEPT: ReadonlySet<number> = new Set(Object.values(IMAGE_TAG));

export interface ShownImage extends PixelImage {
  readonly highBit: number;
  readonly photometric: string;
  /** All of the first component, then all of the second … */
  readonly planar: boolean;
}

/** The attributes in front of the pixels, and where the pixels' group begins. */
export function readImageHead(
  file: DataSetFile,
  transferSyntaxUid: string,
): { head: DataSet; endOffset: number } {
  let window = FIRST_WINDOW_BYTES;
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(window, file.size));
    file.readFully(buffer, 0);
    const complete = buffer.length === file.size;
    const result = readHead(buffer, transferSyntaxUid, complete);
    if (result.done) return { head: result.dataSet, endOffset: result.endOffset };
    if (window >= MAX_HEAD_BYTES || complete) {
      throw new RenderError('render-limit', `Its head is longer than ${MAX_HEAD_BYTES >> 20} MiB`);
    }
    window = Math.min(Math.max(window * 4, result.wantedBytes), MAX_HEAD_BYTES);
  }
}

function readHead(bytes: Buffer, transferSyntaxUid: string, complete: boolean) {
  try {
    return readDataSet(bytes, {
      transferSyntaxUid,
      stopBefore: PIXEL_GROUP,
      complete,
      keep: KEPT,
      limits: LIMITS,
    });
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    const code = error.code === 'limit' ? 'render-limit' : 'render-malformed';
    throw new RenderError(code, error.message, { cause: error });
  }
}

/** Checks every size before anything is allocated for it. */
export function shownImageOf(head: DataSet): ShownImage {
  const rows = required(head, IMAGE_TAG.Rows, 'Rows');
  const columns = required(head, IMAGE_TAG.Columns, 'Columns');
  const bitsAllocated = required(head, IMAGE_TAG.BitsAllocated, 'Bits Allocated');
  const samples = head.number(IMAGE_TAG.SamplesPerPixel) ?? 1;
  const bitsStored = head.number(IMAGE_TAG.BitsStored) ?? bitsAllocated;
  const highBit = head.number(IMAGE_TAG.HighBit) ?? bitsStored - 1;
  const frames = head.number(IMAGE_TAG.NumberOfFrames) ?? 1;
  const photometric = head.string(IMAGE_TAG.PhotometricInterpretation) ?? '';
  if (![1, 8, 16, 32].includes(bitsAllocated) || (samples !== 1 && samples !== 3)) {
    throw notShown(`Pixels of ${samples} samples with ${bitsAllocated} bits allocated are not shown`);
  }
  if (bitsStored < 1 || highBit >= bitsAllocated || highBit + 1 < bitsStored) {
    throw malformedImage(`${bitsStored} bits up to bit ${highBit} do not fit into ${bitsAllocated}`);
  }
  if (!Number.isInteger(frames) || frames < 1) throw malformedImage(`Number of Frames is ${frames}`);
  const frameBytes = Math.ceil((rows * columns * samples * bitsAllocated) / 8);
  if (frameBytes > MAX_FRAME_BYTES) {
    throw new RenderError(
      'render-limit',
      `A frame of ${columns}×${rows} is larger than ${MAX_FRAME_BYTES >> 20} MiB`,
    );
  }
  return {
    rows,
    columns,
    samples,
    bitsAllocated,
    bitsStored,
    highBit,
    frames,
    frameBytes,
    photometric,
    signed: head.number(IMAGE_TAG.PixelRepresentation) === 1,
    planar: samples > 1 && head.number(IMAGE_TAG.PlanarConfiguration) === 1,
  };
}

function required(head: DataSet, tag: number, name: string): number {
  const value = head.number(tag);
  if (value === undefined || value < 1) throw notShown(`It is no image: ${name} is missing or zero`);
  return value;
}
