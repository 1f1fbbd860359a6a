// Fills the catalogue from the volume alone: every file carries what is needed to index it.

import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import { type CharacterSetOverrides, recordAt } from './stored-record.ts';

const BATCH = 256;

export interface Rebuilt {
  readonly indexed: number;
  readonly unreadable: number;
}

/** Idempotent: what the catalogue holds already stays. `onUnreadable` gets each file that could not be indexed. */
export async function rebuildCatalog(
  storage: StorageArea,
  catalog: Catalog,
  overrides: CharacterSetOverrides,
  onUnreadable: (path: string, reason: string) => void,
): Promise<Rebuilt> {
  let indexed = 0;
  let unreadable = 0;
  let batch: InstanceRecord[] = [];
  const write = async () => {
    await catalog.ingest(batch);
    indexed += batch.length;
    batch = [];
  };
  for await (const { path } of storage.walk()) {
    try {
      const record = await recordAt(storage, path, overrides);
      if (record === undefined) throw new Error('it is not a file of this archive');
      batch.push(record);
    } catch (error) {
      unreadable += 1;
      onUnreadable(path, messageOf(error));
    }
    if (batch.length >= BATCH) await write();
  }
  if (batch.length > 0) await write();
  return { indexed, unreadable };
}
