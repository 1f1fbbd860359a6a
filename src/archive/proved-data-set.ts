// The data set bytes of an instance on their way to another archive, hashed as they are read: the last of them are given
// out only when all are those that were received, so that nobody ever holds damaged ones for whole.

import { createHash } from 'node:crypto';
import type { InstanceLocation } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import type { FileRange } from '../util/file-range.ts';
import { ArchiveError } from './errors.ts';
import { openDataSet } from './stored-instance.ts';

/** Owns the file: close it whatever happens. */
export class ProvedDataSet {
  readonly #range: FileRange;
  readonly #instance: InstanceLocation;
  readonly #onDamaged: () => void;
  readonly #hash = createHash('sha256');

  private constructor(range: FileRange, instance: InstanceLocation, onDamaged: () => void) {
    this.#range = range;
    this.#instance = instance;
    this.#onDamaged = onDamaged;
  }

  /** Throws as `openDataSet`. `onDamaged` is called when the bytes cannot be had as they were received. */
  static async open(
    storage: StorageArea,
    instance: InstanceLocation,
    onDamaged: () => void,
  ): Promise<ProvedDataSet> {
    try {
      return new ProvedDataSet(await openDataSet(storage, instance), instance, onDamaged);
    } catch (error) {
      onDamaged();
      throw error;
    }
  }

  get remaining(): number {
    return this.#range.remaining;
  }

  /** As FileRange.fill. Throws ArchiveError 'instance-damaged' instead of the last bytes of other content. */
  async fill(slices: readonly Buffer[]): Promise<{ bytes: number; end: boolean }> {
    const filled = await this.#read(slices);
    let left = filled.bytes;
    for (const slice of slices) {
      this.#hash.update(left < slice.length ? slice.subarray(0, left) : slice);
      left = Math.max(0, left - slice.length);
    }
    if (!filled.end || this.#hash.digest('hex') === this.#instance.location.sha256) return filled;
    this.#onDamaged();
    throw damaged(this.#instance);
  }

  close(): void {
    this.#range.close();
  }

  async #read(slices: readonly Buffer[]): Promise<{ bytes: number; end: boolean }> {
    try {
      return await this.#range.fill(slices);
    } catch (error) {
      this.#onDamaged();
      throw error;
    }
  }
}

/** For a file whose bytes are not those that were received. */
export function damaged({ sopInstanceUid, location }: InstanceLocation): ArchiveError {
  return new ArchiveError(
    'instance-damaged',
    `The file of instance ${sopInstanceUid} (${location.path}) is not what was received; it is not sent. ` +
      'It becomes a finding of the integrity check, which repairs it where it can.',
  );
}
