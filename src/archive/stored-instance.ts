// A file of the archive, opened for reading: its File Meta Information, its head, and its data set bytes as they came.

import { createHash } from 'node:crypto';
import type { InstanceLocation } from '../catalog/catalog.ts';
import { DicomError } from '../dicom/errors.ts';
import { type FileMeta, readFileHead } from '../dicom/file-meta.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import { FileRange } from '../util/file-range.ts';
import type { OpenFile } from '../util/open-file.ts';
import { ArchiveError } from './errors.ts';
import type { HeadSource } from './instance-head.ts';

/** File Meta Information and, nearly always, all of the head. */
const FIRST_READ_BYTES = 36 * 1024;
const MAX_FILE_META_BYTES = 256 * 1024;
const HASH_CHUNK_BYTES = 1 << 20;

/** What a head is read from. */
export type HeadFile = Pick<OpenFile, 'stat' | 'read' | typeof Symbol.dispose>;

/** The archive's files, opened by their paths in it. */
export interface HeadFiles {
  open(path: string): Promise<HeadFile>;
}

export interface StoredHead extends HeadSource {
  readonly meta: FileMeta;
  readonly dataSetOffset: number;
  readonly fileBytes: number;
  /** The file is as long as its own record says. */
  readonly isComplete: boolean;
}

/** The file meta of the file at `path`, or undefined when it is not readable as Part 10. Rejects when the file
 *  cannot be opened. */
export async function readStoredHead(files: HeadFiles, path: string): Promise<StoredHead | undefined> {
  using file = await files.open(path);
  const fileBytes = file.stat().size;
  const parsed = await readMeta(file, fileBytes);
  if (parsed === undefined) return undefined;
  const dataSetBytes = fileBytes - parsed.dataSetOffset;
  return {
    meta: parsed.meta,
    dataSetOffset: parsed.dataSetOffset,
    fileBytes,
    dataSetBytes,
    isComplete: parsed.meta.integrity?.bytes === dataSetBytes,
    head: async (bytes) => {
      const read = parsed.bytes.subarray(parsed.dataSetOffset);
      if (read.length >= Math.min(bytes, dataSetBytes)) return read.subarray(0, bytes);
      using again = await files.open(path);
      return readAt(again, parsed.dataSetOffset, bytes);
    },
  };
}

/** The data set bytes of one stored instance, in order. Throws ArchiveError 'instance-missing' or
 *  'instance-damaged' (another length than when it was stored). */
export function openDataSet(storage: StorageArea, instance: InstanceLocation): Promise<FileRange> {
  return openFrom(storage, instance, instance.location.dataSetOffset);
}

/** All bytes of its file. Throws as `openDataSet`. */
export function openFile(storage: StorageArea, instance: InstanceLocation): Promise<FileRange> {
  return openFrom(storage, instance, 0);
}

async function openFrom(
  storage: StorageArea,
  { location, sopInstanceUid }: InstanceLocation,
  start: number,
): Promise<FileRange> {
  const name = `The file of instance ${sopInstanceUid} (${location.path})`;
  let file: OpenFile;
  try {
    file = await storage.open(location.path);
  } catch (error) {
    throw new ArchiveError('instance-missing', `${name} cannot be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { size } = file.stat();
  const stored = location.dataSetOffset + location.dataSetBytes;
  if (size !== stored) {
    file.close();
    throw new ArchiveError('instance-damaged', `${name} has ${size} bytes, ${stored} were stored.`);
  }
  return new FileRange(file, name, start, stored - start);
}

/** SHA-256 of the data set bytes of the file at `path`, hexadecimal. */
export async function hashDataSet(storage: StorageArea, path: string, start: number): Promise<string> {
  const hash = createHash('sha256');
  using file = await storage.open(path);
  const buffer = Buffer.allocUnsafe(HASH_CHUNK_BYTES);
  for (let position = start; ; ) {
    const bytesRead = await file.read([buffer], position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function readMeta(
  file: HeadFile,
  fileBytes: number,
): Promise<{ meta: FileMeta; dataSetOffset: number; bytes: Buffer } | undefined> {
  try {
    for (let window = FIRST_READ_BYTES; window <= MAX_FILE_META_BYTES; window *= 4) {
      const bytes = await readAt(file, 0, Math.min(window, fileBytes));
      const result = readFileHead(bytes);
      if (result !== 'more') return { ...result, bytes };
      if (window >= fileBytes) return undefined;
    }
    return undefined;
  } catch (error) {
    if (error instanceof DicomError) return undefined;
    throw error;
  }
}

async function readAt(file: HeadFile, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  return buffer.subarray(0, await file.read([buffer], position));
}
