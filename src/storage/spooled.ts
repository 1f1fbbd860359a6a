// An instance that has arrived whole, in incoming/ or still in memory, and waits for its place.

import { hash } from 'node:crypto';
import { type ByteSource, byteSourceOf } from '../util/byte-source.ts';
import { awaitedLater } from '../util/promises.ts';
import { CHUNK_BYTES } from './chunk-pool.ts';
import { IncomingFile } from './incoming-file.ts';
import type { Held } from './journal.ts';
import { placeFile, replaceFile } from './placement.ts';
import type { SpoolSite } from './spool-site.ts';
import { StorageError } from './storage-error.ts';

/** What goes before the data set: written blank, completed by `seal` in place once hash (SHA-256, hexadecimal) and length
 *  are known. */
export interface SpoolHead {
  readonly bytes: Buffer;
  seal(sha256: string, dataSetBytes: number): void;
}

/** A large instance has a file, and its hash is known; a small one is in memory. */
export type SpooledParts = { readonly head: SpoolHead; readonly fileBytes: number } & (
  | { readonly file: IncomingFile; readonly sha256: string; readonly beginning: Buffer }
  | { readonly unwritten: Buffer }
);

export class Spooled {
  readonly dataSetBytes: number;
  readonly fileBytes: number;
  readonly dataSetOffset: number;
  readonly #site: SpoolSite;
  readonly #head: SpoolHead;
  #sha256: string | undefined;
  #file: IncomingFile | undefined;
  #unwritten: Buffer | undefined;
  /** The first bytes of the file. */
  readonly #beginning: Buffer;
  #holding: Promise<unknown> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(site: SpoolSite, parts: SpooledParts) {
    this.#site = site;
    this.#head = parts.head;
    if ('file' in parts) {
      this.#file = parts.file;
      this.#sha256 = parts.sha256;
      this.#beginning = parts.beginning;
    } else {
      this.#unwritten = parts.unwritten;
      this.#beginning = parts.unwritten.subarray(0, parts.fileBytes);
    }
    this.fileBytes = parts.fileBytes;
    this.dataSetOffset = parts.head.bytes.length;
    this.dataSetBytes = parts.fileBytes - this.dataSetOffset;
  }

  /** SHA-256 of the data set bytes, hexadecimal; a small instance is hashed when somebody asks. */
  get sha256(): string {
    return this.#sealed();
  }

  /** What the file begins with, hash and length filled in. */
  get sealedHead(): Buffer {
    this.#sealed();
    return this.#head.bytes;
  }

  /** Whether it is still in memory as a whole, and can be held by the durable record. */
  get isSmall(): boolean {
    return this.#unwritten !== undefined;
  }

  /** The first bytes of the data set. Of a small instance it is the memory itself, as long as the instance waits. */
  head(bytes: number): Buffer | Promise<Buffer> {
    const wanted = Math.min(bytes, this.dataSetBytes);
    const end = this.dataSetOffset + wanted;
    if (end <= this.#beginning.length) return this.#beginning.subarray(this.dataSetOffset, end);
    return this.#readHead(Buffer.allocUnsafe(wanted));
  }

  /** The data set bytes, to be read to their end before `place` or `discard`. */
  source(): ByteSource {
    if (this.#unwritten !== undefined) return byteSourceOf(this.#memory().subarray(this.dataSetOffset));
    const file = this.#incoming();
    let position = this.dataSetOffset;
    return {
      read: async () => {
        if (position >= this.fileBytes) return undefined;
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.fileBytes - position));
        const bytes = await file.read(chunk, position);
        if (bytes < chunk.length) throw new StorageError('unusable', `${file.path} is shorter than it was`);
        position += bytes;
        return [chunk];
      },
    };
  }

  /** Puts a small instance as a whole into the durable record, together with `note`: safe from then on, without a file
   *  of its own. Its head goes there unsealed, so that the hash can be made while the disk writes. Its memory stays
   *  what it is until `discard`: whoever reads the head may not be done when the disk is. */
  hold(note: string): Promise<Held> {
    const holding = this.#site.journal.append(note, this.#memory());
    this.#holding = holding;
    return holding;
  }

  /** All bytes are on the disk. A failure is final: asked again, the operating system would claim success. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush();
    return this.#flushing;
  }

  /** Flushes, gives the file its name and flushes that; never overwrites (`exists`, and the instance still waits here).
   *  Any other failure leaves nothing at `path`. */
  async place(path: string): Promise<void> {
    await this.flush();
    const file = this.#incoming();
    await placeFile(this.#site.directories, file, path);
    // What closing could still say has been said by the flush.
    void awaitedLater(file.close());
    this.letGo();
  }

  /** Takes the place of the file at `path`, which stays readable at any moment and is kept as `supersededPath`. Both
   *  directories are flushed. A failure leaves everything as it was. */
  async replace(path: string, supersededPath: string): Promise<void> {
    await this.flush();
    const file = this.#incoming();
    await this.#site.paths.run(path, () =>
      replaceFile(this.#site.directories, file.path, path, supersededPath),
    );
    await file.close();
    this.letGo();
  }

  /** Nobody looks at its memory any more: it is held, or has its place. */
  letGo(): void {
    if (this.#unwritten === undefined) return;
    this.#site.chunks.give(this.#unwritten);
    this.#unwritten = undefined;
  }

  /** Removes what was received and lets go of its memory. Nothing happens to what has its place or is held. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#holding, this.#flushing]);
    this.letGo();
    await this.#file?.remove();
  }

  async #readHead(head: Buffer): Promise<Buffer> {
    return head.subarray(0, await this.#incoming().read(head, this.dataSetOffset));
  }

  async #flush(): Promise<void> {
    const file = this.#incoming();
    if (this.#unwritten !== undefined) {
      this.sealedHead.copy(this.#unwritten);
      await file.write(this.#memory(), 0);
    }
    await file.flush();
  }

  #sealed(): string {
    if (this.#sha256 === undefined) {
      this.#sha256 = hash('sha256', this.#memory().subarray(this.dataSetOffset), 'hex');
      this.#head.seal(this.#sha256, this.dataSetBytes);
    }
    return this.#sha256;
  }

  #memory(): Buffer {
    if (this.#unwritten === undefined) throw new StorageError('closed', 'this instance is not in memory');
    return this.#unwritten.subarray(0, this.fileBytes);
  }

  #incoming(): IncomingFile {
    this.#file ??= new IncomingFile(this.#site.incoming);
    return this.#file;
  }
}
