// A file opened for reading on a plain descriptor. Only what may wait for a disk goes through the thread pool, opening
// and reading: per small file a FileHandle costs twice as many trips.

import fs from 'node:fs';

export class OpenFile implements Disposable {
  readonly fd: number;
  #reads = 0;
  #isClosed = false;

  private constructor(fd: number) {
    this.fd = fd;
  }

  static open(path: string, flags: number): Promise<OpenFile> {
    return new Promise((resolve, reject) => {
      fs.open(path, flags, (error, fd) => (error ? reject(error) : resolve(new OpenFile(fd))));
    });
  }

  /** What the kernel holds in memory for every open file. */
  stat(): fs.Stats {
    return fs.fstatSync(this.fd);
  }

  /** Fills the buffers, in order, from `position` on as far as the file goes; answers the number of bytes read. */
  read(buffers: readonly Buffer[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#reads += 1;
      fs.readv(this.fd, buffers, position, (error, bytes) => {
        this.#reads -= 1;
        if (this.#isClosed) this.#release();
        if (error) reject(error);
        else resolve(bytes);
      });
    });
  }

  /** Takes effect after the reads that have begun: their descriptor must not become another file's meanwhile. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    if (this.#reads === 0) fs.closeSync(this.fd);
  }
}
