// Bounded reading of the fields and items inside one collected PDU (PS3.8 §9.3.1).
import { invalidPdu } from './errors.ts';

/** One item or sub-item: type, reserved, length (PS3.8 §9.3.2.1). */
export interface Item {
  readonly type: number;
  readonly body: FieldReader;
}

/** A cursor over bytes at hand. Every read is checked against what is left; errors name the field. */
export class FieldReader {
  readonly #bytes: Buffer;
  readonly #pduName: string;
  readonly #itemType: number | undefined;
  #at = 0;

  constructor(bytes: Buffer, pduName: string, itemType?: number) {
    this.#bytes = bytes;
    this.#pduName = pduName;
    this.#itemType = itemType;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(field: string): number {
    return this.#bytes[this.#advance(1, field)]!;
  }

  uint16(field: string): number {
    return this.#bytes.readUInt16BE(this.#advance(2, field));
  }

  uint32(field: string): number {
    return this.#bytes.readUInt32BE(this.#advance(4, field));
  }

  /** A slice, not a copy. */
  take(bytes: number, field: string): Buffer {
    const start = this.#advance(bytes, field);
    return this.#bytes.subarray(start, this.#at);
  }

  rest(): Buffer {
    return this.take(this.left, 'rest');
  }

  /** Bytes behind a 16-bit length. */
  counted(field: string): Buffer {
    return this.take(this.uint16(`length of ${field}`), field);
  }

  item(): Item {
    const type = this.uint8('item type');
    this.#advance(1, 'reserved byte');
    const length = this.uint16('item length');
    return { type, body: new FieldReader(this.take(length, 'item'), this.#pduName, type) };
  }

  /** A fault at this place. */
  invalid(what: string): Error {
    const item = this.#itemType === undefined ? '' : ` item ${this.#itemType.toString(16).padStart(2, '0')}H`;
    return invalidPdu(`${this.#pduName}${item}: ${what}`);
  }

  #advance(bytes: number, field: string): number {
    if (bytes > this.left) throw this.invalid(`${field} wants ${bytes} bytes, ${this.left} are left`);
    const start = this.#at;
    this.#at += bytes;
    return start;
  }
}

/** Deviation (PS3.5 §9.1): accepts UIDs padded with NUL or blank, because some writers pad them as in data sets. */
export function decodeUid(bytes: Buffer): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
  return bytes.toString('latin1', 0, end);
}
