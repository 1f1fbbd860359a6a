// Lists everything under a directory of the area, one entry at a time, without following symbolic links.
import { constants } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { codeOf } from '../util/errors.ts';
import { realPathOf } from './directory.ts';
import { closeDescriptor, openDescriptor } from './file-calls.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

export interface WalkEntry {
  /** Relative to the root of the area. */
  readonly path: string;
  /** `other`: a symbolic link, a device or the like, which does not belong here and is not opened. */
  readonly kind: 'file' | 'other';
  readonly bytes: number;
}

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Depth first, in no particular order; what vanishes meanwhile is left out. */
export async function* walk(root: string, directory: string): AsyncGenerator<WalkEntry> {
  const fd = await openListed(root, directory);
  if (fd === undefined) return;
  try {
    for await (const entry of await opendir(`/proc/self/fd/${fd}`)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) yield* walk(root, path);
      else {
        const found = await describe(`/proc/self/fd/${fd}/${entry.name}`, path);
        if (found !== undefined) yield found;
      }
    }
  } finally {
    await closeDescriptor(fd);
  }
}

/** A directory that holds something else than directories. */
export interface ListedDirectory {
  readonly path: string;
  /** Names of the files in it, sorted. */
  readonly files: readonly string[];
  /** Of symbolic links, devices and the like, which do not belong here. */
  readonly others: readonly string[];
}

/** Directories below and with this one, in the order of their paths, those up to `after` left out: who stopped there
 *  goes on there. Holds the names in one directory of each level. */
export async function* walkInOrder(
  root: string,
  directory: string,
  after: string | undefined,
): AsyncGenerator<ListedDirectory> {
  const fd = await openListed(root, directory);
  if (fd === undefined) return;
  const below: string[] = [];
  const files: string[] = [];
  const others: string[] = [];
  try {
    for await (const entry of await opendir(`/proc/self/fd/${fd}`)) {
      const kind = entry.isDirectory() ? below : entry.isFile() ? files : others;
      kind.push(entry.name);
    }
  } finally {
    await closeDescriptor(fd);
  }
  if (files.length + others.length > 0 && isBehind(directory, after)) {
    yield { path: directory, files: files.sort(), others };
  }
  for (const name of below.sort()) {
    const path = `${directory}/${name}`;
    if (isBehind(path, after) || `${after}/`.startsWith(`${path}/`)) yield* walkInOrder(root, path, after);
  }
}

function isBehind(path: string, after: string | undefined): boolean {
  if (after === undefined) return true;
  const [parts, others] = [path.split('/'), after.split('/')];
  for (const [index, part] of parts.entries()) {
    const other = others[index];
    if (other === undefined || part > other) return true;
    if (part < other) return false;
  }
  return false;
}

async function openListed(root: string, directory: string): Promise<number | undefined> {
  try {
    const fd = await openDescriptor(`${root}/${directory}`, FLAGS);
    if (realPathOf(fd) === `${root}/${directory}`) return fd;
    await closeDescriptor(fd);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storageErrorOf(error, `listing ${directory}`);
  }
  throw new StorageError(
    'bad-path',
    `listing ${directory}: a symbolic link is in the way and is not followed`,
  );
}

async function describe(location: string, path: string): Promise<WalkEntry | undefined> {
  try {
    const stats = await lstat(location);
    return { path, kind: stats.isFile() ? 'file' : 'other', bytes: stats.size };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storageErrorOf(error, `looking at ${path}`);
  }
}
