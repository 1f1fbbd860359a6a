// An instance that comes again with another study, series or date lies under another path: the older file is moved to
// superseded/ before the catalogue learns of the newer one.

import type { Catalog, InstanceLocation, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import { supersededPath } from './instance-path.ts';

/** The batch, each record with the path to which it drove older content. No UID comes twice in a batch. Done again
 *  after a crash, it finds the file moved already. */
export async function setAside(
  storage: StorageArea,
  catalog: Catalog,
  batch: readonly InstanceRecord[],
): Promise<InstanceRecord[]> {
  const records = new Map(batch.map((record) => [record.instance.uid, record]));
  for await (const page of catalog.select({ sopInstanceUids: [...records.keys()] })) {
    for (const current of page) {
      const record = records.get(current.sopInstanceUid);
      if (record === undefined || !isDriven(current, record)) continue;
      const older = supersededPath(current, record.location.receivedAt, current.location.sha256);
      await storage.move(current.location.path, older).catch((error: unknown) => {
        if (!(error instanceof StorageError && error.code === 'missing')) throw error;
      });
      records.set(current.sopInstanceUid, { ...record, supersededPath: older });
    }
  }
  return [...records.values()];
}

function isDriven({ location }: InstanceLocation, record: InstanceRecord): boolean {
  return (
    location.path !== record.location.path &&
    location.sha256 !== record.location.sha256 &&
    location.receivedAt <= record.location.receivedAt
  );
}
