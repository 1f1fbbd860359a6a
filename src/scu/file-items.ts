// DICOM files on disk as items to send: Part 10 files, and bare data sets as older programs wrote them.

import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readDataSet } from '../dicom/data-set-reader.ts';
import { DicomError } from '../dicom/errors.ts';
import { readForeignHead } from '../dicom/foreign-head.ts';
import { canTranscode, transcode } from '../dicom/transcode/transcode.ts';
import { SourceDataSet } from '../dimse/source-data-set.ts';
import { messageOf } from '../util/errors.ts';
import { FileRange } from '../util/file-range.ts';
import { OpenFile } from '../util/open-file.ts';
import type { ClosableDataSet, StoreItem } from './item-queue.ts';

const HEAD_BYTES = 64 * 1024;
const SOP_CLASS_UID = 0x00080016;
const SOP_INSTANCE_UID = 0x00080018;

export interface FileItem extends StoreItem {
  readonly path: string;
}

/** A file that holds no DICOM instance, and why. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

/** Every file under the paths, in name order. Rejects when a path does not exist. */
export async function* filesUnder(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) {
      yield path;
      continue;
    }
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory() || entry.isFile()) yield* filesUnder([join(path, entry.name)]);
    }
  }
}

/** The instance in a file, by its head alone. */
export async function fileItem(path: string): Promise<FileItem | SkippedFile> {
  try {
    await using handle = await open(path, 'r');
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const head = readForeignHead(bytes);
    if (head === 'more') return { path, reason: 'its head is too long' };
    const { dataSetOffset, meta } = head;
    const result = readDataSet(bytes.subarray(dataSetOffset), {
      transferSyntaxUid: meta.transferSyntaxUid,
      stopBefore: SOP_INSTANCE_UID + 1,
      complete: bytesRead < HEAD_BYTES,
    });
    const dataSet = result.done ? result.dataSet : undefined;
    const sopClassUid = dataSet?.string(SOP_CLASS_UID) ?? meta.sopClassUid;
    const sopInstanceUid = dataSet?.string(SOP_INSTANCE_UID) ?? meta.sopInstanceUid;
    if (sopClassUid === '' || sopInstanceUid === '')
      return { path, reason: 'it names no SOP Class or Instance' };
    const { transferSyntaxUid } = meta;
    return {
      path,
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid,
      canConvert: (target) => canTranscode(transferSyntaxUid, target),
      open: (target, signal) => openItem({ path, dataSetOffset, transferSyntaxUid }, target, signal),
    };
  } catch (error) {
    if (error instanceof DicomError) return { path, reason: error.message };
    return { path, reason: messageOf(error) };
  }
}

async function openItem(
  input: { path: string; dataSetOffset: number; transferSyntaxUid: string },
  target: string,
  signal: AbortSignal,
): Promise<ClosableDataSet> {
  if (target !== input.transferSyntaxUid) {
    const done = new AbortController();
    const source = transcode(input, target, AbortSignal.any([signal, done.signal]));
    return Object.assign(new SourceDataSet(source), { close: () => done.abort() });
  }
  const file = await OpenFile.open(input.path, constants.O_RDONLY);
  const { size } = file.stat();
  return new FileRange(file, input.path, input.dataSetOffset, size - input.dataSetOffset);
}
