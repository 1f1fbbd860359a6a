// Command set codec: group 0000 in Implicit VR Little Endian (PS3.7 §6.3.1), as pure functions.

import { COMMAND_FIELDS, type CommandSet, type FieldVr } from './commands.ts';
import { ProtocolError } from './errors.ts';

/** Longest command set taken from a peer: a real one is under 1 KiB; AT lists make it a little longer. */
export const MAX_COMMAND_SET_BYTES = 16 * 1024;

const BY_ELEMENT = new Map(COMMAND_FIELDS.map(([element, key, vr]) => [element, { key, vr }]));
const ELEMENT_HEADER_BYTES = 8;

/** The command set in one Buffer, group length first. */
export function encodeCommandSet(command: CommandSet): Buffer {
  const values: [number, Buffer][] = [];
  let bytes = 12;
  for (const [element, key, vr] of COMMAND_FIELDS) {
    const value = command[key];
    if (value === undefined) continue;
    const encoded = encodeValue(value, vr);
    values.push([element, encoded]);
    bytes += ELEMENT_HEADER_BYTES + encoded.length;
  }
  const out = Buffer.allocUnsafe(bytes);
  out.writeUInt32LE(0, 0);
  out.writeUInt32LE(4, 4);
  out.writeUInt32LE(bytes - 12, 8);
  let at = 12;
  for (const [element, value] of values) {
    out.writeUInt16LE(0, at);
    out.writeUInt16LE(element, at + 2);
    out.writeUInt32LE(value.length, at + 4);
    value.copy(out, at + ELEMENT_HEADER_BYTES);
    at += ELEMENT_HEADER_BYTES + value.length;
  }
  return out;
}

/** Throws ProtocolError naming the element that is wrong; unknown elements (retired ones) are passed over. */
export function decodeCommandSet(bytes: Buffer): CommandSet {
  const command: Partial<Record<keyof CommandSet, unknown>> = {};
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < ELEMENT_HEADER_BYTES) throw broken('ends inside an element header');
    const group = bytes.readUInt16LE(at);
    const element = bytes.readUInt16LE(at + 2);
    const length = bytes.readUInt32LE(at + 4);
    at += ELEMENT_HEADER_BYTES;
    const name = `(${hex4(group)},${hex4(element)})`;
    if (group !== 0) throw broken(`holds ${name}, which is not of group 0000`);
    if (length > bytes.length - at)
      throw broken(`says ${name} is ${length} bytes, ${bytes.length - at} are left`);
    const field = BY_ELEMENT.get(element);
    if (field !== undefined && length > 0) {
      command[field.key] = decodeValue(bytes.subarray(at, at + length), field.vr, name);
    }
    at += length;
  }
  if (typeof command.commandField !== 'number') throw broken('has no Command Field (0000,0100)');
  if (typeof command.commandDataSetType !== 'number')
    throw broken('has no Command Data Set Type (0000,0800)');
  return command as CommandSet;
}

function encodeValue(value: string | number | readonly number[], vr: FieldVr): Buffer {
  if (vr === 'US') return uint16(Number(value));
  if (vr === 'AT') {
    const tags = value as readonly number[];
    const out = Buffer.allocUnsafe(tags.length * 4);
    tags.forEach((tag, i) => {
      out.writeUInt16LE(tag >>> 16, i * 4);
      out.writeUInt16LE(tag & 0xffff, i * 4 + 2);
    });
    return out;
  }
  const text = vr === 'LO' ? asciiComment(String(value)) : String(value);
  const pad = text.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' ';
  return Buffer.from(text + pad, 'latin1');
}

function decodeValue(value: Buffer, vr: FieldVr, name: string): string | number | number[] {
  if (vr === 'US') {
    if (value.length < 2) throw broken(`gives ${name} ${value.length} bytes where 2 are due`);
    return value.readUInt16LE(0);
  }
  if (vr === 'AT') {
    const tags: number[] = [];
    for (let i = 0; i + 4 <= value.length; i += 4) {
      tags.push(value.readUInt16LE(i) * 0x10000 + value.readUInt16LE(i + 2));
    }
    return tags;
  }
  // Deviation (PS3.5 §6.2): accepts UIDs padded with blanks and AE titles padded with NUL, because old
  // modalities write both.
  let end = value.length;
  while (end > 0 && (value[end - 1] === 0 || value[end - 1] === 0x20)) end -= 1;
  return value.toString('latin1', 0, end).trimStart();
}

/** Error Comment is LO: at most 64 characters, default repertoire (PS3.7 §C.4.2). */
function asciiComment(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')
    .slice(0, 64);
}

function uint16(value: number): Buffer {
  const out = Buffer.allocUnsafe(2);
  out.writeUInt16LE(value, 0);
  return out;
}

function hex4(n: number): string {
  return n.toString(16).toUpperCase().padStart(4, '0');
}

function broken(what: string): ProtocolError {
  return new ProtocolError('command-set-broken', `The command set ${what} (PS3.7 §6.3.1).`);
}
