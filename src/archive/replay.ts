// Start-up: what the durable record promised and the catalogue may not hold yet is looked up on the volume again.

import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { readInstanceHead, recordOf } from './instance-head.ts';
import { decodeIntent } from './intent.ts';
import { setAside } from './set-aside.ts';
import { readStoredHead } from './stored-instance.ts';

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
    const found = await recordAt(storage, path, overrides).catch((error: unknown) => {
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

/** The catalogue record of the file at `path`, from the file alone; undefined when there is none. */
export async function recordAt(
  storage: StorageArea,
  path: string,
  overrides: CharacterSetOverrides,
): Promise<InstanceRecord | undefined> {
  const stored = await readStoredHead(storage, path).catch((error: unknown) => {
    if (codeOf(error) === 'missing') return undefined;
    throw error;
  });
  if (stored?.meta.integrity === undefined) return undefined;
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
  const older = await readStoredHead(storage, supersededPath).catch((error: unknown) => {
    if (codeOf(error) === 'missing') return undefined;
    throw error;
  });
  if (older === undefined) return undefined;
  if (older.meta.integrity?.sha256 !== current.location.sha256) return supersededPath;
  await storage.undoReplacement(current.location.path, supersededPath);
  return undefined;
}
