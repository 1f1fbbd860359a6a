// Gives held instances their files and carries all into the catalogue, many in one transaction. What waits here is
// already durable: the journal holds it until the catalogue does, and queries wait for it (see `settled`).

import type { InstanceRecord } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { ArchiveError } from './errors.ts';
import type { HeldRecord, Placed } from './held-placement.ts';
import {
  type Entry,
  type HeldEntry,
  isLetGo,
  type LetGo,
  letGo,
  type PlacedEntry,
  uidOf,
} from './waiting.ts';

const MAX_BATCH = 256;
/** So many wait with their records; of what comes when the catalogue takes nothing, the records are let go. */
const MAX_WAITING = 4096;
/** Instances that follow each other this closely are committed together unless somebody asks for them, */
const GATHER_MS = 20;
/** and none waits for more than so many that come later. */
const MAX_GATHERS = 5;
/** Nobody asks: the pauses after the first failure, the second and so on. */
const RETRY_MS = [250, 1000, 5000, 15_000];
/** Somebody asks: the pause after any failure. */
const ASKED_AGAIN_MS = 100;
/** Stopping takes no longer, but for what is being written by then. */
const CLOSING_MS = 3000;
/** Sent as Error Comment (LO, 64 characters). */
const NO_ROOM = 'The catalogue has no room for what came last: free some space.';
const NO_ANSWER = 'The catalogue does not answer at the moment.';

/** What the queue brings about, and tells. */
export interface IngestSteps {
  /** Runs a batch from its files to the catalogue while no other daemon deletes. */
  whilePlacing<T>(work: () => Promise<T>): Promise<T>;
  /** Sees to it that these, whose files were made before, still have them. */
  keepPlaced(batch: readonly InstanceRecord[]): Promise<void>;
  /** Gives held instances, no UID twice among them, their files; see placeHeld. */
  place(batch: readonly HeldRecord[]): Promise<Placed[]>;
  /** Reads what was let go; undefined for what cannot be found any more. */
  readAgain(entries: readonly LetGo[]): Promise<(Entry | undefined)[]>;
  /** Writes records, no UID twice among them, in one transaction. */
  ingest(batch: readonly InstanceRecord[]): Promise<void>;
  /** These records of the journal are in the catalogue for good. */
  done(sequences: readonly number[]): void;
  onPlaced(placed: Placed): void;
  onFault(message: string): void;
}

export class IngestQueue {
  readonly #steps: IngestSteps;
  #waiting: (Entry | LetGo)[] = [];
  /** SOP Instance UIDs of those without a file. */
  readonly #held = new Set<string>();
  #pushed = 0;
  #lastPush = Number.NEGATIVE_INFINITY;
  #written = 0;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #gathers = 0;
  #failure: ArchiveError | undefined;
  #failures = 0;
  /** Resolves when the catalogue may be tried again after a failure. */
  #rested: Promise<void> = Promise.resolve();

  constructor(steps: IngestSteps) {
    this.#steps = steps;
  }

  push(entry: Entry): void {
    this.#pushed += 1;
    const isTooMuch = this.#waiting.length >= MAX_WAITING;
    this.#waiting.push(isTooMuch ? letGo(entry) : entry);
    if ('held' in entry) {
      this.#held.add(uidOf(entry));
      if (isTooMuch) entry.tried?.();
    } else {
      this.#steps.onPlaced(entry);
    }
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

  /** Resolves when one more can be taken on: senders wait for a disk and a catalogue that do not follow. When these
   *  do not answer at all, nobody waits, and records are let go instead. A promise only when there is no room. */
  room(): void | Promise<void> {
    return this.#isFull() ? this.#roomMade() : undefined;
  }

  #isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING && this.#failure === undefined;
  }

  async #roomMade(): Promise<void> {
    while (this.#isFull()) {
      this.#start();
      await this.#running;
    }
  }

  /** Resolves when everything pushed before this call is in the catalogue; rejects with 'catalog-unavailable' when
   *  it could not be brought there after this call either. */
  settled(): Promise<void> {
    return this.#settledBy(Number.POSITIVE_INFINITY);
  }

  async #settledBy(deadline: number): Promise<void> {
    const target = this.#pushed;
    // What is being written may fail for a reason that is gone by now.
    await this.#running;
    while (this.#written < target) {
      if (performance.now() > deadline) throw new Error('there was no time to write all of it');
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
    await this.#settledBy(performance.now() + CLOSING_MS).catch((error: unknown) => {
      this.#steps.onFault(
        `Stopping with ${this.depth} instances kept in the durable record: ${messageOf(error)}`,
      );
    });
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#running !== undefined) return;
    const pushed = this.#pushed;
    this.#timer ??= setTimeout(() => this.#gathered(pushed), ms);
  }

  #gathered(pushed: number): void {
    this.#timer = undefined;
    const goesOn = this.#pushed > pushed && this.#failure === undefined;
    this.#gathers = goesOn ? this.#gathers + 1 : MAX_GATHERS;
    if (this.#gathers < MAX_GATHERS) this.#schedule(GATHER_MS);
    else this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathers = 0;
    if (this.#running !== undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, this.#batchLength());
    this.#running = this.#steps
      .whilePlacing(() => this.#write(batch))
      .catch((error: unknown) => this.#retryLater(batch, error))
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0) this.#schedule(this.#retryMs());
      });
  }

  /** A batch ends before a SOP Instance UID that is in it already: each content is compared with the one before. */
  #batchLength(): number {
    const uids = new Set<string>();
    for (const entry of this.#waiting) {
      const uid = uidOf(entry);
      if (uids.size === MAX_BATCH || uids.has(uid)) break;
      uids.add(uid);
    }
    return uids.size;
  }

  async #write(waiting: readonly (Entry | LetGo)[]): Promise<void> {
    let left = waiting;
    let batch: PlacedEntry[];
    try {
      const whole = await this.#whole(waiting);
      left = whole;
      batch = await this.#place(whole);
    } catch (error) {
      this.#retryLater(left, error);
      return;
    }
    if (batch.length === 0) return;
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

  async #whole(waiting: readonly (Entry | LetGo)[]): Promise<Entry[]> {
    const gone = waiting.filter(isLetGo);
    const read = gone.length === 0 ? [] : await this.#steps.readAgain(gone);
    const again = read.values();
    return waiting.flatMap((entry) => {
      const whole = isLetGo(entry) ? again.next().value : entry;
      if (whole === undefined) this.#giveUp(entry as LetGo);
      return whole ?? [];
    });
  }

  /** What has gone from the volume must not keep out what came after it. */
  #giveUp({ location, sequence }: LetGo): void {
    this.#steps.onFault(
      `${location.path} was received while the catalogue took nothing, and is not on the volume any more as it was; when it is there again, \`rebuild\` brings it in`,
    );
    this.#steps.done([sequence]);
    this.#written += 1;
  }

  async #place(waiting: readonly Entry[]): Promise<PlacedEntry[]> {
    await this.#steps.keepPlaced(waiting.flatMap((entry) => ('outcome' in entry ? [entry.record] : [])));
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
      for (const { tried } of held) tried?.();
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

  #retryLater(batch: readonly (Entry | LetGo)[], error: unknown): void {
    this.#waiting.unshift(...batch);
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
