// Start-up: a small instance lies in the durable record with all its bytes, and perhaps already, whole or not, in its
// file. The time of receipt says which of two contents of one instance is the newer.

import { hash, randomUUID } from 'node:crypto';
import type { Catalog, InstanceRecord, StoredLocation } from '../catalog/catalog.ts';
import { readFileHead, sealFileHead } from '../dicom/file-meta.ts';
import type { Held, StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import { ArchiveError } from './errors.ts';
import { type HeldRecord, placeHeld } from './held-placement.ts';
import { supersededPath, uidsOf } from './instance-path.ts';
import { ingestPlaced } from './set-aside.ts';
import { hashDataSet, type StoredHead } from './stored-instance.ts';
import { type CharacterSetOverrides, headAt, recordAt, recordOfHead } from './stored-record.ts';
import { trashPath } from './trash-folder.ts';

/** Where replaying works, and whom it tells what it could not mend: all of that stays on the volume. */
export interface ReplaySite {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  /** Ends it between two instances; what is left is there the next time. */
  readonly signal: AbortSignal;
  onFault(message: string): void;
}

/** What the durable record holds, and when it was received. */
export interface HeldReception {
  readonly held: Held;
  readonly receivedAt: string;
}

/** Gives an instance its file unless it has it, and answers what the catalogue is to learn of it. One that was in the
 *  catalogue and is no longer has been deleted since, and is not made again. */
export async function replayHeld(
  site: ReplaySite,
  path: string,
  reception: HeldReception,
  isApplied: boolean,
): Promise<InstanceRecord | undefined> {
  const { storage, catalog, overrides } = site;
  const { stored, sealedHead } = await readReception(storage, reception);
  const record = await recordOfHead(stored, path, overrides);
  if (record === undefined) return undefined;
  const current = await catalog.locate(record.instance.uid);
  const known = await knownLocation(site, current?.location, record, isApplied);
  const trashed = known === undefined ? await inTrash(catalog, record) : undefined;
  if (trashed !== undefined) await keepForTrash(site, trashed, { record, held: reception.held, sealedHead });
  if (trashed !== undefined || (known === undefined && isApplied)) return undefined;
  const place = known?.path ?? (await overtakenPath(site, current?.location, record)) ?? path;
  await soundHeadAt(site, place);
  const there = { ...record, location: { ...record.location, path: place } };
  const [placed] = await placeHeld(storage, [{ record: there, held: reception.held, sealedHead }]);
  if (placed?.outcome === 'stored') await clearPath(site, path, placed.record);
  return known === undefined ? placed?.record : undefined;
}

/** Where in the trash this reception is, when it has been deleted since. */
export async function inTrash(catalog: Catalog, { instance, location }: InstanceRecord) {
  const items = await catalog.ask('trashOf', instance.uid);
  return items.find(
    ({ sha256, receivedAt }) => sha256 === location.sha256 && receivedAt === location.receivedAt,
  );
}

/** The power may have gone before its file was on the disk, and before that was moved to the trash. */
async function keepForTrash(
  site: ReplaySite,
  { trash, path }: { readonly trash: string; readonly path: string },
  instance: HeldRecord,
): Promise<void> {
  if ((await headAt(site.storage, trashPath(trash, path))) !== undefined) return;
  await soundHeadAt(site, path);
  const record = { ...instance.record, location: { ...instance.record.location, path } };
  await placeHeld(site.storage, [{ ...instance, record }]);
}

/** At the path where an instance would be that has got another, there is a newer one, which the catalogue learns of
 *  first, or this very one, from before a crash. */
async function clearPath(site: ReplaySite, path: string, { location }: InstanceRecord): Promise<void> {
  const { storage, catalog, overrides } = site;
  if (location.path === path) return;
  const present = (await soundHeadAt(site, path))?.meta.integrity;
  if (present?.sha256 === location.sha256 && present.receivedAt === location.receivedAt) {
    await storage.move(path, location.path);
  } else if (present !== undefined && present.receivedAt > location.receivedAt) {
    const newer = await recordAt(storage, path, overrides);
    if (newer !== undefined) await ingestPlaced(storage, catalog, [newer]);
  }
}

/** Where the catalogue has this very reception; of one that it has had for certain, also where it has the same bytes
 *  from another. */
async function knownLocation(
  { catalog }: ReplaySite,
  current: StoredLocation | undefined,
  { instance, location }: InstanceRecord,
  isApplied: boolean,
): Promise<StoredLocation | undefined> {
  const all = [...(current === undefined ? [] : [current]), ...(await catalog.superseded(instance.uid))];
  const same = all.filter(({ sha256 }) => sha256 === location.sha256);
  return (
    same.find(({ receivedAt }) => receivedAt === location.receivedAt) ?? (isApplied ? same[0] : undefined)
  );
}

/** Where a content went that was overtaken by a newer one of another study or date, when it has gone there already. */
async function overtakenPath(
  site: ReplaySite,
  current: StoredLocation | undefined,
  record: InstanceRecord,
): Promise<string | undefined> {
  if (current === undefined || current.receivedAt <= record.location.receivedAt) return undefined;
  const path = supersededPath(uidsOf(record), current.receivedAt, record.location.sha256);
  return (await soundHeadAt(site, path)) === undefined ? undefined : path;
}

/** The head of the file at `path` when its data set is what the head says. What is not goes to quarantine/. */
async function soundHeadAt(site: ReplaySite, path: string): Promise<StoredHead | undefined> {
  const { storage } = site;
  const stored = await headAt(storage, path).catch((error: unknown) => {
    // A directory or a link: nothing of ours, and it stays.
    if (codeOf(error) === 'bad-path') return undefined;
    throw error;
  });
  if (stored === undefined) return undefined;
  if (
    stored !== 'unreadable' &&
    stored.isComplete &&
    (await hashDataSet(storage, path, stored.dataSetOffset)) === stored.meta.integrity?.sha256
  ) {
    return stored;
  }
  const aside = `quarantine/${randomUUID()}.dcm`;
  await storage.move(path, aside);
  site.onFault(
    `${path} was not complete when the power or the program ended; what there was of it is now ${aside}`,
  );
  return undefined;
}

/** The head as it will be in the file, and what it says. */
async function readReception(
  storage: StorageArea,
  { held, receivedAt }: HeldReception,
): Promise<{ stored: StoredHead; sealedHead: Buffer }> {
  const bytes = await storage.readHeld(held);
  const blank = readFileHead(bytes);
  if (blank === 'more') throw new ArchiveError('unreadable', 'It has no File Meta Information.');
  const { dataSetOffset } = blank;
  const dataSet = bytes.subarray(dataSetOffset);
  const sealedHead = bytes.subarray(0, dataSetOffset);
  const integrity = { sha256: hash('sha256', dataSet), bytes: dataSet.length, receivedAt };
  sealFileHead(sealedHead, integrity);
  const stored = {
    meta: { ...blank.meta, integrity },
    dataSetOffset,
    fileBytes: bytes.length,
    dataSetBytes: dataSet.length,
    isComplete: true,
    head: async (wanted: number) => dataSet.subarray(0, wanted),
  };
  return { stored, sealedHead };
}
