// An instance that has arrived whole in incoming/ and waits for its place.

import { allEnded, awaitedLater } from './file-calls.ts';
import type { IncomingFile } from './incoming-file.ts';
import { placeFile, replaceFile } from './placement.ts';
import type { SpoolSite } from './spool-site.ts';

export interface SpooledParts {
  readonly file: IncomingFile;
  readonly sha256: Buffer;
  readonly fileBytes: number;
  readonly dataSetOffset: number;
  /** A small file as a whole, not yet written. */
  readonly unwritten?: Buffer;
}

export class Spooled {
  /** SHA-256 of the data set bytes, hexadecimal. */
  readonly sha256: string;
  readonly dataSetBytes: number;
  readonly fileBytes: number;
  readonly dataSetOffset: number;
  readonly #site: SpoolSite;
  readonly #file: IncomingFile;
  #unwritten: Buffer | undefined;
  #writing: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(site: SpoolSite, parts: SpooledParts) {
    this.#site = site;
    this.#file = parts.file;
    this.#unwritten = parts.unwritten;
    this.sha256 = parts.sha256.toString('hex');
    this.fileBytes = parts.fileBytes;
    this.dataSetOffset = parts.dataSetOffset;
    this.dataSetBytes = parts.fileBytes - parts.dataSetOffset;
  }

  /** The first bytes of the data set: from memory when it is small, else read back. The caller's own copy. */
  async head(bytes: number): Promise<Buffer> {
    const wanted = Math.min(bytes, this.dataSetBytes);
    if (this.#unwritten !== undefined) {
      return Buffer.from(this.#unwritten.subarray(this.dataSetOffset, this.dataSetOffset + wanted));
    }
    const head = Buffer.allocUnsafe(wanted);
    return head.subarray(0, await this.#file.read(head, this.dataSetOffset));
  }

  /** All bytes are with the operating system: safe from the end of this process, not yet from power loss. */
  write(): Promise<void> {
    this.#writing ??=
      this.#unwritten === undefined
        ? Promise.resolve()
        : this.#file.write(this.#unwritten.subarray(0, this.fileBytes), 0);
    return this.#writing;
  }

  /** All bytes are on the disk. A failure is final: asked again, the operating system would claim success. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush();
    return this.#flushing;
  }

  /** Gives the file its name and flushes both, and resolves when `durable` has as well; never overwrites (`exists`, and
   *  the instance still waits here). Any other failure leaves nothing at `path`. */
  async place(path: string, durable: Promise<unknown> = Promise.resolve()): Promise<void> {
    // A flush that has failed already says so now: asked again, it would claim success.
    await (this.#flushing ?? this.write());
    await placeFile(this.#site.directories, this.#file, path, () => allEnded([this.flush(), durable]));
    // What closing could still say has been said by the flush.
    void awaitedLater(this.#file.close());
    this.#letGo();
  }

  /** Takes the place of the file at `path`, which stays readable at any moment and is kept as `supersededPath`. Both
   *  directories are flushed. A failure leaves everything as it was. */
  async replace(path: string, supersededPath: string): Promise<void> {
    await this.flush();
    await this.#site.paths.run(path, () =>
      replaceFile(this.#site.directories, this.#file.path, path, supersededPath),
    );
    await this.#file.close();
    this.#letGo();
  }

  /** Removes what was received. Nothing happens once it has its place. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#flushing]);
    this.#letGo();
    await this.#file.remove();
  }

  async #flush(): Promise<void> {
    await this.write();
    await this.#file.flush();
  }

  #letGo(): void {
    if (this.#unwritten === undefined) return;
    this.#site.chunks.give(this.#unwritten);
    this.#unwritten = undefined;
  }
}
