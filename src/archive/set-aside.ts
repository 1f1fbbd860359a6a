// An instance that comes again with another study, series or date lies under another path: the older file is moved to
// superseded/ before the catalogue learns of the newer one.

import { dirname } from 'node:path';
import type { Catalog, InstanceLocation, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import { codeOf } from '../util/errors.ts';
import { supersededPath, uidsOf } from './instance-path.ts';
import { headAt } from './stored-record.ts';

const SUPERSEDED = 'superseded/';

/** The catalogue learns of something else each time only when other daemons are faster each time. */
const MAX_ATTEMPTS = 10;

/** Brings a batch, no UID twice in it, into the catalogue, after older content of the same UIDs has gone aside. Done
 *  again after a crash, it finds the files moved already. */
export async function ingestPlaced(
  storage: StorageArea,
  catalog: Catalog,
  batch: readonly InstanceRecord[],
): Promise<void> {
  const known = await Array.fromAsync(
    catalog.select({ sopInstanceUids: batch.map(({ instance }) => instance.uid) }),
  );
  const hashes = new Map(
    known.flat().map(({ sopInstanceUid, location }) => [sopInstanceUid, location.sha256]),
  );
  const isSettled = ({ instance, location }: InstanceRecord) =>
    (hashes.get(instance.uid) ?? location.sha256) === location.sha256;
  let isAlone = !batch.every(isSettled);
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (!isAlone) return await catalog.ingest(batch.map((record) => ({ ...record, expectedSha256: '' })));
      return await storage.exclusively(async () => catalog.ingest(await setAside(storage, catalog, batch)));
    } catch (error) {
      // Another daemon has brought in another content of one of them in between.
      if (codeOf(error) !== 'catalog-stale' || attempt === MAX_ATTEMPTS) throw error;
      isAlone = true;
    }
  }
}

/** The batch, each record with the path to which it drove older content. */
async function setAside(
  storage: StorageArea,
  catalog: Catalog,
  batch: readonly InstanceRecord[],
): Promise<InstanceRecord[]> {
  const records = new Map<string, InstanceRecord>(
    batch.map((record) => [record.instance.uid, { ...record, expectedSha256: '' }]),
  );
  for await (const page of catalog.select({ sopInstanceUids: [...records.keys()] })) {
    for (const current of page) {
      const record = records.get(current.sopInstanceUid);
      if (record === undefined) continue;
      const expectedSha256 = current.location.sha256;
      records.set(current.sopInstanceUid, await beside(storage, current, { ...record, expectedSha256 }));
    }
  }
  return [...records.values()];
}

/** The record beside the content that is current: with the place where it is itself by now, or to which it drove that. */
async function beside(
  storage: StorageArea,
  current: InstanceLocation,
  record: InstanceRecord,
): Promise<InstanceRecord> {
  if (isOvertaken(current, record)) return moveAside(storage, record, current);
  if (isReplaced(current, record)) return whereReplaced(storage, record);
  if (!isDriven(current, record) || isNamed(record.supersededPath, current)) return record;
  return { ...record, supersededPath: await driveAway(storage, current, record) };
}

/** Whether this is the place of that content. Another daemon's may have been in between, of which the catalogue does not
 *  know yet. */
function isNamed(path: string | undefined, { location }: InstanceLocation): boolean {
  return path?.endsWith(`.${location.sha256.slice(0, 16)}.dcm`) === true;
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
  if (path !== record.location.path && !(await isTaken(storage, current.location))) {
    const again = supersededPath(current, current.location.receivedAt, sha256);
    return moveIfThere(storage, path, older, again);
  }
  // Replaced, before a crash or by another daemon, it has gone there already.
  return keptPath(storage, older, record.location.receivedAt);
}

/** Whether something else than this content is in its place: what the catalogue is to learn of next. */
async function isTaken(
  storage: StorageArea,
  { path, sha256, receivedAt }: InstanceRecord['location'],
): Promise<boolean> {
  const present = await headAt(storage, path);
  if (present === undefined) return true;
  if (present === 'unreadable' || present.meta.integrity === undefined) return false;
  const { integrity } = present.meta;
  return integrity.sha256 !== sha256 || integrity.receivedAt > receivedAt;
}

/** Another daemon has received a newer content, put it in the place of this one, and told the catalogue first. */
function isReplaced({ location }: InstanceLocation, record: InstanceRecord): boolean {
  const { sha256, receivedAt, path } = record.location;
  return location.sha256 !== sha256 && location.receivedAt > receivedAt && location.path === path;
}

async function whereReplaced(storage: StorageArea, record: InstanceRecord): Promise<InstanceRecord> {
  const { receivedAt, sha256 } = record.location;
  const path = await keptPath(storage, supersededPath(uidsOf(record), receivedAt, sha256), receivedAt);
  return { ...record, location: { ...record.location, path } };
}

/** Where a content is kept, of which only the time in its name is not known; `example`, made with another time, when
 *  it is nowhere. */
export async function keptPath(storage: StorageArea, example: string, receivedAt: string): Promise<string> {
  const [beginning, ending] = example.split(receivedAt.replace(/[^0-9]/g, ''));
  for await (const { path } of storage.walk(dirname(example))) {
    if (path.startsWith(beginning!) && path.endsWith(ending!)) return path;
  }
  return example;
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
  const { sha256, receivedAt } = record.location;
  const path = supersededPath(uidsOf(record), location.receivedAt, sha256);
  if (await isTaken(storage, record.location)) return whereReplaced(storage, record);
  // The same bytes have been overtaken by the same content before: then the time of receipt tells them apart.
  const again = supersededPath(uidsOf(record), receivedAt, sha256);
  const moved = await moveIfThere(storage, record.location.path, path, again);
  return { ...record, location: { ...record.location, path: moved } };
}

/** Answers where it is now: at `otherwise` when something else bears the name. */
async function moveIfThere(
  storage: StorageArea,
  from: string,
  to: string,
  otherwise?: string,
): Promise<string> {
  try {
    await storage.move(from, to);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === 'exists' && otherwise !== undefined) return moveIfThere(storage, from, otherwise);
    if (error.code !== 'missing') throw error;
  }
  return to;
}
