// One file in incoming/ while it is being received.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { awaitedLater } from '../util/promises.ts';
import { DIRECT_FLAG, wholeBlocks } from './direct-write.ts';
import type { Directory } from './directory.ts';
import {
  allEnded,
  closeDescriptor,
  flushData,
  openDescriptor,
  readFully,
  unlinkFile,
  writeFully,
} from './file-calls.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

const MODE = 0o640;
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const NAME = /^[0-9a-f]{32}\.part$/;

/** Whether a name in incoming/ is one of ours; what people put there by mistake is not. */
export function isIncomingName(name: string): boolean {
  return NAME.test(name);
}

export function newIncomingName(): string {
  return `${randomBytes(16).toString('hex')}.part`;
}

export class IncomingFile {
  readonly path: string;
  readonly isDirect: boolean;
  readonly #name: string;
  readonly #opening: Promise<number>;
  #ended = false;
  #hasName = true;

  /** Begins to make the file at once and does not wait: the caller has other things to do meanwhile. A `direct` one
   *  takes whole blocks from aligned memory only (`writeChunk`), and its own descriptor cannot be read. */
  constructor(incoming: Directory, isDirect = false) {
    this.#name = newIncomingName();
    this.path = incoming.at(this.#name);
    this.isDirect = isDirect;
    this.#opening = awaitedLater(openDescriptor(this.path, isDirect ? FLAGS | DIRECT_FLAG : FLAGS, MODE));
  }

  write(bytes: Buffer, position: number): Promise<void> {
    return this.#call('write', async (fd) => writeFully(fd, bytes, position));
  }

  /** Writes the first `bytes` of an aligned chunk at a block boundary; what is not whole blocks is the file's end. */
  writeChunk(chunk: Buffer, bytes: number, position: number): Promise<void> {
    const whole = wholeBlocks(bytes);
    if (!this.isDirect || whole === bytes) return this.write(chunk.subarray(0, bytes), position);
    return this.#call('write', async (fd) => {
      await writeFully(fd, chunk.subarray(0, whole), position);
      await this.#plainly(constants.O_WRONLY, (plain) =>
        writeFully(plain, chunk.subarray(whole, bytes), position + whole),
      );
    });
  }

  read(target: Buffer, position: number): Promise<number> {
    return this.#call('read', (fd) =>
      this.isDirect
        ? this.#plainly(constants.O_RDONLY, (plain) => readFully(plain, target, position))
        : readFully(fd, target, position),
    );
  }

  flush(): Promise<void> {
    return this.#call('flush', flushData);
  }

  /** Takes the name out of incoming/; the file is still open, and flushed under another name. */
  unlink(): Promise<void> {
    this.#hasName = false;
    return this.#call('removal', () => unlinkFile(this.path));
  }

  /** Closes the file; its name in incoming/ has been renamed away. */
  close(): Promise<void> {
    return this.#end(false);
  }

  /** Closes the file and takes its name out of incoming/. */
  remove(): Promise<void> {
    return this.#end(true);
  }

  async #end(unlink: boolean): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    let fd: number;
    try {
      fd = await this.#opening;
    } catch {
      // Whoever wanted to write has been told. A file system that refuses direct writing makes the file nevertheless.
      await Promise.allSettled([unlinkFile(this.path)]);
      return;
    }
    const work = [closeDescriptor(fd)];
    if (unlink && this.#hasName) work.push(unlinkFile(this.path));
    try {
      await allEnded(work);
    } catch (error) {
      throw storageErrorOf(error, `removal of incoming/${this.#name}`);
    }
  }

  /** On another descriptor, for what a direct one does not take. */
  async #plainly<T>(access: number, work: (fd: number) => Promise<T>): Promise<T> {
    const fd = await openDescriptor(this.path, access | constants.O_NOFOLLOW);
    try {
      return await work(fd);
    } finally {
      await closeDescriptor(fd);
    }
  }

  async #call<T>(what: string, work: (fd: number) => Promise<T>): Promise<T> {
    if (this.#ended)
      throw new StorageError('closed', `${what} of incoming/${this.#name}: it is no longer there`);
    try {
      return await work(await this.#opening);
    } catch (error) {
      throw storageErrorOf(error, `${what} of incoming/${this.#name}`);
    }
  }
}
