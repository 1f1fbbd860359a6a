// The area's side of the placing thread: starts it when there is something to place, and again should it ever end.
import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../util/errors.ts';
import type { FromPlacing, PlaceJob, Placement, PlacingFailure, ToPlacing } from './placing-messages.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

interface Asked {
  resolve(answer: FromPlacing): void;
  reject(error: StorageError): void;
}

export class PlacingThread {
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #asked = new Map<number, Asked>();

  /** Outcomes in the order of the jobs. Throws the first failure; the others may have been placed nevertheless, and
   *  are then `same` when asked for again. */
  async place(jobs: readonly PlaceJob[]): Promise<Placement[]> {
    const { placed } = await this.#ask({ place: jobs, flush: [] });
    return placed.map((outcome, index) => {
      if (typeof outcome === 'string') return outcome;
      throw errorOf(outcome, `placing ${basename(jobs[index]!.to)}`);
    });
  }

  /** Resolves when these files are on the disk. */
  async flush(paths: readonly string[]): Promise<void> {
    const { flushFailure } = await this.#ask({ place: [], flush: paths });
    if (flushFailure !== undefined) throw errorOf(flushFailure, 'flushing placed instances');
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(message: Omit<ToPlacing, 'id'>): Promise<FromPlacing> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ ...message, id } satisfies ToPlacing);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./placing-worker.ts', import.meta.url), { name: 'placing' });
    let reason = 'it ended';
    worker.on('message', (answer: FromPlacing) => {
      this.#asked.get(answer.id)?.resolve(answer);
      this.#asked.delete(answer.id);
    });
    worker.on('error', (error) => {
      reason = messageOf(error);
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      for (const { reject } of this.#asked.values()) {
        reject(new StorageError('io', `the thread that places instances has failed: ${reason}`));
      }
      this.#asked.clear();
    });
    return worker;
  }
}

function errorOf({ code, message }: PlacingFailure, what: string): StorageError {
  return storageErrorOf(code === undefined ? message : Object.assign(new Error(message), { code }), what);
}
