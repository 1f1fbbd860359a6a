// Stored instances made of bytes, and what comes out of transcoding them, without the product's own readers.

import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { PixelImage } from '../../../../src/dicom/transcode/frame-codec.ts';
import { transcodeFile } from '../../../../src/dicom/transcode/transcode-file.ts';
import type { ByteSource } from '../../../../src/util/byte-source.ts';
import { type ElementSpec, elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

export const IMPLICIT = '1.2.840.10008.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';
export const RLE = '1.2.840.10008.1.2.5';
export const JPEG_LOSSLESS = '1.2.840.10008.1.2.4.70';
export const JPEG_LS = '1.2.840.10008.1.2.4.80';
export const JPEG_2000 = '1.2.840.10008.1.2.4.90';

const ITEM = 0xfffee000;
const SEQUENCE_END = 0xfffee0dd;
export const UNDEFINED = 0xffffffff;

let files = 0;
let folder: ReturnType<typeof tempFolder> | undefined;

/** Writes a file of this test's process; behind `dataSetOffset` bytes of something else. */
export async function store(bytes: Buffer, dataSetOffset = 0): Promise<string> {
  folder ??= tempFolder('transcode');
  const { path } = await folder;
  files += 1;
  const file = join(path, `${files}.dcm`);
  await writeFile(file, Buffer.concat([Buffer.alloc(dataSetOffset, 0xaa), bytes]));
  return file;
}

/** Call it from `after`. */
export async function removeStored(): Promise<void> {
  await (await folder)?.[Symbol.asyncDispose]();
  folder = undefined;
}

/** The data set in syntax `to`, in this thread. */
export async function rewrite(dataSet: Buffer, from: string, to: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await transcodeFile({ path: await store(dataSet), dataSetOffset: 0, from, to }, async (chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  return Buffer.concat(chunks);
}

export async function readAll(source: ByteSource): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let read = await source.read(); read !== undefined; read = await source.read()) parts.push(...read);
  return Buffer.concat(parts);
}

/** An item with a true length, or any other. */
export function item(content: Buffer, length = content.length): Buffer {
  return Buffer.concat([elementHeader(ITEM, '', length, false), content]);
}

export const SEQUENCE_DELIMITER = elementHeader(SEQUENCE_END, '', 0, false);
export const ITEM_DELIMITER = elementHeader(0xfffee00d, '', 0, false);

export interface PixelDescription extends Partial<Omit<PixelImage, 'frames' | 'frameBytes'>> {
  readonly rows: number;
  readonly columns: number;
  readonly frames?: string;
  readonly photometric?: string;
  readonly planarConfiguration?: number;
  readonly lossy?: string;
}

/** Image Pixel Module attributes of a data set. */
export function pixelAttributes(image: PixelDescription): ElementSpec[] {
  const { samples = 1, bitsAllocated = 8, bitsStored = bitsAllocated } = image;
  const optional = (present: unknown, spec: ElementSpec): ElementSpec[] =>
    present === undefined ? [] : [spec];
  return [
    { tag: 0x00280002, vr: 'US', value: samples },
    { tag: 0x00280004, vr: 'CS', value: image.photometric ?? (samples === 1 ? 'MONOCHROME2' : 'RGB') },
    ...optional(image.planarConfiguration, {
      tag: 0x00280006,
      vr: 'US',
      value: image.planarConfiguration ?? 0,
    }),
    ...optional(image.frames, { tag: 0x00280008, vr: 'IS', value: image.frames ?? '' }),
    { tag: 0x00280010, vr: 'US', value: image.rows },
    { tag: 0x00280011, vr: 'US', value: image.columns },
    { tag: 0x00280100, vr: 'US', value: bitsAllocated },
    { tag: 0x00280101, vr: 'US', value: bitsStored },
    { tag: 0x00280102, vr: 'US', value: bitsStored - 1 },
    { tag: 0x00280103, vr: 'US', value: image.signed === true ? 1 : 0 },
    ...optional(image.lossy, { tag: 0x00282110, vr: 'CS', value: image.lossy ?? '' }),
  ];
}

/** Encapsulated Pixel Data: offset table, fragments, delimiter (PS3.5 §A.4). */
export function encapsulated(fragments: readonly Buffer[], offsetTable: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([
    elementHeader(0x7fe00010, 'OB', UNDEFINED, true),
    item(offsetTable),
    ...fragments.map((fragment) => item(fragment)),
    SEQUENCE_DELIMITER,
  ]);
}

/** A compressed instance: Explicit VR Little Endian, as all encapsulated syntaxes are. */
export function compressed(
  image: PixelDescription,
  fragments: readonly Buffer[],
  options: { offsetTable?: Buffer; before?: Buffer } = {},
): Buffer {
  return Buffer.concat([
    encodeElements(pixelAttributes(image), true),
    options.before ?? Buffer.alloc(0),
    encapsulated(fragments, options.offsetTable),
  ]);
}

const LONG_FORM = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'UC', 'UN', 'UR', 'UT', 'SV', 'UV']);

/** Top level elements of an Explicit VR Little Endian data set without sequences. */
export function elementsOf(dataSet: Buffer): Map<number, { vr: string; value: Buffer }> {
  const elements = new Map<number, { vr: string; value: Buffer }>();
  for (let at = 0; at < dataSet.length; ) {
    const tag = dataSet.readUInt16LE(at) * 0x10000 + dataSet.readUInt16LE(at + 2);
    const vr = dataSet.toString('latin1', at + 4, at + 6);
    const long = LONG_FORM.has(vr);
    const length = long ? dataSet.readUInt32LE(at + 8) : dataSet.readUInt16LE(at + 6);
    at += (long ? 12 : 8) + length;
    elements.set(tag, { vr, value: dataSet.subarray(at - length, at) });
  }
  return elements;
}

/** Native Pixel Data of a compressed instance, in this thread. */
export async function nativePixels(dataSet: Buffer, from: string): Promise<Buffer> {
  return elementsOf(await rewrite(dataSet, from, EXPLICIT)).get(0x7fe00010)!.value;
}

/** An image for calling a codec directly. */
export function imageOf(description: PixelDescription, frames = 1): PixelImage {
  const {
    rows,
    columns,
    samples = 1,
    bitsAllocated = 8,
    bitsStored = bitsAllocated,
    signed = false,
  } = description;
  const frameBytes = (rows * columns * samples * bitsAllocated) / 8;
  return { rows, columns, samples, bitsAllocated, bitsStored, signed, frames, frameBytes };
}

/** Samples as native cells of 8 or 16 bits. */
export function cells(values: readonly number[], bitsAllocated: number): Buffer {
  if (bitsAllocated === 8) return Buffer.from(values.map((value) => value & 0xff));
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value & 0xffff, index * 2);
  return bytes;
}

/** Samples that do not compress, the same each time. */
export function noise(count: number, bits: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> (32 - bits);
  });
}

/** A WebAssembly build that has an encoder, too. */
export function openEncoder<Module>(name: string): Promise<Module> {
  const open: (options: object) => Promise<Module> = createRequire(import.meta.url)(name);
  return open({ print: () => {}, printErr: () => {} });
}

/** For assertions: the error has this code and these words. */
export function refusal(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof Error &&
    'code' in error &&
    error.code === `transcode-${code}` &&
    words.test(error.message);
}
