// The directories of the area: made on demand, kept open in bounded number, never reached through a symbolic link.
import { constants } from 'node:fs';
import { codeOf, messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import { Directory, realPathOf } from './directory.ts';
import { closeDescriptor, flushAll, identityOfName, makeDirectory, openDescriptor } from './file-calls.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

const MAX_OPEN = 128;
/** Of making a directory, and what goes into it, while others remove empty ones. */
const MAX_ATTEMPTS = 5;
const MODE = 0o750;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface Entry {
  readonly path: string;
  readonly opening: Promise<Directory>;
  /** Once it is open. */
  directory: Directory | undefined;
  readonly parent: Entry | undefined;
  /** Uses under way plus open directories below; closed only at zero. */
  users: number;
  forgotten: boolean;
}

export class Directories {
  readonly root: string;
  readonly rootDirectory: Directory;
  readonly #entries = new Map<string, Entry>();
  #fault: StorageError | undefined;

  private constructor(root: string, fd: number) {
    this.root = root;
    this.rootDirectory = new Directory('', root, fd, undefined, () => this.#flush(fd, ''));
  }

  /** `root` itself may be reached through symbolic links: that is the administrator's choice, all below is ours. */
  static async open(root: string): Promise<Directories> {
    const fd = await openDescriptor(root, constants.O_RDONLY | constants.O_DIRECTORY);
    return new Directories(realPathOf(fd), fd);
  }

  /** Throws once a flush has failed. After that the kernel may report success for what never reached the disk, so no
   *  later flush proves anything, and nothing may be acknowledged until somebody has looked at the disk. */
  checkFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Runs `work` with the directory open, making it and those above when they are missing. */
  async use<T>(path: string, work: (directory: Directory) => Promise<T>): Promise<T> {
    this.checkFault();
    let attempt = await this.#attempt(path, work, false);
    for (let count = 1; 'moved' in attempt && count < MAX_ATTEMPTS; count += 1) {
      // Somebody moved or removed directories behind our back, or emptied ones were: begin again from the root.
      for (const entry of this.#entries.values()) this.#forget(entry);
      attempt = await this.#attempt(path, work, true);
    }
    if ('moved' in attempt) throw attempt.moved;
    return attempt.result;
  }

  /** Whether `use` has nothing to wait for, to be asked where waiting costs more than the answer. */
  isOpen(path: string): boolean {
    this.checkFault();
    return this.#entries.get(path)?.directory?.isInPlace(false) === true;
  }

  /** Like `use` for a directory that must be there already; nothing is made. Works after a fault as well: undoing
   *  must be tried even then. */
  async useExisting<T>(path: string, work: (directory: Directory) => Promise<T>): Promise<T> {
    const directory = await this.#openExisting(path);
    try {
      return await work(directory);
    } finally {
      await closeDescriptor(directory.fd);
    }
  }

  /** Whether anything bears the name of this directory. */
  async isThere(path: string): Promise<boolean> {
    try {
      await identityOfName(`${this.root}/${path}`);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw storageErrorOf(error, `directory ${path}`);
    }
  }

  /** Opens a directory for as long as the area is open. */
  async pin(path: string): Promise<Directory> {
    return await this.#acquire(path).opening;
  }

  async close(): Promise<void> {
    for (const entry of [...this.#entries.values()].reverse())
      await closeDescriptor((await entry.opening).fd);
    this.#entries.clear();
    await closeDescriptor(this.rootDirectory.fd);
  }

  async #attempt<T>(
    path: string,
    work: (directory: Directory) => Promise<T>,
    lookNow: boolean,
  ): Promise<{ result: T } | { moved: unknown }> {
    const entry = this.#acquire(path);
    try {
      const directory = await entry.opening.catch(goneAbove);
      if ('moved' in directory) return directory;
      if (!directory.isInPlace(lookNow)) return { moved: this.#doesNotStay(path) };
      try {
        return { result: await work(directory) };
      } catch (error) {
        // A name cannot be made in a directory that was removed a moment ago.
        if (codeOf(error) === 'missing' && !directory.isInPlace(true)) return { moved: error };
        throw error;
      }
    } finally {
      this.#release(entry);
    }
  }

  #doesNotStay(path: string): StorageError {
    const words = `directory ${path} does not stay in its place; is ${this.root} being moved?`;
    return new StorageError('unusable', words);
  }

  #acquire(path: string): Entry {
    const known = this.#entries.get(path);
    // Taking it out and putting it back keeps the map in order of last use.
    if (known !== undefined) this.#entries.delete(path);
    const entry = known ?? this.#newEntry(path);
    this.#entries.set(path, entry);
    entry.users += 1;
    return entry;
  }

  #newEntry(path: string): Entry {
    const cut = path.lastIndexOf('/');
    const parent = cut < 0 ? undefined : this.#acquire(path.slice(0, cut));
    const opening = awaitedLater(this.#open(path, path.slice(cut + 1), parent));
    const entry: Entry = { path, opening, directory: undefined, parent, users: 0, forgotten: false };
    opening.then(
      (directory) => {
        entry.directory = directory;
      },
      () => this.#forget(entry),
    );
    this.#trim();
    return entry;
  }

  async #open(path: string, name: string, parentEntry: Entry | undefined): Promise<Directory> {
    const parent = parentEntry === undefined ? this.rootDirectory : await parentEntry.opening;
    try {
      const fd = await openOrMake(parent.at(name));
      return new Directory(path, `${this.root}/${path}`, fd, parent, () => this.#flush(fd, path));
    } catch (error) {
      throw storageErrorOf(error, `directory ${path}`);
    }
  }

  async #openExisting(path: string): Promise<Directory> {
    const realPath = `${this.root}/${path}`;
    try {
      const fd = await openDescriptor(realPath, OPEN_FLAGS);
      const directory = new Directory(path, realPath, fd, undefined, () => this.#flush(fd, path));
      if (directory.isInPlace(true)) return directory;
      await closeDescriptor(fd);
    } catch (error) {
      throw storageErrorOf(error, `directory ${path}`);
    }
    throw new StorageError(
      'bad-path',
      `directory ${path}: a symbolic link is in the way and is not followed`,
    );
  }

  async #flush(fd: number, path: string): Promise<void> {
    this.checkFault();
    try {
      await flushAll(fd);
    } catch (cause) {
      const words = `flush of directory ${path || this.root} failed (${messageOf(cause)}): nothing is accepted any more; check the disk, then start the daemon again`;
      this.#fault = new StorageError('io', words, { cause });
      throw this.#fault;
    }
  }

  #release(entry: Entry): void {
    entry.users -= 1;
    if (entry.forgotten) this.#closeUnused(entry);
    else this.#trim();
  }

  #forget(entry: Entry): void {
    if (entry.forgotten) return;
    entry.forgotten = true;
    if (this.#entries.get(entry.path) === entry) this.#entries.delete(entry.path);
    this.#closeUnused(entry);
  }

  #trim(): void {
    if (this.#entries.size <= MAX_OPEN) return;
    for (const entry of this.#entries.values()) {
      if (entry.users > 0) continue;
      this.#forget(entry);
      return;
    }
  }

  #closeUnused(entry: Entry): void {
    if (entry.users > 0) return;
    if (entry.parent !== undefined) this.#release(entry.parent);
    // One that could not be opened has nothing to close; a failed close of a directory loses nothing.
    void awaitedLater(entry.opening.then((directory) => closeDescriptor(directory.fd)));
  }
}

/** Nor can a directory be made in one that was removed a moment ago. */
function goneAbove(error: unknown): { moved: unknown } {
  if (codeOf(error) !== 'missing') throw error;
  return { moved: error };
}

async function openOrMake(path: string): Promise<number> {
  try {
    return await openDescriptor(path, OPEN_FLAGS);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    await makeDirectory(path, MODE);
  } catch (error) {
    // Another association, or another daemon on the same volume, was faster.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  return await openDescriptor(path, OPEN_FLAGS);
}
