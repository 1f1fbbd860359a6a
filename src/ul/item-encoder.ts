// Items and sub-items: type, reserved byte, 16-bit length, value (PS3.8 §9.3.2.1).
import { UlError } from './errors.ts';

const ITEM_HEADER_BYTES = 4;
const MAX_ITEM_BYTES = 0xffff;

export function encodeItem(type: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  const item = Buffer.concat([header, ...parts]);
  item.writeUInt16BE(checkedLength(item.length - ITEM_HEADER_BYTES, type), 2);
  return item;
}

/** An item holding a UID or a name and nothing else; never padded (PS3.8 Annex F). */
export function encodeTextItem(type: number, text: string): Buffer {
  return encodeItem(type, [Buffer.from(text, 'latin1')]);
}

/** A 16-bit length and the bytes it counts. */
export function counted(bytes: Buffer): Buffer {
  const field = Buffer.alloc(2 + bytes.length);
  field.writeUInt16BE(checkedLength(bytes.length), 0);
  bytes.copy(field, 2);
  return field;
}

function checkedLength(bytes: number, type?: number): number {
  if (bytes <= MAX_ITEM_BYTES) return bytes;
  const item = type === undefined ? 'A field' : `Item ${type.toString(16)}H`;
  throw new UlError(
    'ul-item-too-long',
    `${item} of ${bytes} bytes does not fit: ${MAX_ITEM_BYTES} is the most`,
  );
}
