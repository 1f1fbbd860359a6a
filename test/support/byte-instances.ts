// Instances made of hand-written elements (PS3.5 §7), small ones to query for and large ones that never exist
// as a whole.

import { createHash } from 'node:crypto';
import { EXPLICIT_LE, IMPLICIT_LE } from './byte-association.ts';
import { type ElementSpec, elementHeader, encodeElements } from './byte-elements.ts';
import { freshUid } from './byte-pdu.ts';
import { CT_IMAGE, TAG } from './byte-services.ts';

export interface MadeInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly patientId: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
}

export interface MadeOptions {
  readonly sopClassUid?: string;
  readonly sopInstanceUid?: string;
  readonly studyUid?: string;
  readonly seriesUid?: string;
  readonly patientId?: string;
  readonly patientName?: string | Buffer;
  readonly transferSyntaxUid?: string;
  /** Elements added to the usual ones, replacing those with the same tag. */
  readonly elements?: readonly ElementSpec[];
  /** Tags left out altogether. */
  readonly without?: readonly number[];
}

/** A small instance of explicit or implicit little endian with all the attributes a catalogue wants. */
export function madeInstance(options: MadeOptions = {}): MadeInstance {
  const identity = {
    sopClassUid: options.sopClassUid ?? CT_IMAGE,
    sopInstanceUid: options.sopInstanceUid ?? freshUid(),
    studyUid: options.studyUid ?? freshUid(),
    seriesUid: options.seriesUid ?? freshUid(),
    patientId: options.patientId ?? 'BYTE-1',
    transferSyntaxUid: options.transferSyntaxUid ?? EXPLICIT_LE,
  };
  const specs: ElementSpec[] = [
    { tag: TAG.SOPClassUID, vr: 'UI', value: identity.sopClassUid },
    { tag: TAG.SOPInstanceUID, vr: 'UI', value: identity.sopInstanceUid },
    { tag: TAG.StudyDate, vr: 'DA', value: '20240315' },
    { tag: TAG.StudyTime, vr: 'TM', value: '101500' },
    { tag: TAG.AccessionNumber, vr: 'SH', value: 'ACC1' },
    { tag: TAG.Modality, vr: 'CS', value: 'CT' },
    { tag: TAG.StudyDescription, vr: 'LO', value: 'Byte peer' },
    { tag: TAG.PatientName, vr: 'PN', value: options.patientName ?? 'Byte^Peer' },
    { tag: TAG.PatientID, vr: 'LO', value: identity.patientId },
    { tag: TAG.PatientBirthDate, vr: 'DA', value: '19700101' },
    { tag: TAG.StudyInstanceUID, vr: 'UI', value: identity.studyUid },
    { tag: TAG.SeriesInstanceUID, vr: 'UI', value: identity.seriesUid },
    { tag: TAG.StudyID, vr: 'SH', value: 'S1' },
    { tag: TAG.SeriesNumber, vr: 'IS', value: '1' },
    { tag: TAG.InstanceNumber, vr: 'IS', value: '1' },
  ];
  const replaced = new Set([...(options.without ?? []), ...(options.elements ?? []).map(({ tag }) => tag)]);
  const all = [...specs.filter(({ tag }) => !replaced.has(tag)), ...(options.elements ?? [])];
  all.sort((a, b) => a.tag - b.tag);
  return { ...identity, dataSet: encodeElements(all, identity.transferSyntaxUid !== IMPLICIT_LE) };
}

/** Pixel Data of `bytes` bytes from `seed`: repeatable, no two chunks alike, nothing that a disk could compress away. */
export function* pixelChunks(bytes: number, seed: number): Generator<Buffer> {
  const chunkBytes = 256 * 1024;
  const block = Buffer.alloc(chunkBytes);
  for (let at = 0, state = seed | 1; at < chunkBytes; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  for (let sent = 0; sent < bytes; sent += chunkBytes) {
    const chunk = Buffer.from(block.subarray(0, Math.min(chunkBytes, bytes - sent)));
    chunk.writeUInt32LE((sent / chunkBytes) >>> 0, 0);
    yield chunk;
  }
}

/** An instance whose Pixel Data is generated while it is sent; `dataSet` can be iterated any number of times. */
export function largeInstance(pixelBytes: number, options: MadeOptions & { readonly seed?: number } = {}) {
  const rows = 1024;
  const made = madeInstance({
    ...options,
    elements: [
      ...(options.elements ?? []),
      { tag: 0x00280002, vr: 'US', value: 1 },
      { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
      { tag: 0x00280008, vr: 'IS', value: String(Math.ceil(pixelBytes / (rows * rows * 2))) },
      { tag: 0x00280010, vr: 'US', value: rows },
      { tag: 0x00280011, vr: 'US', value: rows },
      { tag: 0x00280100, vr: 'US', value: 16 },
      { tag: 0x00280101, vr: 'US', value: 16 },
      { tag: 0x00280102, vr: 'US', value: 15 },
      { tag: 0x00280103, vr: 'US', value: 0 },
    ],
  });
  const explicit = made.transferSyntaxUid !== IMPLICIT_LE;
  const head = Buffer.concat([made.dataSet, elementHeader(0x7fe00010, 'OW', pixelBytes, explicit)]);
  const dataSet: Iterable<Buffer> = {
    *[Symbol.iterator]() {
      yield head;
      yield* pixelChunks(pixelBytes, options.seed ?? 1);
    },
  };
  return { ...made, dataSet, dataSetBytes: head.length + pixelBytes };
}

/** SHA-256 of a data set that is generated. */
export function sha256OfChunks(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
