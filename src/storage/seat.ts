// What one daemon has on the volume for itself while others work beside it: a number, a journal folder and a folder for
// what it receives, as long as it holds a lock. When it dies, whoever comes next gets the lock and sees to what is left.

import { opendir } from 'node:fs/promises';
import { FileLock } from '../util/file-lock.ts';
import type { Directories } from './directories.ts';
import type { Directory } from './directory.ts';
import { type Fence, fenceFor } from './fence.ts';
import { unlinkFile } from './file-calls.ts';
import { isIncomingName } from './incoming-file.ts';
import { listSlots } from './journal-slot.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

/** Of locks; nothing in it is ever removed, so that two daemons always mean the same file. */
export const LOCKS_FOLDER = 'daemons';
/** Everybody who works on the area holds it, a daemon that wants to be alone for itself. */
const AREA_LOCK = 'area.lock';

/** The area itself, for one daemon or for several. */
export function lockArea(root: string, daemons: Directory, shared: boolean): FileLock {
  const lock = lockIn(daemons, AREA_LOCK, shared ? 'shared' : 'exclusive');
  if (lock !== undefined) return lock;
  const advice = shared
    ? 'it has an embedded catalogue and must be alone; stop it, or give this one another archive directory'
    : 'stop it, or give this one another archive directory';
  throw new StorageError('in-use', `another daemon is using ${root}; ${advice}`);
}

export class Seat {
  readonly number: number;
  readonly journal: Directory;
  readonly incoming: Directory;
  readonly #lock: FileLock;
  readonly #fence: Fence | undefined;

  private constructor(
    number: number,
    parts: { journal: Directory; incoming: Directory; lock: FileLock; fence: Fence | undefined },
  ) {
    this.number = number;
    this.journal = parts.journal;
    this.incoming = parts.incoming;
    this.#lock = parts.lock;
    this.#fence = parts.fence;
  }

  /** The first that nobody holds, with whatever its last holder has left in it. */
  static async takeFirst(directories: Directories, daemons: Directory): Promise<Seat> {
    for (let number = 1; ; number += 1) {
      const seat = await Seat.take(directories, daemons, number);
      if (seat !== undefined) return seat;
    }
  }

  /** undefined: its holder is alive. */
  static async take(directories: Directories, daemons: Directory, number: number): Promise<Seat | undefined> {
    const lock = lockIn(daemons, `${number}.lock`, 'exclusive');
    if (lock === undefined) return undefined;
    try {
      const fence = await fenceFor(daemons, number);
      const journal = await directories.pin(`journal/${number}`);
      const incoming = await directories.pin(`incoming/${number}`);
      return new Seat(number, { journal, incoming, lock, fence });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Seats that anybody ever had, without `mine`. */
  static async numbers(directories: Directories, mine: number): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { name } of await opendir(`${directories.root}/journal`)) {
      if (/^[1-9]\d{0,5}$/.test(name) && Number(name) !== mine) numbers.push(Number(name));
    }
    return numbers.sort((a, b) => a - b);
  }

  /** Whether there is anything in it to see to. */
  async isEmpty(): Promise<boolean> {
    const { names } = await listSlots(this.journal);
    if (names.length > 0) return false;
    for await (const { name } of await opendir(this.incoming.at('.'))) if (isIncomingName(name)) return false;
    return true;
  }

  /** Removes what was being received when its holder died; answers how many files that were. */
  async sweep(): Promise<number> {
    let swept = 0;
    for await (const { name } of await opendir(this.incoming.at('.'))) {
      if (!isIncomingName(name)) continue;
      await unlinkFile(this.incoming.at(name));
      swept += 1;
    }
    return swept;
  }

  /** Whether this is still ours; see Fence.check. */
  check(): void | Promise<void> {
    return this.#fence?.check();
  }

  async release(): Promise<void> {
    try {
      await this.#fence?.lower();
    } finally {
      this.#lock.release();
    }
  }
}

export function lockIn(daemons: Directory, name: string, kind: 'exclusive' | 'shared'): FileLock | undefined {
  try {
    return FileLock.take(`${daemons.realPath}/${name}`, kind);
  } catch (error) {
    throw storageErrorOf(error, `daemons/${name}`);
  }
}
