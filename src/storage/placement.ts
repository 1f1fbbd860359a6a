// Moves between names inside the area: every step durable before the next, nothing ever overwritten by accident.

import { constants } from 'node:fs';
import { codeOf } from '../util/errors.ts';
import { splitAreaPath } from './area-path.ts';
import type { Directories } from './directories.ts';
import {
  allEnded,
  closeDescriptor,
  type FileIdentity,
  flushData,
  hardLink,
  identityOfDescriptor,
  identityOfName,
  isSameFile,
  openDescriptor,
  readFully,
  renameFile,
  unlinkFile,
} from './file-calls.ts';
import type { IncomingFile } from './incoming-file.ts';
import { storageErrorOf } from './storage-error.ts';

const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const COMPARED_BYTES = 1 << 20;

/** Gives a received file, flushed already, its name, flushes that, and takes its name in incoming/ away. */
export async function placeFile(directories: Directories, file: IncomingFile, path: string): Promise<void> {
  const target = splitAreaPath(path);
  await directories.use(target.directory, (directory) =>
    inWords(`placing ${path}`, async () => {
      await hardLink(file.path, directory.at(target.name));
      try {
        await allEnded([directory.flush(), file.unlink()]);
      } catch (error) {
        // Nothing may be left behind a failure. Where the disk refuses even this, the flush has been latched as a
        // fault already and nothing more is accepted.
        await Promise.allSettled([unlinkFile(directory.at(target.name)), file.remove()]);
        throw error;
      }
    }),
  );
}

/** Puts a file that has its name already, and that name, on the disk. */
export async function flushInPlace(directories: Directories, path: string): Promise<void> {
  const { directory, name } = splitAreaPath(path);
  await directories.use(directory, (inside) =>
    inWords(`flushing ${path}`, async () => {
      await flushFile(inside.at(name));
      await inside.flush();
    }),
  );
}

/** Gives the file at `from` the name `to` and takes the old one away. Interrupted, the file is under both names, and
 *  the same call finishes the work. */
export async function moveFile(directories: Directories, from: string, to: string): Promise<void> {
  // Linked to itself and unlinked, it would be gone.
  if (from === to) return;
  const source = splitAreaPath(from);
  const target = splitAreaPath(to);
  await directories.useExisting(source.directory, (leaving) =>
    directories.use(target.directory, async (entering) => {
      await inWords(`moving ${from} to ${to}`, async () => {
        await flushFile(leaving.at(source.name));
        await linkOnce(leaving.at(source.name), entering.at(target.name));
        await entering.flush();
        await unlinkFile(leaving.at(source.name));
        await leaving.flush();
      });
    }),
  );
}

/** Puts the file at `from` (an absolute path) over `path`, keeping what was there as `supersededPath`. `path` is
 *  readable at every moment; interrupted, the superseded name is an extra link of it at most. */
export async function replaceFile(
  directories: Directories,
  from: string,
  path: string,
  supersededPath: string,
): Promise<void> {
  const current = splitAreaPath(path);
  const kept = splitAreaPath(supersededPath);
  await directories.useExisting(current.directory, (directory) =>
    directories.use(kept.directory, async (keeping) => {
      const currentPath = directory.at(current.name);
      const keptPath = keeping.at(kept.name);
      await inWords(`replacing ${path}`, async () => {
        await flushFile(currentPath);
        await linkOnce(currentPath, keptPath);
        let renamed = false;
        try {
          // The older content must be certain of its new name before it loses the present one.
          await keeping.flush();
          await renameFile(from, currentPath);
          renamed = true;
          await directory.flush();
        } catch (error) {
          await Promise.allSettled([
            renamed ? exchangeBack(from, currentPath, keptPath) : unlinkFile(keptPath),
          ]);
          throw error;
        }
      });
    }),
  );
}

/** Brings back the state before a replacement from wherever it was interrupted: what was superseded becomes current
 *  again. Nothing to do where it has not begun. */
export async function undoReplacement(
  directories: Directories,
  path: string,
  supersededPath: string,
): Promise<void> {
  const current = splitAreaPath(path);
  const kept = splitAreaPath(supersededPath);
  await directories.useExisting(current.directory, (directory) =>
    directories.useExisting(kept.directory, (keeping) =>
      inWords(`undoing the replacement of ${path}`, async () => {
        const before = await identityIfThere(keeping.at(kept.name));
        if (before === undefined) return;
        const now = await identityIfThere(directory.at(current.name));
        // rename(2) between two names of one file does nothing, so that case is an unlink.
        if (now !== undefined && isSameFile(before, now)) await unlinkFile(keeping.at(kept.name));
        else await renameFile(keeping.at(kept.name), directory.at(current.name));
        await directory.flush();
        await keeping.flush();
      }),
    ),
  );
}

async function exchangeBack(from: string, currentPath: string, keptPath: string): Promise<void> {
  await hardLink(currentPath, from);
  await renameFile(keptPath, currentPath);
}

/** What was placed from the durable record need not be on the disk yet, and is looked for under its first name only
 *  before the record gives it up. */
async function flushFile(path: string): Promise<void> {
  let fd: number;
  try {
    fd = await openDescriptor(path, LOOK);
  } catch (error) {
    // A symbolic link, put there by somebody, is moved as what it is.
    if (codeOf(error) === 'ELOOP') return;
    throw error;
  }
  try {
    await flushData(fd);
  } finally {
    await closeDescriptor(fd);
  }
}

/** A link that is there already, made by an interrupted earlier attempt, is as good as a new one. So is a file with the
 *  very same bytes, flushed: the durable record may have given both names one. */
async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await hardLink(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (isSameFile(await identityOfName(from), await identityOfName(to))) return;
    if (!(await haveSameBytes(from, to))) throw error;
    await flushFile(to);
  }
}

async function haveSameBytes(one: string, other: string): Promise<boolean> {
  const files = [await openDescriptor(one, LOOK)];
  try {
    files.push(await openDescriptor(other, LOOK));
    const [size, otherSize] = await Promise.all(
      files.map(async (fd) => (await identityOfDescriptor(fd)).size),
    );
    if (size !== otherSize) return false;
    for (let position = 0; position < Number(size); position += COMPARED_BYTES) {
      const [bytes, otherBytes] = await Promise.all(files.map((fd) => readAt(fd, position)));
      if (!bytes!.equals(otherBytes!)) return false;
    }
    return true;
  } finally {
    for (const fd of files) await closeDescriptor(fd);
  }
}

async function readAt(fd: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(COMPARED_BYTES);
  return bytes.subarray(0, await readFully(fd, bytes, position));
}

async function identityIfThere(path: string): Promise<FileIdentity | undefined> {
  try {
    return await identityOfName(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function inWords(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw storageErrorOf(error, what);
  }
}
