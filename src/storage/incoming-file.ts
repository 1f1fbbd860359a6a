// One file in incoming/ while it is being received.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { awaitedLater } from '../util/promises.ts';
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

export class IncomingFile {
  readonly path: string;
  readonly #name: string;
  readonly #opening: Promise<number>;
  #ended = false;
  #hasName = true;

  /** Begins to make the file at once and does not wait: the caller has other things to do meanwhile. */
  constructor(incoming: Directory) {
    this.#name = `${randomBytes(16).toString('hex')}.part`;
    this.path = incoming.at(this.#name);
    this.#opening = awaitedLater(openDescriptor(this.path, FLAGS, MODE));
  }

  write(bytes: Buffer, position: number): Promise<void> {
    return this.#call('write', async (fd) => writeFully(fd, bytes, position));
  }

  read(target: Buffer, position: number): Promise<number> {
    return this.#call('read', (fd) => readFully(fd, target, position));
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
      return; // never came to be, and whoever wanted to write has been told
    }
    const work = [closeDescriptor(fd)];
    if (unlink && this.#hasName) work.push(unlinkFile(this.path));
    try {
      await allEnded(work);
    } catch (error) {
      throw storageErrorOf(error, `removal of incoming/${this.#name}`);
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
