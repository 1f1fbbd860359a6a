// From colour cells to red, green and blue of 8 bits (PS3.3 §C.7.6.3.1.2).

import type { DataSet } from '../data-set.ts';
import { notShown } from './errors.ts';
import { IMAGE_TAG, type ShownImage } from './image-head.ts';
import { lookUp, lookupTableOf } from './lookup-table.ts';
import type { ShownFrame } from './shown-frame.ts';

/** Three bytes a pixel. */
export function toRgb(frame: ShownFrame, head: DataSet, image: ShownImage): Uint8Array {
  const { photometric } = frame;
  if (photometric === 'PALETTE COLOR') return fromPalette(frame.cells, head, image);
  const rgb = toBytes(frame.cells, image);
  if (photometric === 'RGB') return rgb;
  if (photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422') return fromYbr(rgb);
  throw notShown(`Photometric Interpretation ${photometric || '(none)'} is not shown`);
}

function toBytes(cells: ShownFrame['cells'], { bitsStored, highBit }: ShownImage): Uint8Array {
  const bytes = new Uint8Array(cells.length);
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  const scale = 255 / (2 ** bitsStored - 1);
  for (let at = 0; at < cells.length; at += 1) {
    bytes[at] = Math.round(((cells[at]! << left) >>> right) * scale);
  }
  return bytes;
}

/** In place. The factors are those of ITU-R BT.601, full range. */
function fromYbr(cells: Uint8Array): Uint8Array {
  for (let at = 0; at < cells.length; at += 3) {
    const y = cells[at]!;
    const cb = cells[at + 1]! - 128;
    const cr = cells[at + 2]! - 128;
    cells[at] = clamp(y + 1.402 * cr);
    cells[at + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    cells[at + 2] = clamp(y + 1.772 * cb);
  }
  return cells;
}

function clamp(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), 255);
}

function fromPalette(cells: ShownFrame['cells'], head: DataSet, image: ShownImage): Uint8Array {
  const tables = (
    [
      [IMAGE_TAG.RedPaletteDescriptor, IMAGE_TAG.RedPaletteData],
      [IMAGE_TAG.GreenPaletteDescriptor, IMAGE_TAG.GreenPaletteData],
      [IMAGE_TAG.BluePaletteDescriptor, IMAGE_TAG.BluePaletteData],
    ] as const
  ).map(([descriptor, data]) => {
    const table = lookupTableOf(head, descriptor, data, image.signed);
    if (table === undefined) throw notShown('The palette is segmented or missing');
    // Entries of 8 bits are often declared as 16.
    return { ...table, scale: 255 / (isNarrow(table.entries) ? 255 : table.maximum) };
  });
  const rgb = new Uint8Array(cells.length * 3);
  const keep = 2 ** image.bitsStored - 1;
  for (let at = 0, to = 0; at < cells.length; at += 1) {
    for (const table of tables) {
      rgb[to] = Math.min(255, Math.round(lookUp(table, cells[at]! & keep) * table.scale));
      to += 1;
    }
  }
  return rgb;
}

function isNarrow(entries: ArrayLike<number>): boolean {
  for (let at = 0; at < entries.length; at += 1) if (entries[at]! > 255) return false;
  return true;
}
