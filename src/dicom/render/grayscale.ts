// From stored values to grey: modality and VOI transformation, as the file says (PS3.3 §C.11.1, §C.11.2, §C.7.6.16.2).

import type { DataSet } from '../data-set.ts';
import { decimalOf } from '../data-set.ts';
import { IMAGE_TAG, type ShownImage } from './image-head.ts';
import { type LookupTable, lookUp, lookupTableOf } from './lookup-table.ts';
import type { ShownFrame } from './shown-frame.ts';

type Transform = (value: number) => number;

const X_RAY: ReadonlySet<string> = new Set(['1.2.840.10008.5.1.4.1.1.12.1', '1.2.840.10008.5.1.4.1.1.12.2']);
/** Cells of up to 16 bits have so many patterns: each is worked out once. */
const PATTERNS = 65536;

/** One grey of 0 to 255 per pixel. */
export function toGrey(frame: ShownFrame, head: DataSet, image: ShownImage, index: number): Uint8Array {
  const { cells } = frame;
  const stored = storedValue(image);
  const modality = modalityOf(head, image, index);
  const value: Transform = (cell) => modality(stored(cell));
  const voi = voiOf(head, image, index) ?? spread(cells, value, image);
  const inverted = frame.photometric === 'MONOCHROME1';
  const grey: Transform = (cell) => {
    const level = Math.min(Math.max(Math.round(voi(value(cell)) * 255), 0), 255);
    return inverted ? 255 - level : level;
  };
  const greys = new Uint8Array(cells.length);
  if (cells instanceof Uint32Array || cells.length < PATTERNS) {
    for (let at = 0; at < cells.length; at += 1) greys[at] = grey(cells[at]!);
  } else {
    const table = Uint8Array.from({ length: cells instanceof Uint8Array ? 256 : PATTERNS }, (_, cell) =>
      grey(cell),
    );
    for (let at = 0; at < cells.length; at += 1) greys[at] = table[cells[at]!]!;
  }
  return greys;
}

/** Other bits than those stored mean nothing: old overlays are there (PS3.5 §8.1.1). */
function storedValue({ bitsStored, highBit, signed }: ShownImage): Transform {
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  return signed ? (cell) => (cell << left) >> right : (cell) => (cell << left) >>> right;
}

function modalityOf(head: DataSet, image: ShownImage, index: number): Transform {
  // X-ray images that are stored as they are to be seen carry the way back to the dose, which is not for showing
  // (PS3.3 §C.8.7.1.1.2).
  const relationship = head.string(IMAGE_TAG.PixelIntensityRelationship);
  const isXRay = X_RAY.has(head.string(IMAGE_TAG.SOPClassUID) ?? '');
  if (isXRay && (relationship === 'LOG' || relationship === 'DISP')) return (value) => value;
  const table = tableIn(head, IMAGE_TAG.ModalityLUTSequence, image.signed);
  if (table !== undefined) return (value) => lookUp(table, value);
  const source = functionalGroup(head, index, IMAGE_TAG.PixelValueTransformationSequence) ?? head;
  const slope = decimal(source, IMAGE_TAG.RescaleSlope) || 1;
  const intercept = decimal(source, IMAGE_TAG.RescaleIntercept) ?? 0;
  return (value) => value * slope + intercept;
}

/** To 0 … 1, from the first window or table in the file; undefined when it has none that can be used. */
function voiOf(head: DataSet, image: ShownImage, index: number): Transform | undefined {
  const source = functionalGroup(head, index, IMAGE_TAG.FrameVOILUTSequence) ?? head;
  const center = decimal(source, IMAGE_TAG.WindowCenter);
  const width = decimal(source, IMAGE_TAG.WindowWidth);
  if (center !== undefined && width !== undefined && width > 0) {
    const window = windowOf(source.string(IMAGE_TAG.VOILUTFunction), center, width);
    if (window !== undefined) return window;
  }
  const descriptor = head.items(IMAGE_TAG.VOILUTSequence)[0]?.elements.get(IMAGE_TAG.LUTDescriptor);
  const table = tableIn(head, IMAGE_TAG.VOILUTSequence, image.signed && descriptor?.vr === 'SS');
  return table && ((value) => lookUp(table, value) / table.maximum);
}

/** PS3.3 §C.11.2.1.2 and §C.11.2.1.3. */
function windowOf(name: string | undefined, center: number, width: number): Transform | undefined {
  if (name === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  if (name === 'LINEAR_EXACT') return (value) => (value - center) / width + 0.5;
  if (width < 1) return undefined;
  if (width === 1) return (value) => (value <= center - 0.5 ? 0 : 1);
  return (value) => (value - (center - 0.5)) / (width - 1) + 0.5;
}

/** Without a window: 8 bits as they are, more from the darkest value of the frame to the brightest. */
function spread(cells: ShownFrame['cells'], value: Transform, { bitsStored, signed }: ShownImage): Transform {
  if (bitsStored <= 8 && bitsStored > 1 && !signed) {
    const [least, most] = [value(0), value(2 ** bitsStored - 1)];
    return between(Math.min(least, most), Math.max(least, most));
  }
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < cells.length; at += 1) {
    const found = value(cells[at]!);
    if (found < least) least = found;
    if (found > most) most = found;
  }
  return between(least, most);
}

function between(least: number, most: number): Transform {
  return most > least ? (value) => (value - least) / (most - least) : () => 0;
}

function tableIn(head: DataSet, sequence: number, signed: boolean): LookupTable | undefined {
  const [item] = head.items(sequence);
  return item && lookupTableOf(item, IMAGE_TAG.LUTDescriptor, IMAGE_TAG.LUTData, signed);
}

/** The item for this frame: its own, or what all frames share (PS3.3 §C.7.6.16). */
function functionalGroup(head: DataSet, index: number, sequence: number): DataSet | undefined {
  const own = head.items(IMAGE_TAG.PerFrameFunctionalGroupsSequence)[index]?.items(sequence)[0];
  return own ?? head.items(IMAGE_TAG.SharedFunctionalGroupsSequence)[0]?.items(sequence)[0];
}

function decimal(source: DataSet, tag: number): number | undefined {
  const text = source.string(tag);
  return text === undefined ? undefined : decimalOf(text);
}
