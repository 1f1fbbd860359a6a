// One open directory of the area: names are reached through its descriptor, its flush is shared.
import { readlinkSync } from 'node:fs';
import { allEnded, type FileIdentity, identityOfDescriptor } from './file-calls.ts';
import { SharedFlush } from './shared-flush.ts';

const LOOK_AGAIN_MS = 1000;

/** Where the kernel says this descriptor is: what no symbolic link can bend. Never waits for a disk. */
export function realPathOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

export class Directory {
  /** Relative to the root of the area; '' is the root itself. */
  readonly path: string;
  readonly fd: number;
  readonly parent: Directory | undefined;
  readonly realPath: string;
  readonly #flushes: SharedFlush;
  #nameFlushed: boolean;
  #seenAt: number;

  /** `flush` is the system call with its failure already in words. */
  constructor(
    path: string,
    realPath: string,
    fd: number,
    parent: Directory | undefined,
    flush: () => Promise<void>,
  ) {
    this.path = path;
    this.fd = fd;
    this.parent = parent;
    this.realPath = realPath;
    this.#flushes = new SharedFlush(flush);
    this.#nameFlushed = parent === undefined;
    this.#seenAt = Number.NEGATIVE_INFINITY;
  }

  /** A path to `name` in exactly this directory, whatever happens to the directories above it: what openat(2) is
   *  elsewhere. */
  at(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** False when somebody has moved, removed or replaced the directory. Looked up once a second: a move within that
   *  second is no different from one just after it. */
  isInPlace(lookNow: boolean): boolean {
    const now = performance.now();
    if (!lookNow && now - this.#seenAt < LOOK_AGAIN_MS) return true;
    if (realPathOf(this.fd) !== this.realPath) return false;
    this.#seenAt = now;
    return true;
  }

  /** Every name made or removed in here before this call is on the disk afterwards. The first time, so are the name
   *  of the directory itself and of those above it: whoever made it may have died before flushing. */
  flush(): Promise<void> {
    if (this.#nameFlushed) return this.#flushes.request();
    return allEnded([this.#flushes.request(), this.#flushName()]);
  }

  identity(): Promise<FileIdentity> {
    return identityOfDescriptor(this.fd);
  }

  async #flushName(): Promise<void> {
    await this.parent?.flush();
    this.#nameFlushed = true;
  }
}
