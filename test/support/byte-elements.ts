// Elements of command sets and identifiers as bytes (PS3.5 §7.1, PS3.7 §6.3.1), written without the
// product's own encoder, so that a fault there cannot hide itself.

/** One element to write: text is padded to even length, numbers go out in the VR's width, arrays are items. */
export interface ElementSpec {
  readonly tag: number;
  readonly vr: string;
  readonly value?: string | number | Buffer | readonly (readonly ElementSpec[])[];
}

/** One element as read back; `items` only for sequences. */
export interface ReadElement {
  readonly vr: string;
  readonly bytes: Buffer;
  readonly items?: readonly ReadElements[];
}
export type ReadElements = ReadonlyMap<number, ReadElement>;

const LONG_FORM = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'UC', 'UN', 'UR', 'UT', 'SV', 'UV']);
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const UNDEFINED_LENGTH = 0xffffffff;

function tagBytes(tag: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(tag >>> 16, 0);
  bytes.writeUInt16LE(tag & 0xffff, 2);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function valueBytes(spec: ElementSpec, explicit: boolean): Buffer {
  const { value, vr } = spec;
  if (value === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'number') return vr === 'UL' ? uint32(value) : uint16(value);
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'latin1');
    const pad = vr === 'UI' || vr === 'OB' ? 0 : 0x20;
    return text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from([pad])]);
  }
  const items = value.map((item) => {
    const content = encodeElements(item, explicit);
    return Buffer.concat([tagBytes(ITEM), uint32(content.length), content]);
  });
  return Buffer.concat(items);
}

/** One element header with any length one likes, true or not. */
export function elementHeader(tag: number, vr: string, length: number, explicit: boolean): Buffer {
  if (!explicit) return Buffer.concat([tagBytes(tag), uint32(length)]);
  const code = Buffer.from(vr, 'latin1');
  return LONG_FORM.has(vr)
    ? Buffer.concat([tagBytes(tag), code, uint16(0), uint32(length)])
    : Buffer.concat([tagBytes(tag), code, uint16(length)]);
}

/** A little endian data set in the order given: the order is the caller's, right or wrong. */
export function encodeElements(elements: readonly ElementSpec[], explicit: boolean): Buffer {
  const parts: Buffer[] = [];
  for (const spec of elements) {
    const bytes = valueBytes(spec, explicit);
    parts.push(elementHeader(spec.tag, spec.vr, bytes.length, explicit), bytes);
  }
  return Buffer.concat(parts);
}

/** Command set fields by their keyword (PS3.7 Annex E). */
const COMMAND_FIELDS = {
  AffectedSOPClassUID: [0x0002, 'UI'],
  RequestedSOPClassUID: [0x0003, 'UI'],
  CommandField: [0x0100, 'US'],
  MessageID: [0x0110, 'US'],
  MessageIDBeingRespondedTo: [0x0120, 'US'],
  MoveDestination: [0x0600, 'AE'],
  Priority: [0x0700, 'US'],
  CommandDataSetType: [0x0800, 'US'],
  Status: [0x0900, 'US'],
  OffendingElement: [0x0901, 'AT'],
  ErrorComment: [0x0902, 'LO'],
  AffectedSOPInstanceUID: [0x1000, 'UI'],
  RequestedSOPInstanceUID: [0x1001, 'UI'],
  EventTypeID: [0x1002, 'US'],
  ActionTypeID: [0x1008, 'US'],
  NumberOfRemainingSuboperations: [0x1020, 'US'],
  NumberOfCompletedSuboperations: [0x1021, 'US'],
  NumberOfFailedSuboperations: [0x1022, 'US'],
  NumberOfWarningSuboperations: [0x1023, 'US'],
  MoveOriginatorApplicationEntityTitle: [0x1030, 'AE'],
  MoveOriginatorMessageID: [0x1031, 'US'],
} as const;

export type CommandKeyword = keyof typeof COMMAND_FIELDS;
export type Command = Partial<Record<CommandKeyword, string | number>>;

const KEYWORD_OF = new Map(
  Object.entries(COMMAND_FIELDS).map(([keyword, [tag, vr]]) => [tag as number, { keyword, vr }]),
);

/** A command set with a true group length; always Implicit VR Little Endian (PS3.7 §6.3.1). */
export function encodeCommand(command: Command): Buffer {
  const specs: ElementSpec[] = Object.entries(command).map(([keyword, value]) => {
    const [tag, vr] = COMMAND_FIELDS[keyword as CommandKeyword];
    return { tag, vr, value };
  });
  specs.sort((a, b) => a.tag - b.tag);
  return withGroupLength(encodeElements(specs, false));
}

/** Puts (0000,0000) before raw command elements, telling the truth or whatever `length` says. */
export function withGroupLength(elements: Buffer, length = elements.length): Buffer {
  return Buffer.concat([elementHeader(0x00000000, 'UL', 4, false), uint32(length), elements]);
}

/** The fields of a received command set; unknown ones are left out. */
export function decodeCommand(bytes: Buffer): Command {
  const command: Command = {};
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const tag = bytes.readUInt16LE(offset) * 0x10000 + bytes.readUInt16LE(offset + 2);
    const length = bytes.readUInt32LE(offset + 4);
    const value = bytes.subarray(offset + 8, offset + 8 + length);
    const field = KEYWORD_OF.get(tag);
    if (field !== undefined) {
      command[field.keyword as CommandKeyword] = field.vr === 'US' ? value.readUInt16LE(0) : trimmed(value);
    }
    offset += 8 + length;
  }
  return command;
}

/** Text of a value without the padding of any VR. */
export function trimmed(value: Buffer): string {
  return value.toString('latin1').replace(/[\0 ]+$/, '');
}

/** Text of an element, empty when it is absent or has no value. */
export function textOf(elements: ReadElements, tag: number): string {
  const element = elements.get(tag);
  return element === undefined ? '' : trimmed(element.bytes);
}

/** Reads a whole little endian data set such as an identifier. */
export function decodeElements(bytes: Buffer, explicit: boolean): ReadElements {
  return readUntil(bytes, 0, bytes.length, explicit).elements;
}

function readUntil(bytes: Buffer, start: number, end: number, explicit: boolean) {
  const elements = new Map<number, ReadElement>();
  let offset = start;
  while (offset < end) {
    const tag = bytes.readUInt16LE(offset) * 0x10000 + bytes.readUInt16LE(offset + 2);
    if (tag === ITEM_END) return { elements, offset: offset + 8 };
    const vr = explicit ? bytes.toString('latin1', offset + 4, offset + 6) : '';
    const headerBytes = explicit && LONG_FORM.has(vr) ? 12 : 8;
    const length =
      explicit && headerBytes === 8
        ? bytes.readUInt16LE(offset + 6)
        : bytes.readUInt32LE(offset + headerBytes - 4);
    offset += headerBytes;
    const isSequence =
      vr === 'SQ' || (vr === '' && bytes.readUInt32LE(offset - 4) !== 0 && startsWithItem(bytes, offset));
    if (isSequence || length === UNDEFINED_LENGTH) {
      const sequence = readItems(
        bytes,
        offset,
        length === UNDEFINED_LENGTH ? end : offset + length,
        explicit,
      );
      elements.set(tag, { vr, bytes: bytes.subarray(offset, sequence.offset), items: sequence.items });
      offset = sequence.offset;
    } else {
      if (offset + length > end) throw new RangeError(`element ${tag.toString(16)} runs past the end`);
      elements.set(tag, { vr, bytes: bytes.subarray(offset, offset + length) });
      offset += length;
    }
  }
  return { elements, offset };
}

function startsWithItem(bytes: Buffer, offset: number): boolean {
  return offset + 8 <= bytes.length && bytes.readUInt32LE(offset) === 0xe000fffe;
}

function readItems(bytes: Buffer, start: number, end: number, explicit: boolean) {
  const items: ReadElements[] = [];
  let offset = start;
  while (offset < end) {
    const tag = bytes.readUInt16LE(offset) * 0x10000 + bytes.readUInt16LE(offset + 2);
    const length = bytes.readUInt32LE(offset + 4);
    offset += 8;
    if (tag === SEQUENCE_END) break;
    const itemEnd = length === UNDEFINED_LENGTH ? end : offset + length;
    const item = readUntil(bytes, offset, itemEnd, explicit);
    items.push(item.elements);
    offset = item.offset;
  }
  return { items, offset };
}
