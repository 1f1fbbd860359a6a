// The catalogue record of an instance from its bytes alone: what a file, or the durable record, says of itself.

import type { InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import { readInstanceHead, recordOf } from './instance-head.ts';
import { type HeadFiles, readStoredHead, type StoredHead } from './stored-instance.ts';

/** Character sets by source AE title, for callers that mislabel their text. */
export type CharacterSetOverrides = (sourceAeTitle: string) => readonly string[] | undefined;

/** The head of the file at `path`; undefined when there is none. */
export async function headAt(files: HeadFiles, path: string): Promise<StoredHead | 'unreadable' | undefined> {
  try {
    return (await readStoredHead(files, path)) ?? 'unreadable';
  } catch (error) {
    if (codeOf(error) === 'missing') return undefined;
    throw error;
  }
}

/** A volume that is not there is not thousands of missing files. */
export async function requireVolume(storage: StorageArea): Promise<void> {
  storage.checkInPlace();
  try {
    await storage.checkSpace();
  } catch (error) {
    if (codeOf(error) !== 'no-space') throw error;
  }
}

/** The catalogue record of the file at `path`; undefined when there is none of this archive. */
export async function recordAt(
  files: HeadFiles,
  path: string,
  overrides: CharacterSetOverrides,
): Promise<InstanceRecord | undefined> {
  const stored = await headAt(files, path);
  return stored === undefined || stored === 'unreadable' ? undefined : recordOfHead(stored, path, overrides);
}

/** The catalogue record of what has this head and lies, or will lie, at `path`; undefined when it does not say of
 *  itself how it was received. */
export async function recordOfHead(
  stored: StoredHead,
  path: string,
  overrides: CharacterSetOverrides,
): Promise<InstanceRecord | undefined> {
  const { meta, dataSetOffset, fileBytes, dataSetBytes } = stored;
  if (meta.integrity === undefined) return undefined;
  const head = await readInstanceHead(stored, meta.transferSyntaxUid);
  const sourceAeTitle = meta.sourceAeTitle ?? '';
  const location = {
    path,
    transferSyntaxUid: meta.transferSyntaxUid,
    sha256: meta.integrity.sha256,
    dataSetBytes,
    dataSetOffset,
    fileBytes,
    receivedAt: meta.integrity.receivedAt,
    sourceAeTitle,
  };
  return recordOf(head, location, overrides(sourceAeTitle));
}
