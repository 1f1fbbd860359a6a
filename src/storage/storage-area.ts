// The storage area on the volume (design §3): the one door through which instances get onto the disk and off it.
import { constants } from 'node:fs';
import { chmod, lstat, readdir, rm, statfs } from 'node:fs/promises';
import type { ByteSource } from '../util/byte-source.ts';
import { codeOf } from '../util/errors.ts';
import type { FileLock } from '../util/file-lock.ts';
import { KeyedLock } from '../util/keyed-lock.ts';
import { OpenFile } from '../util/open-file.ts';
import { KEEPING_DIRECTORIES, splitAreaPath } from './area-path.ts';
import { ChangeLock } from './change-lock.ts';
import { ChunkPool } from './chunk-pool.ts';
import { alignedBuffer, DIRECT_BLOCK_BYTES } from './direct-write.ts';
import { Directories } from './directories.ts';
import { type Directory, realPathOf } from './directory.ts';
import { removeEmptyDirectories } from './empty-directories.ts';
import { makeDirectory, readFully } from './file-calls.ts';
import { HeldFiles, type HeldInstance } from './held-files.ts';
import { IncomingFile } from './incoming-file.ts';
import { type Held, Journal } from './journal.ts';
import { flushInPlace, moveFile, undoReplacement } from './placement.ts';
import type { Placement } from './placing-messages.ts';
import { PlacingThread } from './placing-thread.ts';
import { LOCKS_FOLDER, lockArea, Seat } from './seat.ts';
import { SpaceGauge } from './space-gauge.ts';
import { spool } from './spool.ts';
import type { SpoolSite } from './spool-site.ts';
import { Spooled, type SpoolHead } from './spooled.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';
import { type ListedDirectory, type WalkEntry, walk, walkInOrder } from './walk.ts';

/** O_NONBLOCK: a named pipe that somebody put there must not hold a thread for ever. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** That of every stored file. */
const FILE_MODE = 0o640;

export type { HeldInstance } from './held-files.ts';
export type { Held } from './journal.ts';
export type { Placement } from './placing-messages.ts';
export type { Spooled } from './spooled.ts';

export interface StorageOptions {
  /** Free space that incoming instances never touch. */
  readonly reserveBytes: number;
  /** Other daemons with the same catalogue may work on the area at the same time. */
  readonly shared?: boolean;
}

/** What a daemon that has gone has left behind. */
export interface Abandoned {
  readonly journal: Journal;
  /** Files of interrupted receptions that were removed. */
  readonly sweptFiles: number;
}

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly reserveBytes: number;
}

interface StorageParts {
  readonly directories: Directories;
  readonly daemons: Directory;
  readonly lock: FileLock;
  readonly seat: Seat;
  readonly journal: Journal;
  readonly thread: PlacingThread;
  readonly heldFiles: HeldFiles;
  readonly sweptFiles: number;
  readonly isDirect: boolean;
}

export class StorageArea {
  /** The real path of the area. */
  readonly root: string;
  readonly journal: Journal;
  /** Files of interrupted receptions that were removed at opening. */
  readonly sweptFiles: number;
  readonly #directories: Directories;
  readonly #daemons: Directory;
  readonly #lock: FileLock;
  readonly #seat: Seat;
  readonly #changes: ChangeLock;
  readonly #thread: PlacingThread;
  readonly #heldFiles: HeldFiles;
  readonly #site: SpoolSite;
  readonly #space: SpaceGauge;
  readonly #reserveBytes: number;
  readonly #isShared: boolean;
  readonly #paths = new KeyedLock();

  private constructor(parts: StorageParts, options: StorageOptions) {
    this.root = parts.directories.root;
    this.journal = parts.journal;
    this.sweptFiles = parts.sweptFiles;
    this.#directories = parts.directories;
    this.#daemons = parts.daemons;
    this.#lock = parts.lock;
    this.#seat = parts.seat;
    this.#changes = new ChangeLock(parts.daemons);
    this.#thread = parts.thread;
    this.#heldFiles = parts.heldFiles;
    this.#reserveBytes = options.reserveBytes;
    this.#isShared = options.shared ?? false;
    this.#space = new SpaceGauge(this.root, options.reserveBytes);
    this.#site = {
      incoming: this.#seat.incoming,
      directories: this.#directories,
      journal: this.journal,
      paths: this.#paths,
      space: this.#space,
      chunks: new ChunkPool(),
      isDirect: parts.isDirect,
    };
  }

  /** Makes what is missing (the directory above `root` must be there: a volume that is not mounted is not made up
   *  for on the system disk), takes a seat, sweeps what its last holder was receiving and reads its journal. */
  static async open(root: string, options: StorageOptions): Promise<StorageArea> {
    const { shared = false } = options;
    const directories = await openRoot(root);
    let lock: FileLock | undefined;
    let seat: Seat | undefined;
    try {
      const incoming = await directories.pin('incoming');
      await directories.pin('journal');
      const daemons = await directories.pin(LOCKS_FOLDER);
      await checkOneVolume(directories, incoming);
      await daemons.flush();
      lock = lockArea(directories.root, daemons, shared);
      seat = await Seat.takeFirst(directories, daemons);
      await seat.incoming.flush();
      await checkWritable(seat.incoming);
      const isDirect = await takesDirectWrites(seat.incoming);
      const sweptFiles = await seat.sweep();
      const thread = new PlacingThread();
      // Beside others, who take what has a name for a whole file.
      const heldFiles = new HeldFiles(directories, thread, shared ? seat.incoming : undefined);
      const journal = await Journal.open(seat.journal, (slot) => heldFiles.flush(slot));
      const parts = { directories, daemons, lock, seat, journal, thread, heldFiles, sweptFiles, isDirect };
      return new StorageArea(parts, options);
    } catch (error) {
      await seat?.release();
      lock?.release();
      await directories.close();
      throw storageErrorOf(error, `opening ${root}`);
    }
  }

  /** Goes through what daemons that have gone have left behind. What `see` has seen to, to the end and without an
   *  error, is not there the next time. */
  async adopt(see: (left: Abandoned) => Promise<void>): Promise<void> {
    for (const number of await Seat.numbers(this.#directories, this.#seat.number)) {
      const seat = await Seat.take(this.#directories, this.#daemons, number);
      if (seat === undefined) continue;
      try {
        if (!(await seat.isEmpty())) await this.#adoptSeat(seat, see);
      } finally {
        await seat.release();
      }
    }
  }

  /** Runs `work` while no other daemon, and nobody else in this one, replaces or moves what has its place. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.run('change', work);
  }

  /** Other daemons may work on the area. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** Runs `work`, which gives files to instances and tells the catalogue, while no other daemon is in `withoutPlacing`.
   *  Within one daemon its own locks see to that. */
  whilePlacing<T>(work: () => Promise<T>): Promise<T> {
    return this.#isShared ? this.#changes.runTogether('place', work) : work();
  }

  /** Runs `work`, which takes instances out of the catalogue and moves their files, or the other way round, while no
   *  other daemon places, replaces or moves anything. */
  withoutPlacing<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isShared) return work();
    return this.#changes.runBeforeOthers('place', () => this.exclusively(work));
  }

  /** Runs `work` while no other daemon, and nobody else in this one, deletes, restores or empties the trash. */
  aloneInTrash<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.run('trash', work);
  }

  /** Runs `work`, which may take hours, unless another daemon is reading everything again: then undefined, at once. */
  aloneChecking<T>(work: () => Promise<T>): Promise<{ readonly result: T } | undefined> {
    return this.#changes.runIfFree('check', work);
  }

  /** Throws when another daemon may have taken over from this one by now, so that nothing may be acknowledged; a
   *  promise only when it must be looked up. Call when what is to be acknowledged is on the disk. */
  checkSeat(): void | Promise<void> {
    return this.#seat.check();
  }

  /** Throws `no-space` below the reserve, `io` after a failed flush, `unusable` when the area has been tampered with;
   *  a promise only when the volume must be asked. */
  checkSpace(): void | Promise<void> {
    this.#checkSound();
    return this.#space.check();
  }

  /** Throws `unusable` when the area is not, at this very moment, where it was opened. */
  checkInPlace(): void {
    this.#checkSound(true);
  }

  /** Receives an instance, a large one into incoming/. On any failure, of the source as well, nothing is left. */
  async spool(head: SpoolHead, source: ByteSource): Promise<Spooled> {
    this.#checkSound();
    return await spool(this.#site, head, source);
  }

  /** Sees to it that nothing but the disk can keep a file from being made at `path`; a promise only when there is
   *  something to be done. */
  makeRoom(path: string): void | Promise<void> {
    const { directory } = splitAreaPath(path);
    if (this.#directories.isOpen(directory)) return undefined;
    return this.#directories.use(directory, async () => {});
  }

  /** Makes files of what the durable record holds; never overwrites. Throws when any could not be made; asked again,
   *  the others are `same`. They are on the disk before the record gives up their bytes. */
  placeHeld(instances: readonly HeldInstance[]): Promise<Placement[]> {
    return this.#heldFiles.place(instances);
  }

  /** Tells of an instance that an earlier run has placed, so that it is flushed before the record gives it up. */
  placedBefore(held: Held, path: string): void {
    this.#heldFiles.placedBefore(held, path);
  }

  /** The bytes that the durable record holds. */
  async readHeld(held: Held): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(held.bytes);
    if ((await readFully(held.fd, bytes, held.contentAt)) === held.bytes) return bytes;
    throw new StorageError('io', `${held.slot} is shorter than what was written to it`);
  }

  /** The same as an instance that waits for its place. */
  async spoolHeld({ held, sealedHead }: Omit<HeldInstance, 'path'>): Promise<Spooled> {
    const head = { bytes: sealedHead, seal: () => {} };
    return new Spooled(this.#site, { head, fileBytes: held.bytes, unwritten: await this.readHeld(held) });
  }

  /** Opens a stored file for reading; it is a plain file inside the area, reached without any symbolic link. */
  async open(path: string): Promise<OpenFile> {
    splitAreaPath(path);
    const realPath = `${this.root}/${path}`;
    let file: OpenFile | undefined;
    try {
      file = await OpenFile.open(realPath, READ_FLAGS);
      const found = realPathOf(file.fd);
      // Removed or superseded since it was opened is fine: the content is still what it was.
      if (file.stat().isFile() && (found === realPath || found === `${realPath} (deleted)`)) return file;
    } catch (error) {
      file?.close();
      throw storageErrorOf(error, path);
    }
    file.close();
    throw new StorageError('bad-path', `${path}: not a plain file, or reached through a symbolic link`);
  }

  /** Gives the owner of a plain file the right to read and write it, its group to read it, and others none. */
  async allowReading(path: string): Promise<void> {
    const { directory, name } = splitAreaPath(path);
    try {
      await this.#directories.useExisting(directory, async (inside) => {
        // On the file itself: never through a symbolic link.
        if (!(await lstat(inside.at(name))).isFile())
          throw new StorageError('bad-path', `${path} is no file`);
        await chmod(inside.at(name), FILE_MODE);
      });
    } catch (error) {
      throw storageErrorOf(error, `permissions of ${path}`);
    }
  }

  /** Names of the directories in one of the area, sorted. */
  async directoriesIn(path: string): Promise<string[]> {
    return this.#directories.useExisting(path, async (inside) => {
      const entries = await readdir(inside.at('.'), { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
    });
  }

  /** How much room the volume has, and how much of it is never used. */
  async space(): Promise<Space> {
    const { bavail, blocks, bsize } = await statfs(this.root);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, reserveBytes: this.#reserveBytes };
  }

  /** Gives a file another name, flushed, never overwriting: to trash/ or quarantine/, and back. */
  async move(from: string, to: string): Promise<void> {
    await this.#paths.run(from, () => moveFile(this.#directories, from, to));
  }

  /** Removes the directory of a file that has gone, and those above, as far as nothing is in them. */
  async removeEmptyDirectories(path: string): Promise<void> {
    await removeEmptyDirectories(this.#directories, splitAreaPath(path).directory);
  }

  /** Resolves when the file that has this name, whoever gave it, is on the disk under it. */
  async flushInPlace(path: string): Promise<void> {
    await flushInPlace(this.#directories, path);
  }

  /** Brings back the state before a replacement that was interrupted and never acknowledged, wherever it stopped. */
  async undoReplacement(path: string, supersededPath: string): Promise<void> {
    await this.#paths.run(path, () => undoReplacement(this.#directories, path, supersededPath));
  }

  /** Every file under a directory of the area, in no particular order, without holding a list of them. */
  walk(directory = 'studies'): AsyncGenerator<WalkEntry> {
    return walk(this.root, directory);
  }

  /** The directories below one of the area in the order of their paths, from the one behind `after` on. */
  walkInOrder(directory: string, after: string | undefined): AsyncGenerator<ListedDirectory> {
    return walkInOrder(this.root, directory, after);
  }

  /** Destroys what lies in one directory of trash/; following no link. The only way on which stored bytes ever go. */
  async emptyTrash(name: string): Promise<void> {
    splitAreaPath(`trash/${name}`);
    try {
      await this.#directories.use('trash', async (trash) => {
        await rm(trash.at(name), { recursive: true, force: true });
        await trash.flush();
      });
    } catch (error) {
      throw storageErrorOf(error, `removing trash/${name}`);
    }
  }

  /** After everything received has been placed or discarded. */
  async close(): Promise<void> {
    try {
      await this.journal.close();
    } finally {
      await this.#thread.close();
      await this.#seat.release();
      this.#lock.release();
      await this.#directories.close();
    }
  }

  async #adoptSeat(seat: Seat, see: (left: Abandoned) => Promise<void>): Promise<void> {
    const sweptFiles = await seat.sweep();
    const journal = await Journal.open(seat.journal, (slot) => this.#heldFiles.flush(slot), {
      append: false,
    });
    try {
      await see({ journal, sweptFiles });
    } finally {
      await journal.close();
    }
  }

  /** What is written into a removed directory would be gone with the next start, and nobody would notice. */
  #checkSound(lookNow = false): void {
    this.#directories.checkFault();
    this.#heldFiles.checkFault();
    for (const directory of [this.#seat.incoming, this.#seat.journal]) {
      if (directory.isInPlace(lookNow)) continue;
      const words = 'has been moved or removed while in use; put it back or start the daemon again';
      throw new StorageError('unusable', `${directory.realPath} ${words}`);
    }
  }
}

async function openRoot(root: string): Promise<Directories> {
  try {
    await makeDirectory(root, 0o750);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') {
      throw storageErrorOf(error, `archive directory ${root} cannot be made (is the volume mounted?)`);
    }
  }
  try {
    return await Directories.open(root);
  } catch (error) {
    throw storageErrorOf(error, `archive directory ${root} cannot be opened`);
  }
}

/** Links do not reach across volumes: found out now rather than with the first instance. */
async function checkOneVolume(directories: Directories, incoming: Directory): Promise<void> {
  const { dev } = await incoming.identity();
  for (const path of KEEPING_DIRECTORIES) {
    const other = await directories.use(path, (directory) => directory.identity());
    if (other.dev === dev) continue;
    throw new StorageError('unusable', `${directories.root}: incoming/ and ${path}/ must lie on one volume`);
  }
}

/** Makes a file and removes it again. A full volume passes: what it holds can still be found and sent. */
async function checkWritable(incoming: Directory): Promise<void> {
  const probe = new IncomingFile(incoming);
  try {
    await probe.write(Buffer.alloc(0), 0);
  } catch (error) {
    if (codeOf(error) !== 'no-space') throw error;
  }
  await probe.remove();
}

/** Some file systems refuse the flag, some a write with it; either way everything goes the other way then. A full
 *  volume cannot say, and takes nothing in either. */
async function takesDirectWrites(incoming: Directory): Promise<boolean> {
  const probe = new IncomingFile(incoming, true);
  try {
    await probe.write(alignedBuffer(DIRECT_BLOCK_BYTES), 0);
    return true;
  } catch (error) {
    const { cause } = error as StorageError;
    if (codeOf(error) === 'no-space' || codeOf(cause) === 'EINVAL') return false;
    throw error;
  } finally {
    await probe.remove();
  }
}
