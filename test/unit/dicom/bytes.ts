// Builds data sets byte by byte, right ones and wrong ones, for tests of the reader (PS3.5 §7.1).

import type { DataSet, Element } from '../../../src/dicom/data-set.ts';
import { type ReadOptions, readDataSet } from '../../../src/dicom/data-set-reader.ts';

export const IMPLICIT = '1.2.840.10008.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';

export const UNDEFINED = 0xffffffff;

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function tagBytes(tag: number): Buffer {
  return Buffer.concat([u16(tag >>> 16), u16(tag & 0xffff)]);
}

/** Explicit VR Little Endian with a length of 16 bits. */
export function short(
  tag: number,
  vr: string,
  value: Buffer | string,
  length = Buffer.from(value).length,
): Buffer {
  return Buffer.concat([tagBytes(tag), Buffer.from(vr, 'latin1'), u16(length), Buffer.from(value)]);
}

/** Explicit VR Little Endian with a length of 32 bits. */
export function long(
  tag: number,
  vr: string,
  value: Buffer | string,
  length = Buffer.from(value).length,
): Buffer {
  return Buffer.concat([tagBytes(tag), Buffer.from(vr, 'latin1'), u16(0), u32(length), Buffer.from(value)]);
}

export function implicit(tag: number, value: Buffer | string, length = Buffer.from(value).length): Buffer {
  return Buffer.concat([tagBytes(tag), u32(length), Buffer.from(value)]);
}

/** Big endian, with a length of 16 bits. */
export function shortBig(tag: number, vr: string, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([
    tagBytes(tag).swap16(),
    Buffer.from(vr, 'latin1'),
    u16(bytes.length).swap16(),
    bytes,
  ]);
}

export function item(...elements: Buffer[]): Buffer {
  return implicit(0xfffee000, Buffer.concat(elements));
}

export function openItem(...elements: Buffer[]): Buffer {
  return Buffer.concat([implicit(0xfffee000, '', UNDEFINED), ...elements, ITEM_END]);
}

export const ITEM_END = implicit(0xfffee00d, '');
export const SEQUENCE_END = implicit(0xfffee0dd, '');

/** Reads to the end and expects that this works. */
export function readWhole(bytes: Buffer, options: Partial<ReadOptions> = {}): DataSet {
  const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete: true, ...options });
  if (!result.done) throw new Error(`wants ${result.wantedBytes} bytes`);
  return result.dataSet;
}

export function elementOf(dataSet: DataSet, tag: number): Element {
  const element = dataSet.elements.get(tag);
  if (element === undefined) throw new Error(`no element ${tag.toString(16)}`);
  return element;
}
