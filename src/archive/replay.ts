// Start-up: what the durable record promised is brought to its place and into the catalogue, wherever the end of the
// program or of the power stopped it.

import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { InstanceRecord } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import type { Journal, ReplayedRecord } from '../storage/journal.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { wasBroughtBack } from './deleted-meanwhile.ts';
import { decodeIntent, type Intent } from './intent.ts';
import { inTrash, type ReplaySite, replayHeld } from './replay-held.ts';
import { ingestPlaced } from './set-aside.ts';
import { headAt, recordAt, recordOfHead } from './stored-record.ts';

const BATCH = 256;
/** A megabyte each at most. */
const AT_ONCE = 16;

/** Brings every instance of a journal, our own or one that was left behind, to its place and into the catalogue. Returns
 *  how many were looked at. */
export async function replayJournal(site: ReplaySite, journal: Journal): Promise<number> {
  let count = 0;
  let group: ReplayedRecord[] = [];
  const names = new Set<string>();
  for await (const record of journal.replay()) {
    const name = basename(decodeIntent(record.note).path);
    // Two receptions of one instance come one after the other.
    if (group.length === BATCH || names.has(name)) {
      await replayGroup(site, group);
      group = [];
      names.clear();
    }
    group.push(record);
    names.add(name);
    count += 1;
  }
  await replayGroup(site, group);
  journal.replayed();
  return count;
}

async function replayGroup(site: ReplaySite, group: readonly ReplayedRecord[]): Promise<void> {
  await site.storage.whilePlacing(() => replayAll(site, group));
}

async function replayAll(site: ReplaySite, group: readonly ReplayedRecord[]): Promise<void> {
  const { storage, catalog } = site;
  const found: InstanceRecord[] = [];
  for (let start = 0; start < group.length; start += AT_ONCE) {
    site.signal.throwIfAborted();
    const some = group.slice(start, start + AT_ONCE).map((record) => replayInWords(site, record));
    found.push(...(await Promise.all(some)).filter((record) => record !== undefined));
  }
  if (found.length > 0) await ingestPlaced(storage, catalog, found);
}

async function replayInWords(site: ReplaySite, record: ReplayedRecord): Promise<InstanceRecord | undefined> {
  try {
    return await replayOne(site, record);
  } catch (error) {
    if (error instanceof CatalogError || codeOf(error) === 'no-space') throw error;
    const { path } = decodeIntent(record.note);
    const aside = record.held.bytes === 0 ? '' : `; its bytes are now ${await putAside(site, record)}`;
    site.onFault(`${path} is named in the durable record but ${messageOf(error)}${aside}`);
    return undefined;
  }
}

/** The record cannot be kept for ever, and its bytes may be nowhere else. */
async function putAside({ storage }: ReplaySite, { held }: ReplayedRecord): Promise<string> {
  const aside = `quarantine/${randomUUID()}.dcm`;
  const spooled = await storage.spoolHeld({ held, sealedHead: Buffer.alloc(0) });
  await spooled.place(aside);
  return aside;
}

/** What the catalogue is to learn of it, if anything. */
async function replayOne(site: ReplaySite, record: ReplayedRecord): Promise<InstanceRecord | undefined> {
  const intent = decodeIntent(record.note);
  const { path, receivedAt } = intent;
  if (receivedAt === undefined) {
    if (record.isApplied) return undefined;
    return intent.supersededPath === undefined
      ? replayPlaced(site, intent)
      : site.storage.exclusively(() => replayPlaced(site, intent));
  }
  const reception = { held: record.held, receivedAt };
  if (!record.isApplied || !record.isOfThisBoot) return replayHeld(site, path, reception, record.isApplied);
  site.storage.placedBefore(record.held, path);
  return undefined;
}

/** A large instance: its file was flushed before it had a name, so it is there whole or not at all. */
async function replayPlaced(
  site: ReplaySite,
  { path, supersededPath }: Intent,
): Promise<InstanceRecord | undefined> {
  const { storage, catalog, overrides } = site;
  const stored = await headAt(storage, path);
  if (stored === undefined) return undefined;
  if (stored === 'unreadable' || !stored.isComplete || stored.meta.integrity === undefined) {
    const aside = `quarantine/${randomUUID()}.dcm`;
    await storage.move(path, aside);
    site.onFault(`${path} is not as it was received; what there is of it is now ${aside}`);
    return undefined;
  }
  const record = await recordOfHead(stored, path, overrides);
  const trashed = record && (await inTrash(catalog, record));
  if (trashed !== undefined && !(await wasBroughtBack(storage, catalog, trashed))) return undefined;
  if (record === undefined || supersededPath === undefined) return record;
  const older = await olderContent(storage, supersededPath, record);
  if (older === undefined) return record;
  // The catalogue may know neither of the two.
  const before = await recordAt(storage, older, overrides).catch(() => undefined);
  if (before !== undefined) await catalog.ingest([before]);
  return { ...record, supersededPath: older };
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
