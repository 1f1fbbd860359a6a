// Opens plain files with blocking calls, for threads that do nothing but read. Of files that lie together only the first
// asks where its directory really is.

import { closeSync, constants, openSync, readlinkSync } from 'node:fs';

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const DIRECTORY_FLAGS = FLAGS | constants.O_DIRECTORY;

export class PlainFiles {
  #directory: { readonly path: string; readonly fd: number } | undefined;

  /** A descriptor of the file at this absolute path; undefined when it is reached through a symbolic link. Throws what
   *  the system says. */
  open(path: string): number | undefined {
    const slash = path.lastIndexOf('/');
    const parent = this.#enter(path.slice(0, slash));
    return parent === undefined ? undefined : openSync(`/proc/self/fd/${parent}${path.slice(slash)}`, FLAGS);
  }

  /** Lets go of the directory: what becomes of it meanwhile is seen again. */
  leave(): void {
    if (this.#directory !== undefined) closeSync(this.#directory.fd);
    this.#directory = undefined;
  }

  #enter(path: string): number | undefined {
    if (this.#directory?.path === path) return this.#directory.fd;
    this.leave();
    const fd = openSync(path, DIRECTORY_FLAGS);
    if (readlinkSync(`/proc/self/fd/${fd}`) !== path) {
      closeSync(fd);
      return undefined;
    }
    this.#directory = { path, fd };
    return fd;
  }
}
