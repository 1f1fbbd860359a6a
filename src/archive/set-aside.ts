// An instance that comes again with another study, series or date lies under another path: the older file is moved to
// superseded/ before the catalogue learns of the newer one.

import type { Catalog, InstanceLocation, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import { supersededPath, uidsOf } from './instance-path.ts';
import { headAt } from './stored-record.ts';

const SUPERSEDED = 'superseded/';

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
      if (record === undefined || record.supersededPath !== undefined) continue;
      if (isOvertaken(current, record)) {
        records.set(current.sopInstanceUid, await moveAside(storage, record, current));
      } else if (isDriven(current, record)) {
        records.set(current.sopInstanceUid, {
          ...record,
          supersededPath: await driveAway(storage, current, record),
        });
      }
    }
  }
  return [...records.values()];
}

function isDriven({ location }: InstanceLocation, record: InstanceRecord): boolean {
  return location.sha256 !== record.location.sha256 && location.receivedAt <= record.location.receivedAt;
}

async function driveAway(
  storage: StorageArea,
  current: InstanceLocation,
  record: InstanceRecord,
): Promise<string> {
  const { path, sha256 } = current.location;
  if (path.startsWith(SUPERSEDED)) return path;
  const older = supersededPath(current, record.location.receivedAt, sha256);
  // At the same path it was replaced before a crash, and its file has gone there already.
  if (path !== record.location.path && !(await isNewerThere(storage, current))) {
    await moveIfThere(storage, path, older);
  }
  return older;
}

/** What the catalogue is to learn of next has taken the place of the current content already. */
async function isNewerThere(storage: StorageArea, { location }: InstanceLocation): Promise<boolean> {
  const present = await headAt(storage, location.path);
  if (present === undefined || present === 'unreadable') return false;
  return present.meta.integrity !== undefined && present.meta.integrity.receivedAt > location.receivedAt;
}

/** A later reception, of another study or date, was the faster one. */
function isOvertaken({ location }: InstanceLocation, record: InstanceRecord): boolean {
  const { sha256, receivedAt, path } = record.location;
  return (
    location.sha256 !== sha256 &&
    location.receivedAt > receivedAt &&
    location.path !== path &&
    !path.startsWith(SUPERSEDED)
  );
}

async function moveAside(
  storage: StorageArea,
  record: InstanceRecord,
  { location }: InstanceLocation,
): Promise<InstanceRecord> {
  const path = supersededPath(uidsOf(record), location.receivedAt, record.location.sha256);
  await moveIfThere(storage, record.location.path, path);
  return { ...record, location: { ...record.location, path } };
}

async function moveIfThere(storage: StorageArea, from: string, to: string): Promise<void> {
  try {
    await storage.move(from, to);
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'missing')) throw error;
  }
}
