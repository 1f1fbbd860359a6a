// Command set codec: group 0000 in Implicit VR Little Endian (PS3.7 §6.3.1), as pure functions.

import { uint16Text, uint32Text } from '../util/byte-text.ts';
import { COMMAND_FIELDS, type CommandSet, type FieldVr } from './commands.ts';
import { ProtocolError } from './errors.ts';

/** Longest command set taken from a peer: a real one is under 1 KiB; AT lists make it a little longer. */
export const MAX_COMMAND_SET_BYTES = 16 * 1024;

const BY_ELEMENT = new Map(COMMAND_FIELDS.map(([element, key, vr]) => [element, { key, vr }]));
const ELEMENT_HEADER_BYTES = 8;

/** The command set in one Buffer, group length first. */
export function encodeCommandSet(command: CommandSet): Buffer {
  let elements = '';
  for (const [element, key, vr] of COMMAND_FIELDS) {
    const value = command[key];
    if (value !== undefined) elements += elementText(element, encodeValue(value, vr));
  }
  return Buffer.from(elementText(0x0000, uint32Text(elements.length)) + elements, 'latin1');
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
    if (group !== 0) throw broken(`holds ${tagText(group, element)}, which is not of group 0000`);
    if (length > bytes.length - at)
      throw broken(`says ${tagText(group, element)} is ${length} bytes, ${bytes.length - at} are left`);
    const field = BY_ELEMENT.get(element);
    if (field !== undefined && length > 0) {
      command[field.key] = decodeValue(bytes.subarray(at, at + length), field.vr, element);
    }
    at += length;
  }
  if (typeof command.commandField !== 'number') throw broken('has no Command Field (0000,0100)');
  if (typeof command.commandDataSetType !== 'number')
    throw broken('has no Command Data Set Type (0000,0800)');
  return command as CommandSet;
}

function elementText(element: number, value: string): string {
  return uint16Text(0x0000) + uint16Text(element) + uint32Text(value.length) + value;
}

function encodeValue(value: string | number | readonly number[], vr: FieldVr): string {
  if (vr === 'US') return uint16Text(Number(value));
  if (vr === 'AT') {
    return (value as readonly number[]).map((tag) => uint16Text(tag >>> 16) + uint16Text(tag)).join('');
  }
  const text = vr === 'LO' ? asciiComment(String(value)) : String(value);
  const pad = text.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' ';
  return text + pad;
}

function decodeValue(value: Buffer, vr: FieldVr, element: number): string | number | number[] {
  if (vr === 'US') {
    if (value.length < 2) throw broken(`gives ${tagText(0, element)} ${value.length} bytes where 2 are due`);
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

function tagText(group: number, element: number): string {
  return `(${hex4(group)},${hex4(element)})`;
}

function hex4(n: number): string {
  return n.toString(16).toUpperCase().padStart(4, '0');
}

function broken(what: string): ProtocolError {
  return new ProtocolError('command-set-broken', `The command set ${what} (PS3.7 §6.3.1).`);
}
