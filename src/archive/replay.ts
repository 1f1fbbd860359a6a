// Start-up: what the durable record promised and the catalogue may not hold yet is looked up on the volume again.

import { randomUUID } from 'node:crypto';
import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { readInstanceHead, recordOf } from './instance-head.ts';
import { decodeIntent } from './intent.ts';
import { setAside } from './set-aside.ts';
import { hashDataSet, readStoredHead, type StoredHead } from './stored-instance.ts';

const BATCH = 256;

/** Character sets by source AE title, for callers that mislabel their text. */
export type CharacterSetOverrides = (sourceAeTitle: string) => readonly string[] | undefined;

/** Brings every placed instance of the journal into the catalogue. Returns how many were looked at; `onFault` gets
 *  what could not be read, which stays on the volume. */
export async function replayJournal(
  storage: StorageArea,
  catalog: Catalog,
  overrides: CharacterSetOverrides,
  onFault: (message: string) => void,
): Promise<number> {
  let batch: InstanceRecord[] = [];
  let count = 0;
  let last = 0;
  const write = async () => {
    await catalog.ingest(await setAside(storage, catalog, batch));
    batch = [];
  };
  for await (const { sequence, record } of storage.journal.replay()) {
    const { path, supersededPath } = decodeIntent(record);
    const found = await placedAt(storage, path, overrides, onFault).catch((error: unknown) => {
      onFault(`${path} is named in the durable record but cannot be read: ${messageOf(error)}`);
      return undefined;
    });
    if (found !== undefined) {
      if (batch.some(({ instance }) => instance.uid === found.instance.uid)) await write();
      const older =
        supersededPath === undefined ? undefined : await olderContent(storage, supersededPath, found);
      batch.push(older === undefined ? found : { ...found, supersededPath: older });
    }
    count += 1;
    last = sequence;
    if (batch.length >= BATCH) await write();
  }
  if (batch.length > 0) await write();
  if (count > 0) storage.journal.applied(last);
  return count;
}

/** As recordAt, for a file whose flush power loss may have cut short: it is read whole, and what is not as it was
 *  received goes to quarantine/. Such a file was never acknowledged, or it has been damaged since. */
async function placedAt(
  storage: StorageArea,
  path: string,
  overrides: CharacterSetOverrides,
  onFault: (message: string) => void,
): Promise<InstanceRecord | undefined> {
  const stored = await headAt(storage, path);
  if (stored === undefined) return undefined;
  const isWhole =
    stored !== 'unreadable' &&
    stored.isComplete &&
    (await hashDataSet(storage, path, stored.dataSetOffset)) === stored.meta.integrity?.sha256;
  if (isWhole) return recordAt(storage, path, overrides);
  const aside = `quarantine/${randomUUID()}.dcm`;
  await storage.move(path, aside);
  onFault(
    `${path} was not complete when the power or the program ended; what there is of it is now ${aside}`,
  );
  return undefined;
}

async function headAt(storage: StorageArea, path: string): Promise<StoredHead | 'unreadable' | undefined> {
  try {
    return (await readStoredHead(storage, path)) ?? 'unreadable';
  } catch (error) {
    if (codeOf(error) === 'missing') return undefined;
    throw error;
  }
}

/** The catalogue record of the file at `path`, from the file alone; undefined when there is none. */
export async function recordAt(
  storage: StorageArea,
  path: string,
  overrides: CharacterSetOverrides,
): Promise<InstanceRecord | undefined> {
  const stored = await headAt(storage, path);
  if (stored === undefined || stored === 'unreadable' || stored.meta.integrity === undefined)
    return undefined;
  const { meta, dataSetOffset, fileBytes, dataSetBytes } = stored;
  const head = await readInstanceHead(stored, meta.transferSyntaxUid);
  const sourceAeTitle = meta.sourceAeTitle ?? '';
  const location = {
    path,
    transferSyntaxUid: meta.transferSyntaxUid,
    sha256: stored.meta.integrity.sha256,
    dataSetBytes,
    dataSetOffset,
    fileBytes,
    receivedAt: stored.meta.integrity.receivedAt,
    sourceAeTitle,
  };
  return recordOf(head, location, overrides(sourceAeTitle));
}

/** Power went between linking the older content away and putting the newer in its place: then both names are one
 *  file, and the link is taken back. */
async function olderContent(
  storage: StorageArea,
  supersededPath: string,
  current: InstanceRecord,
): Promise<string | undefined> {
  const older = await headAt(storage, supersededPath);
  if (older === undefined) return undefined;
  if (older === 'unreadable' || older.meta.integrity?.sha256 !== current.location.sha256)
    return supersededPath;
  await storage.undoReplacement(current.location.path, supersededPath);
  return undefined;
}
