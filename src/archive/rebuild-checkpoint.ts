// How far a rebuild has come, in a file of its own: after an end by force the next one goes on there.

import { open, readFile, rename, rm } from 'node:fs/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { codeOf } from '../util/errors.ts';

export interface Rebuilt {
  /** Files looked at. */
  readonly files: number;
  /** The catalogue did not hold them. */
  readonly added: number;
  /** The catalogue said something else of them. */
  readonly changed: number;
  /** The catalogue holds instances whose files are not there. */
  readonly gone: number;
  readonly unreadable: number;
}

export interface RebuildState {
  /** Everything up to this directory is in the catalogue. */
  readonly after: string;
  /** An instance of it: a catalogue that does not hold it is another one. */
  readonly lastUid: string;
  readonly counts: Rebuilt;
}

const EVERY_MS = 1000;

export class RebuildCheckpoint {
  readonly #file: string;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
  }

  /** What an earlier rebuild of this catalogue has reached. */
  async resume(catalog: Catalog): Promise<RebuildState | undefined> {
    try {
      const state = JSON.parse(await readFile(this.#file, 'utf8')) as RebuildState;
      return (await catalog.locate(state.lastUid)) === undefined ? undefined : state;
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Written now and then only: what comes behind it is done again. */
  async reached(state: RebuildState): Promise<void> {
    if (performance.now() - this.#writtenAt < EVERY_MS) return;
    this.#writtenAt = performance.now();
    const file = await open(`${this.#file}.new`, 'w');
    try {
      await file.writeFile(JSON.stringify(state));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${this.#file}.new`, this.#file);
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
