// Fills the catalogue from the volume alone: every file carries what is needed to index it. Beside normal service, and
// from where an earlier attempt was ended.

import type { Catalog, InstanceRecord, StoredLocation } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import type { RebuildCheckpoint, Rebuilt } from './rebuild-checkpoint.ts';
import { ingestPlaced } from './set-aside.ts';
import { type CharacterSetOverrides, recordAt } from './stored-record.ts';
import { missingFiles } from './verify.ts';

const BATCH = 256;
/** Files read at the same time. */
const AT_ONCE = 16;

export interface Difference {
  readonly kind: 'changed' | 'gone' | 'unreadable';
  readonly path: string;
  readonly reason: string;
}

export interface RebuildSite {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  readonly checkpoint: RebuildCheckpoint;
  onProgress(soFar: Rebuilt): void;
  onDifference(difference: Difference): void;
}

/** Idempotent: what the catalogue holds already stays. Call again after an end by force: it goes on there. */
export async function rebuildCatalog(site: RebuildSite): Promise<Rebuilt> {
  const { storage, catalog, checkpoint } = site;
  const start = await checkpoint.resume(catalog);
  const counts = { files: 0, added: 0, changed: 0, gone: 0, unreadable: 0, ...start?.counts };
  let writing: Promise<void> = Promise.resolve();
  // Older contents come last: the current one of each is known by then.
  for await (const batch of batches(storage, start?.after)) {
    const read = await readBatch(site, batch.paths, counts);
    await writing;
    const ended = async () => {
      await writeBatch(site, read, counts);
      counts.files += batch.paths.length;
      const last = read.at(-1)?.instance.uid;
      if (batch.after !== undefined && last !== undefined) {
        await checkpoint.reached({ after: batch.after, lastUid: last, counts });
      }
      site.onProgress(counts);
    };
    writing = awaitedLater(ended());
  }
  await writing;
  for await (const { path, reason } of missingFiles(storage, catalog)) {
    counts.gone += 1;
    site.onDifference({ kind: 'gone', path, reason });
  }
  await checkpoint.remove();
  return counts;
}

interface Batch {
  readonly paths: readonly string[];
  /** The directory with which the batch ends, when all of it is in it or in an earlier one. */
  readonly after: string | undefined;
}

async function* batches(storage: StorageArea, start: string | undefined): AsyncGenerator<Batch> {
  let paths: string[] = [];
  let after: string | undefined;
  for (const part of ['studies', 'superseded']) {
    for await (const directory of storage.walkInOrder(part, start)) {
      const names = [...directory.files, ...directory.others];
      for (const [index, name] of names.entries()) {
        paths.push(`${directory.path}/${name}`);
        if (paths.length < BATCH) continue;
        yield { paths, after: index === names.length - 1 ? directory.path : undefined };
        paths = [];
      }
      after = directory.path;
    }
    // A current content is in the catalogue before an older one is looked at.
    if (paths.length > 0) yield { paths, after };
    paths = [];
  }
}

type Counts = { -readonly [K in keyof Rebuilt]: Rebuilt[K] };

async function readBatch(
  site: RebuildSite,
  paths: readonly string[],
  counts: Counts,
): Promise<InstanceRecord[]> {
  const { storage, overrides } = site;
  const records: (InstanceRecord | undefined)[] = new Array(paths.length);
  const waiting = paths.entries();
  const readSome = async () => {
    for (const [index, path] of waiting) {
      try {
        records[index] = await recordAt(storage, path, overrides);
        if (records[index] === undefined) throw new Error('it is not a file of this archive');
      } catch (error) {
        counts.unreadable += 1;
        site.onDifference({ kind: 'unreadable', path, reason: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, readSome));
  return records.filter((record) => record !== undefined);
}

async function writeBatch(
  site: RebuildSite,
  records: readonly InstanceRecord[],
  counts: Counts,
): Promise<void> {
  const { storage, catalog } = site;
  const known = await knownLocations(catalog, records);
  // A UID twice in a batch: one after the other.
  let rest = records.filter((record) => isNews(site, record, known, counts));
  while (rest.length > 0) {
    const some = new Map(rest.map((record) => [record.instance.uid, record]));
    await ingestPlaced(storage, catalog, [...some.values()]);
    const written = new Set(some.values());
    rest = rest.filter((record) => !written.has(record));
  }
}

/** Every content that the catalogue has of these instances, by path. */
async function knownLocations(
  catalog: Catalog,
  records: readonly InstanceRecord[],
): Promise<ReadonlyMap<string, StoredLocation>> {
  const byUid = new Map<string, StoredLocation>();
  const sopInstanceUids = records.map(({ instance }) => instance.uid);
  if (sopInstanceUids.length === 0) return byUid;
  for await (const page of catalog.select({ sopInstanceUids })) {
    for (const { sopInstanceUid, location } of page) byUid.set(sopInstanceUid, location);
  }
  const older = records.filter(({ location }) => location.path.startsWith('superseded/'));
  for (const { instance } of older) {
    for (const location of await catalog.superseded(instance.uid)) byUid.set(location.path, location);
  }
  return byUid;
}

/** Whether the catalogue has to learn of it. */
function isNews(
  site: RebuildSite,
  { instance, location }: InstanceRecord,
  known: ReadonlyMap<string, StoredLocation>,
  counts: Counts,
): boolean {
  const current = known.get(instance.uid);
  if (location.path.startsWith('superseded/')) {
    // The same bytes, received again, are the current content.
    const isKnown = known.has(location.path) || current?.sha256 === location.sha256;
    if (!isKnown) counts.added += 1;
    return !isKnown;
  }
  if (current === undefined) {
    counts.added += 1;
    return true;
  }
  if (current.sha256 === location.sha256 && current.path === location.path) return false;
  counts.changed += 1;
  const reason =
    current.sha256 === location.sha256
      ? `the catalogue has the same bytes at ${current.path}`
      : `the catalogue has another content, received ${current.receivedAt}, at ${current.path}`;
  site.onDifference({ kind: 'changed', path: location.path, reason });
  // An older content of the same path was put there by somebody: the catalogue keeps what it was told.
  return current.receivedAt < location.receivedAt || current.path !== location.path;
}
