// Gives held instances their files and carries all into the catalogue, many in one transaction. What waits here is
// already durable: the journal holds it until the catalogue does, and queries wait for it (see `settled`).

import type { InstanceRecord } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { ArchiveError } from './errors.ts';
import type { HeldRecord, Placed } from './held-placement.ts';

const MAX_BATCH = 256;
const MAX_WAITING = 4096;
/** Instances that follow each other this closely are committed together unless somebody asks for them. */
const GATHER_MS = 20;
/** Nobody asks: the pauses after the first failure, the second and so on. */
const RETRY_MS = [250, 1000, 5000, 15_000];
/** Somebody asks: the pause after any failure. */
const ASKED_AGAIN_MS = 100;
/** Sent as Error Comment (LO, 64 characters). */
const NO_ROOM = 'The catalogue has no room for what came last: free some space.';
const NO_ANSWER = 'The catalogue does not answer at the moment.';

/** What the queue brings about, and tells. */
export interface IngestSteps {
  /** Gives held instances, no UID twice among them, their files; see placeHeld. */
  place(batch: readonly HeldRecord[]): Promise<Placed[]>;
  /** Writes records, no UID twice among them, in one transaction. */
  ingest(batch: readonly InstanceRecord[]): Promise<void>;
  /** These records of the journal are in the catalogue for good. */
  done(sequences: readonly number[]): void;
  onPlaced(placed: Placed): void;
  onFault(message: string): void;
}

/** An instance with its file. */
export interface PlacedEntry extends Placed {
  readonly sequence: number;
}

/** An instance that is nowhere but in the durable record. */
export interface HeldEntry extends HeldRecord {
  readonly sequence: number;
  /** Called once it has been tried to give it its file. */
  tried(): void;
}

type Entry = PlacedEntry | HeldEntry;

export class IngestQueue {
  readonly #steps: IngestSteps;
  #waiting: Entry[] = [];
  /** SOP Instance UIDs of those without a file. */
  readonly #held = new Set<string>();
  #pushed = 0;
  #lastPush = Number.NEGATIVE_INFINITY;
  #written = 0;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: ArchiveError | undefined;
  #failures = 0;
  /** Resolves when the catalogue may be tried again after a failure. */
  #rested: Promise<void> = Promise.resolve();

  constructor(steps: IngestSteps) {
    this.#steps = steps;
  }

  push(entry: Entry): void {
    this.#pushed += 1;
    this.#waiting.push(entry);
    if ('held' in entry) this.#held.add(entry.record.instance.uid);
    else this.#steps.onPlaced(entry);
    const isFirst = performance.now() - this.#lastPush > GATHER_MS;
    this.#lastPush = performance.now();
    if ((isFirst || this.#waiting.length >= MAX_BATCH) && this.#failure === undefined) this.#start();
    else this.#schedule(GATHER_MS);
  }

  /** Whether this instance waits for its file. */
  holds(sopInstanceUid: string): boolean {
    return this.#held.has(sopInstanceUid);
  }

  /** Resolves when this instance does not wait for its file (any more). */
  async placed(sopInstanceUid: string): Promise<void> {
    while (this.holds(sopInstanceUid)) {
      if (this.#failure !== undefined) await this.#rested;
      this.#start();
      await this.#running;
      if (this.#failure !== undefined && this.holds(sopInstanceUid)) throw this.#failure;
    }
  }

  /** Resolves when one more can be taken on: senders wait for a disk and a catalogue that do not follow, unless they
   *  do not answer at all. */
  async room(): Promise<void> {
    while (this.#waiting.length >= MAX_WAITING && this.#failure === undefined) {
      this.#start();
      await this.#running;
    }
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
    return this.#pushed - this.#written;
  }

  /** Writes out what can be written; the journal keeps the rest for the next start. */
  async close(): Promise<void> {
    await this.settled().catch((error: unknown) => {
      this.#steps.onFault(
        `Stopping with ${this.depth} instances kept in the durable record: ${messageOf(error)}`,
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

  async #write(waiting: Entry[]): Promise<void> {
    let batch: PlacedEntry[];
    try {
      batch = await this.#place(waiting);
    } catch (error) {
      this.#retryLater(waiting, error);
      return;
    }
    try {
      await this.#steps.ingest(batch.map(({ record }) => record));
    } catch (error) {
      if (isRecordFault(error)) await this.#writeOneByOne(batch);
      else this.#retryLater(batch, error);
      return;
    }
    this.#answered(batch.length);
    this.#steps.done(batch.map(({ sequence }) => sequence));
  }

  async #place(waiting: readonly Entry[]): Promise<PlacedEntry[]> {
    const held = waiting.filter((entry) => 'held' in entry);
    const placed = held.length === 0 ? [] : await this.#placeHeld(held);
    const outcomes = placed.values();
    const batch = waiting.map((entry) => {
      if ('outcome' in entry) return entry;
      this.#held.delete(entry.record.instance.uid);
      return { ...outcomes.next().value!, sequence: entry.sequence };
    });
    for (const one of placed) this.#steps.onPlaced(one);
    return batch;
  }

  async #placeHeld(held: readonly HeldEntry[]): Promise<Placed[]> {
    try {
      return await this.#steps.place(held);
    } finally {
      for (const { tried } of held) tried();
    }
  }

  /** One record that the catalogue cannot take must not keep its neighbours out: `rebuild` of a mended program brings
   *  it in. */
  async #writeOneByOne(batch: PlacedEntry[]): Promise<void> {
    for (const [index, entry] of batch.entries()) {
      try {
        await this.#steps.ingest([entry.record]);
      } catch (error) {
        if (!isRecordFault(error)) {
          this.#retryLater(batch.slice(index), error);
          return;
        }
        this.#steps.onFault(
          `${entry.record.location.path} is stored but the catalogue refuses it: ${messageOf(error)}`,
        );
      }
      this.#steps.done([entry.sequence]);
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
      this.#steps.onFault(
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
