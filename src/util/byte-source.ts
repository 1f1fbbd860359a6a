// A bounded queue of byte slices between a socket and a disk: slices pass through without being copied.

import { PacsError } from './errors.ts';
import { hold, release } from './received-memory.ts';

/** What is there now; undefined at the end. */
export type Slices = readonly Buffer[] | undefined;

/** Bytes to be pulled. `read` gives what is available, a promise only when that is to come; it fails when the bytes
 *  cannot be had any more (the association died, the file vanished). */
export interface ByteSource {
  read(): Slices | Promise<Slices>;
  /** Whoever read a slice and is the only one to have it says that nobody looks at it any more. */
  release?(slice: Buffer): void;
}

const HIGH_WATER_BYTES = 1 << 20;

/** A ByteSource that is filled from the other side. `push` returns a promise when the reader is behind. */
export class ByteQueue implements ByteSource {
  #slices: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #drained = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  #room: { promise: Promise<void>; open: () => void } | undefined;
  readonly #highWaterBytes: number;

  constructor(highWaterBytes = HIGH_WATER_BYTES) {
    this.#highWaterBytes = highWaterBytes;
  }

  /** Adds one slice; wait for the returned promise, if any, before the next. */
  push(slice: Buffer): Promise<void> | undefined {
    if (this.#drained || this.#error !== undefined || slice.length === 0) return undefined;
    hold(slice);
    this.#slices.push(slice);
    this.#bytes += slice.length;
    this.#wake?.();
    if (this.#bytes < this.#highWaterBytes) return undefined;
    this.#room ??= gate();
    return this.#room.promise;
  }

  /** No more slices will come. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** What is left cannot be had: readers get `error`, writers are let go. */
  fail(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#drop();
    this.#wake?.();
  }

  /** The reader wants nothing more: everything from now on is dropped, so that the writer never waits. */
  drain(): void {
    this.#drained = true;
    this.#drop();
  }

  read(): Slices | Promise<Slices> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#slices.length > 0) {
      const bytes = this.#bytes;
      const taken = this.#take();
      // Bytes that somebody else has released are gone: better no data set than a part of one.
      if (lengthOf(taken) !== bytes) throw new Error('received bytes were released before they were read');
      return taken;
    }
    return this.#ended || this.#drained ? undefined : this.#next();
  }

  async #next(): Promise<Slices> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    return this.read();
  }

  release(slice: Buffer): void {
    release(slice);
  }

  #take(): Buffer[] {
    const taken = this.#slices;
    this.#slices = [];
    this.#bytes = 0;
    this.#room?.open();
    this.#room = undefined;
    return taken;
  }

  #drop(): void {
    for (const slice of this.#take()) release(slice);
  }
}

function lengthOf(slices: readonly Buffer[]): number {
  return slices.reduce((sum, slice) => sum + slice.length, 0);
}

/** A source over bytes already at hand. */
export function byteSourceOf(...slices: Buffer[]): ByteSource {
  let rest: Buffer[] | undefined = slices;
  return {
    read: async () => {
      const taken = rest;
      rest = undefined;
      return taken;
    },
  };
}

function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

/** Everything in one Buffer; rejects with PacsError 'too-long' beyond `maxBytes`. For small things only. */
export async function collect(source: ByteSource, maxBytes: number): Promise<Buffer> {
  const slices: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const read = await source.read();
    if (read === undefined) return slices.length === 1 ? slices[0]! : Buffer.concat(slices);
    for (const slice of read) {
      bytes += slice.length;
      if (bytes > maxBytes)
        throw new PacsError('too-long', `More than ${maxBytes} bytes came where less is due.`);
      slices.push(slice);
    }
  }
}

/** The same bytes, and a promise that settles when they have been read, or cannot be. */
export function watched(dataSet: ByteSource): { source: ByteSource; ended: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = async () => {
    try {
      const slices = await dataSet.read();
      if (slices === undefined) resolve();
      return slices;
    } catch (error) {
      reject(error);
      throw error;
    }
  };
  return { source: { read }, ended: promise };
}
