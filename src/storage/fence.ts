// On a volume of another machine a lock can be lost without its holder knowing: the network is cut, the server gives the
// lock to somebody else, and what was held up is written after all. So who takes a seat there says so in a file, waits,
// and only then reads what was left; and whoever acknowledges has looked at that file a moment before.

import { randomUUID } from 'node:crypto';
import { constants, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Directory } from './directory.ts';
import {
  closeDescriptor,
  flushAll,
  openDescriptor,
  readFully,
  truncateDescriptor,
  writeFully,
} from './file-calls.ts';
import { BOOT_ID } from './journal-slot.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

const LOOK_EVERY_MS = 2000;
/** A look that began no longer ago than this counts. */
const SURE_MS = 5000;
/** Longer than that, for clocks that differ. */
const WAIT_MS = 10_000;
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const MODE = 0o640;
const MAX_BYTES = 256;

/** File systems of this machine alone (statfs(2)): ext, xfs, btrfs, tmpfs, overlayfs, f2fs, zfs. There the kernel
 *  drops a lock with its process and with nothing else. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1]);

export async function isLocal(path: string): Promise<boolean> {
  return LOCAL.has((await statfs(path)).type >>> 0);
}

export interface FenceOptions {
  /** The file; it is made when it is missing. */
  readonly path: string;
  readonly name: string;
  readonly waitMs?: number;
}

export class Fence {
  readonly #options: FenceOptions;
  readonly #token = `${BOOT_ID} ${randomUUID()}`;
  #timer: NodeJS.Timeout | undefined;
  #sureAt = never();
  #isLost = false;

  private constructor(options: FenceOptions) {
    this.#options = options;
  }

  /** Call while holding the lock. Resolves when nobody can acknowledge any more who held it before. */
  static async raise(options: FenceOptions): Promise<Fence> {
    const fence = new Fence(options);
    const before = await fence.#withFile(async (fd) => {
      const text = await read(fd);
      await writeFully(fd, Buffer.from(fence.#token), 0);
      await flushAll(fd);
      return text;
    });
    // Of another process of this machine, the kernel itself says that it has gone.
    if (before !== '' && !before.startsWith(BOOT_ID)) await pause(options.waitMs ?? WAIT_MS);
    await fence.#look();
    fence.#timer = setInterval(() => fence.#look().catch(() => undefined), LOOK_EVERY_MS).unref();
    return fence;
  }

  /** Throws when somebody else may have read what was left here by now; a promise only when it must be looked up.
   *  Call after what is to be acknowledged is on the disk. */
  check(): void | Promise<void> {
    if (this.#isLost) throw this.#lost();
    const now = clocks();
    // Suspended, one clock stands still and the other one jumps.
    const isSure = now.every((at, clock) => Math.abs(at - this.#sureAt[clock]!) < SURE_MS);
    return isSure ? undefined : this.#look();
  }

  /** Nothing is left behind: the next one need not wait. */
  async lower(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#isLost) await this.#withFile((fd) => truncateDescriptor(fd, 0));
  }

  async #look(): Promise<void> {
    const began = clocks();
    const text = await this.#withFile(read);
    if (text !== this.#token) this.#isLost = true;
    if (this.#isLost) throw this.#lost();
    this.#sureAt = began;
  }

  async #withFile<T>(work: (fd: number) => Promise<T>): Promise<T> {
    const { path, name } = this.#options;
    try {
      const fd = await openDescriptor(path, FLAGS, MODE);
      try {
        return await work(fd);
      } finally {
        await closeDescriptor(fd);
      }
    } catch (error) {
      throw storageErrorOf(error, name);
    }
  }

  #lost(): StorageError {
    clearInterval(this.#timer);
    const words = `${this.#options.name}: another daemon has taken over from this one, which was cut off; start it again`;
    return new StorageError('unusable', words);
  }
}

/** The fence of a seat, where one is needed: on a volume of another machine, or when this machine is the server and
 *  the seat was held from another one. */
export async function fenceFor(daemons: Directory, seat: number): Promise<Fence | undefined> {
  const name = `${seat}.holder`;
  const path = daemons.at(name);
  const heldFromAfar = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  if (!heldFromAfar && (await isLocal(daemons.at('.')))) return undefined;
  return Fence.raise({ path, name: `daemons/${name}` });
}

async function read(fd: number): Promise<string> {
  const bytes = Buffer.alloc(MAX_BYTES);
  return bytes.toString('latin1', 0, await readFully(fd, bytes, 0));
}

function clocks(): readonly [number, number] {
  return [performance.now(), Date.now()];
}

function never(): readonly [number, number] {
  return [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
}
