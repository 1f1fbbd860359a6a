// Carries stored instances into the catalogue, many in one transaction. What waits here is already durable: the
// journal holds it until the catalogue does, and queries wait for it (see `settled`).

import type { InstanceRecord } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { ArchiveError } from './errors.ts';

const MAX_BATCH = 256;
/** Instances arriving one by one are committed together unless somebody asks for them. */
const GATHER_MS = 40;
/** Nobody asks: the pauses after the first failure, the second and so on. */
const RETRY_MS = [250, 1000, 5000, 15_000];
/** Somebody asks: the pause after any failure. */
const ASKED_AGAIN_MS = 100;
/** Sent as Error Comment (LO, 64 characters). */
const NO_ROOM = 'The catalogue has no room for what came last: free some space.';
const NO_ANSWER = 'The catalogue does not answer at the moment.';

/** The part of the journal this needs: telling it how far the catalogue has come. */
export interface AppliedMarker {
  applied(sequence: number): void;
}

/** Writes records, no UID twice among them, in one transaction. */
export type Ingest = (batch: readonly InstanceRecord[]) => Promise<void>;

interface Entry {
  readonly record: InstanceRecord;
  readonly sequence: number;
}

export class IngestQueue {
  readonly #ingest: Ingest;
  readonly #journal: AppliedMarker;
  readonly #onFault: (message: string) => void;
  #waiting: Entry[] = [];
  /** Sequences in the journal that the catalogue does not hold yet, oldest first. */
  readonly #open = new Set<number>();
  #newest = 0;
  #pushed = 0;
  #written = 0;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: ArchiveError | undefined;
  #failures = 0;
  /** Resolves when the catalogue may be tried again after a failure. */
  #rested: Promise<void> = Promise.resolve();

  constructor(ingest: Ingest, journal: AppliedMarker, onFault: (message: string) => void) {
    this.#ingest = ingest;
    this.#journal = journal;
    this.#onFault = onFault;
  }

  /** A journal record exists; its instance is being placed. */
  opened(sequence: number): void {
    this.#open.add(sequence);
    this.#newest = Math.max(this.#newest, sequence);
  }

  /** The placement behind `sequence` did not happen or needs no indexing. */
  dropped(sequence: number): void {
    this.#close([sequence]);
  }

  push(record: InstanceRecord, sequence: number): void {
    this.#pushed += 1;
    this.#waiting.push({ record, sequence });
    if (this.#waiting.length >= MAX_BATCH && this.#failure === undefined) this.#start();
    else this.#schedule(GATHER_MS);
  }

  /** Resolves when everything pushed before this call is in the catalogue; rejects with 'catalog-unavailable' when
   *  it could not be brought there after this call either. */
  async settled(): Promise<void> {
    const target = this.#pushed;
    // What is being written may fail for a reason that is gone by now.
    await this.#running;
    while (this.#written < target) {
      if (this.#failure !== undefined) await this.#rested;
      this.#start();
      await this.#running;
      if (this.#failure !== undefined && this.#written < target) throw this.#failure;
    }
  }

  /** Instances that are stored and not yet in the catalogue. */
  get depth(): number {
    return this.#open.size;
  }

  /** Writes out what can be written; the journal keeps the rest for the next start. */
  async close(): Promise<void> {
    await this.settled().catch((error: unknown) => {
      this.#onFault(
        `Stopping with ${this.#open.size} instances kept in the durable record: ${messageOf(error)}`,
      );
    });
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#running !== undefined) return;
    this.#timer ??= setTimeout(() => this.#start(), ms);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running !== undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, this.#batchLength());
    this.#running = this.#write(batch).finally(() => {
      this.#running = undefined;
      if (this.#waiting.length > 0) this.#schedule(this.#retryMs());
    });
  }

  /** A batch ends before a SOP Instance UID that is in it already: each content is compared with the one before. */
  #batchLength(): number {
    const uids = new Set<string>();
    for (const { record } of this.#waiting) {
      if (uids.size === MAX_BATCH || uids.has(record.instance.uid)) break;
      uids.add(record.instance.uid);
    }
    return uids.size;
  }

  async #write(batch: Entry[]): Promise<void> {
    try {
      await this.#ingest(batch.map(({ record }) => record));
    } catch (error) {
      if (isRecordFault(error)) await this.#writeOneByOne(batch);
      else this.#retryLater(batch, error);
      return;
    }
    this.#answered(batch.length);
    this.#close(batch.map(({ sequence }) => sequence));
  }

  /** One record that the catalogue cannot take must not keep its neighbours out. It stays in the journal, so that
   *  the next start, perhaps of a mended program, tries it again. */
  async #writeOneByOne(batch: Entry[]): Promise<void> {
    for (const [index, entry] of batch.entries()) {
      try {
        await this.#ingest([entry.record]);
        this.#close([entry.sequence]);
      } catch (error) {
        if (!isRecordFault(error)) {
          this.#retryLater(batch.slice(index), error);
          return;
        }
        this.#onFault(
          `${entry.record.location.path} is stored but the catalogue refuses it: ${messageOf(error)}`,
        );
      }
      this.#answered(1);
    }
  }

  #answered(records: number): void {
    this.#written += records;
    this.#failure = undefined;
    this.#failures = 0;
  }

  #retryLater(batch: Entry[], error: unknown): void {
    this.#waiting = [...batch, ...this.#waiting];
    if (this.#failures === 0) {
      this.#onFault(
        `The catalogue takes nothing; instances are kept in the durable record: ${messageOf(error)}`,
      );
    }
    this.#failures += 1;
    this.#failure = new ArchiveError('catalog-unavailable', isFull(error) ? NO_ROOM : NO_ANSWER, {
      cause: error,
    });
    this.#rested = new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
  }

  #retryMs(): number {
    if (this.#failures === 0) return GATHER_MS;
    return RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1]!;
  }

  #close(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#open.delete(sequence);
    const [oldest] = this.#open;
    this.#journal.applied(oldest === undefined ? this.#newest : oldest - 1);
  }
}

/** An error of the record itself (as opposed to the catalogue being away). */
function isRecordFault(error: unknown): boolean {
  return error instanceof CatalogError && error.code === 'catalog-request';
}

/** The volume of the catalogue, or that of the files it has moved, is full. */
function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'catalog-full' || code === 'no-space';
}
