// Fills the catalogue from the volume alone: every file carries what is needed to index it. Beside normal service, and
// from where an earlier attempt was ended.

import type { Catalog, InstanceRecord, StoredLocation } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import { ReadingThreads } from './reading-threads.ts';
import type { RebuildCheckpoint, Rebuilt } from './rebuild-checkpoint.ts';
import type { RecordAnswer } from './record-worker.ts';
import { ingestPlaced } from './set-aside.ts';
import { type CharacterSetOverrides, recordAt } from './stored-record.ts';
import { missingFiles } from './verify.ts';

const BATCH = 256;
const RECORD_WORKER = new URL('./record-worker.ts', import.meta.url);
const THREADS = 2;

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

type RecordThreads = ReadingThreads<string, RecordAnswer>;

/** Idempotent: what the catalogue holds already stays. Call again after an end by force: it goes on there. */
export async function rebuildCatalog(site: RebuildSite): Promise<Rebuilt> {
  const { storage, catalog, checkpoint } = site;
  const start = await checkpoint.resume(catalog);
  const counts = { files: 0, added: 0, changed: 0, gone: 0, unreadable: 0, ...start?.counts };
  const threads: RecordThreads = new ReadingThreads(RECORD_WORKER, THREADS, storage.root);
  let writing: Promise<void> = Promise.resolve();
  let seen = 0;
  try {
    // Older contents come last: the current one of each is known by then.
    for await (const batch of batches(storage, start?.after)) {
      const read = await readBatch(site, threads, batch.paths, counts);
      await writing;
      const ended = async () => {
        seen += await writeBatch(site, read, counts);
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
  } finally {
    await threads.close();
  }
  // With a file for each instance there is nothing to be missed.
  if (start !== undefined || (await catalog.counts()).instances !== seen) {
    for await (const { path, reason } of missingFiles(storage, catalog)) {
      counts.gone += 1;
      site.onDifference({ kind: 'gone', path, reason });
    }
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
  threads: RecordThreads,
  paths: readonly string[],
  counts: Counts,
): Promise<InstanceRecord[]> {
  const share = Math.ceil(paths.length / THREADS);
  const parts = Array.from({ length: THREADS }, (_, part) => paths.slice(part * share, (part + 1) * share));
  const answers = (await Promise.all(parts.map((part) => threads.ask(part)))).flat();
  const records: InstanceRecord[] = [];
  for (const [index, answer] of answers.entries()) {
    try {
      records.push(await recordFrom(site, paths[index]!, answer));
    } catch (error) {
      counts.unreadable += 1;
      site.onDifference({ kind: 'unreadable', path: paths[index]!, reason: messageOf(error) });
    }
  }
  return records;
}

/** Threads know nothing of callers that mislabel their text: what came from these is read again. */
async function recordFrom(
  { storage, overrides }: RebuildSite,
  path: string,
  answer: RecordAnswer,
): Promise<InstanceRecord> {
  if ('unreadable' in answer) throw new Error(answer.unreadable);
  const record = JSON.parse(answer.record) as InstanceRecord;
  if (overrides(record.location.sourceAeTitle) === undefined) return record;
  const again = await recordAt(storage, path, overrides);
  if (again === undefined) throw new Error('it has gone since it was first read');
  return again;
}

/** How many instances have the file of their current content among these. */
async function writeBatch(
  site: RebuildSite,
  records: readonly InstanceRecord[],
  counts: Counts,
): Promise<number> {
  const { storage, catalog } = site;
  const known = await knownLocations(catalog, records);
  const current = new Set(
    records.filter((record) => isCurrent(record, known)).map(({ instance }) => instance.uid),
  );
  // A UID twice in a batch: one after the other.
  let rest = records.filter((record) => isNews(site, record, known, counts));
  while (rest.length > 0) {
    const some = new Map(rest.map((record) => [record.instance.uid, record]));
    await ingestPlaced(storage, catalog, [...some.values()]);
    const written = new Set(some.values());
    rest = rest.filter((record) => !written.has(record));
  }
  return current.size;
}

/** Whether the catalogue names this very file for its instance, or will when it has learnt of it. */
function isCurrent(
  { instance, location }: InstanceRecord,
  known: ReadonlyMap<string, StoredLocation>,
): boolean {
  if (location.path.startsWith('superseded/')) return false;
  const current = known.get(instance.uid);
  return current === undefined || current.path === location.path;
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
