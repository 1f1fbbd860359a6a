// Files under studies/ and superseded/ that the catalogue does not know, folder by folder; interrupted, the next run
// goes on with the folder in which it stopped.

import { basename } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import type { Pace } from './pace.ts';

export interface UnlistedSite {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  /** How many days the whole way may take. */
  readonly days: number;
  readonly now: () => Date;
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T>;
}

interface Unlisted {
  readonly path: string;
  readonly reason: string;
}

const NAME = 'unlisted-files';
const DAY_MS = 86_400_000;
const BATCH = 256;
/** About what looking at a directory entry and its inode reads. */
const ENTRY_BYTES = 4096;

/** Where the way through the folders stands: `next` is the folder to go on with. */
interface Position {
  readonly startedAt: string;
  readonly next: string | undefined;
}

export async function* unlistedFiles(
  site: UnlistedSite,
  fromStart: boolean,
  pace: Pace,
): AsyncGenerator<Unlisted> {
  const { catalog, now, days } = site;
  const text = await catalog.ask('progress', NAME);
  const before = text === undefined || fromStart ? undefined : (JSON.parse(text) as Position);
  const isOver = before !== undefined && before.next === undefined;
  if (isOver && now().getTime() - Date.parse(before.startedAt) < (days - 1) * DAY_MS) return;
  const { startedAt, next } = isOver || before === undefined ? start(now()) : before;
  const folders = (await foldersOf(site.storage)).filter((folder) => next === undefined || folder >= next);
  for (const [index, folder] of folders.entries()) {
    yield* unlistedIn(site, folder, pace);
    const position: Position = { startedAt, next: folders[index + 1] };
    await catalog.ask('setProgress', { name: NAME, value: JSON.stringify(position) });
  }
}

function start(now: Date): Position {
  return { startedAt: now.toISOString(), next: undefined };
}

/** Year and month, sorted; what lies elsewhere in studies/ is looked at with its own folder. */
async function foldersOf(storage: StorageArea): Promise<string[]> {
  const folders = ['superseded'];
  for (const year of await storage.directoriesIn('studies')) {
    const isYear = /^\d{4}$/.test(year);
    const months = isYear ? await storage.directoriesIn(`studies/${year}`) : [];
    folders.push(...(isYear ? months.map((month) => `studies/${year}/${month}`) : [`studies/${year}`]));
  }
  return folders.sort();
}

async function* unlistedIn(site: UnlistedSite, folder: string, pace: Pace): AsyncGenerator<Unlisted> {
  let batch: string[] = [];
  for await (const { path, kind } of site.storage.walk(folder)) {
    await pace.beforeReading(ENTRY_BYTES);
    if (kind !== 'file')
      yield { path, reason: 'it is not a plain file, and nobody has put it there on purpose' };
    else batch.push(path);
    if (batch.length < BATCH) continue;
    yield* judge(site, batch);
    batch = [];
  }
  yield* judge(site, batch);
}

async function* judge(site: UnlistedSite, paths: readonly string[]): AsyncGenerator<Unlisted> {
  if (paths.length === 0) return;
  const { catalog } = site;
  const known = new Set<string>();
  for await (const page of catalog.select({ sopInstanceUids: paths.flatMap(uidsInName) })) {
    for (const { location } of page) known.add(location.path);
  }
  for (const path of paths) {
    if (!known.has(path) && (await isUnlisted(site, path))) {
      yield { path, reason: 'the catalogue does not know it' };
    }
  }
}

/** A file has the name of its instance; behind it may be the time and the hash of older content. */
function uidsInName(path: string): string[] {
  const name = basename(path).replace(/\.dcm$/, '');
  const parts = name.split('.');
  const uids = [parts, parts.slice(0, -1), parts.slice(0, -2)].map((some) => some.join('.'));
  return uids.filter((uid) => uid !== '' && uid.length <= 64);
}

/** Whether there is such a file that nobody has listed. Looked at while nothing of this instance comes or goes: it may just have been received or deleted. */
export async function isUnlisted(site: Omit<UnlistedSite, 'days' | 'now'>, path: string): Promise<boolean> {
  const { storage, catalog } = site;
  const uids = [...new Set(uidsInName(path))];
  return site.withoutReceptions(uids, async () => {
    for (const uid of uids) {
      const current = await catalog.locate(uid);
      if (current?.location.path === path) return false;
      const older = current === undefined ? [] : await catalog.superseded(uid);
      if (older.some((location) => location.path === path)) return false;
      // On its way to the trash.
      if ((await catalog.ask('trashOf', uid)).some((item) => item.path === path)) return false;
    }
    try {
      (await storage.open(path)).close();
      return true;
    } catch (error) {
      return codeOf(error) !== 'missing';
    }
  });
}
