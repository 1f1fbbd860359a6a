// The durable record: what a sender was told is safe and is not yet file and catalogue entry survives power loss
// here; small instances with all their bytes.

import { awaitedLater } from '../util/promises.ts';
import type { Directory } from './directory.ts';
import { closeDescriptor, writePieces } from './file-calls.ts';
import {
  BLOCK_BYTES,
  type Entry,
  encodeGroup,
  groupBytes,
  RECORD_HEAD_BYTES,
  readSlotHeader,
  recordBytes,
  scanSlot,
} from './journal-format.ts';
import { type FullSlot, type Scan, scanSlots } from './journal-scan.ts';
import {
  BOOT_ID,
  beginUse,
  freeSlot,
  makeSlot,
  markUnflushed,
  readSlot,
  removeSlot,
  SLOT_BYTES,
  type Slot,
  slotName,
  type UsedSlot,
} from './journal-slot.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

/** Note and content together. */
export const MAX_RECORD_BYTES = (1 << 20) + (64 << 10);

/** So long a slot that is full keeps its contents: by then the operating system has written the placed files of its
 *  own accord, and flushing them costs next to nothing. */
const KEEP_MS = 35_000;
/** More full slots than this are not waited for: 256 MiB. */
const MAX_FULL_SLOTS = 32;
/** What a burst has used is kept for the next: to make a slot anew is to write as many bytes once more. */
const MAX_FREE_SLOTS = MAX_FULL_SLOTS;
/** Stopping waits no longer than this for files to be flushed; the next start goes through what is left. */
const CLOSING_MS = 3000;
const NO_CONTENT = Buffer.alloc(0);

/** Where a record's content lies until it is a file. */
export interface Held {
  readonly sequence: number;
  /** Relative to the root of the area. */
  readonly slot: string;
  readonly fd: number;
  readonly contentAt: number;
  readonly bytes: number;
}

export interface ReplayedRecord {
  readonly note: string;
  readonly held: Held;
  /** It is in the catalogue for good; only its file may have been lost with the power. */
  readonly isApplied: boolean;
  /** The machine has not been off since: what was written and not flushed is still there. */
  readonly isOfThisBoot: boolean;
}

interface Waiting extends Entry {
  readonly resolve: (held: Held) => void;
  readonly reject: (error: unknown) => void;
}

/** Puts on the disk whatever was placed from this slot; before that its contents are not given up. */
export type BeforeFree = (slot: string) => Promise<void>;

export class Journal {
  /** What could not be read at opening, in words. */
  readonly faults: readonly string[];
  readonly #directory: Directory;
  readonly #beforeFree: BeforeFree;
  readonly #leftFromBefore: readonly Slot[];
  readonly #free: Slot[];
  #full: FullSlot[];
  #current: UsedSlot | undefined;
  #offset = 0;
  #lastSequence: number;
  /** The last that was written; those of a failed write are not. */
  #previous: number;
  readonly #appliedBefore: number;
  /** Written or about to be, and not yet done with; oldest first. */
  readonly #open = new Set<number>();
  #nextNumber: number;
  #preparing: Promise<void> = Promise.resolve();
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #reclaiming: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isReplayed: boolean;
  #closed = false;

  private constructor(directory: Directory, scan: Scan, beforeFree: BeforeFree, append: boolean) {
    this.#directory = directory;
    this.#beforeFree = beforeFree;
    this.faults = scan.faults;
    this.#leftFromBefore = scan.used.map(({ slot }) => slot);
    this.#isReplayed = scan.used.length === 0;
    this.#full = [...scan.used];
    this.#free = [...scan.free];
    this.#lastSequence = scan.lastSequence;
    this.#previous = scan.lastSequence;
    this.#appliedBefore = scan.applied;
    this.#nextNumber = scan.nextNumber;
    if (append) this.#prepare();
  }

  /** Reads what is left from before. A full volume does not keep it from opening, only from appending. */
  static async open(
    directory: Directory,
    beforeFree: BeforeFree,
    { append = true }: { readonly append?: boolean } = {},
  ): Promise<Journal> {
    return new Journal(directory, await scanSlots(directory), beforeFree, append);
  }

  /** Resolves once note and content are on the disk. Concurrent calls share one write. After a failure the record may
   *  be replayed nevertheless. */
  append(note: string, content: Buffer = NO_CONTENT): Promise<Held> {
    const entry = { note: Buffer.from(note), content };
    if (recordBytes(entry) > MAX_RECORD_BYTES) {
      const words = `a record of ${recordBytes(entry)} bytes is longer than the ${MAX_RECORD_BYTES} the journal takes`;
      return Promise.reject(new StorageError('too-large', words));
    }
    if (this.#closed) return Promise.reject(new StorageError('closed', 'the journal is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...entry, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** These records are in the catalogue for good, or were for nothing. Each record is to be done with in the end:
   *  until then, neither it nor what came after it is given up. */
  done(sequences: Iterable<number>): void {
    for (const sequence of sequences) this.#open.delete(sequence);
    this.#reclaimInTime();
  }

  /** Records from before the opening, oldest first. `replayed` is to be called when they have been seen to. */
  async *replay(): AsyncGenerator<ReplayedRecord> {
    for (const slot of this.#leftFromBefore) {
      const bytes = await readSlot(slot);
      const header = readSlotHeader(bytes);
      if (typeof header === 'string') continue;
      const isOfThisBoot = header.bootId === BOOT_ID;
      for (const { sequence, note, content, contentAt } of scanSlot(bytes, header.salt).records) {
        const held = { sequence, slot: this.#pathOf(slot), fd: slot.fd, contentAt, bytes: content.length };
        yield { note: note.toString(), held, isApplied: sequence <= this.#appliedBefore, isOfThisBoot };
      }
    }
  }

  /** Everything that `replay` gave is in the catalogue and has its file. */
  replayed(): void {
    this.#isReplayed = true;
    this.#reclaimInTime();
  }

  /** Waits for what is being appended, and frees what is in the catalogue. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#draining;
    await this.#preparing;
    this.#endCurrent();
    const deadline = performance.now() + CLOSING_MS;
    await this.#reclaim(() => performance.now() < deadline);
    for (const slot of this.#free) await removeSlot(this.#directory, slot, false);
    for (const { slot } of this.#full) await closeDescriptor(slot.fd);
    await this.#directory.flush();
  }

  /** The leader: writes all that wait, over and over until nobody does. */
  async #drain(): Promise<void> {
    // Everybody who appends in the same turn of the event loop joins the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#draining = undefined;
  }

  /** As many as fit into what is left of the slot, or at least one, which then begins the next. */
  #takeGroup(): Waiting[] {
    const room = this.#current === undefined ? SLOT_BYTES - BLOCK_BYTES : SLOT_BYTES - this.#offset;
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      bytes += recordBytes(entry);
      if (count > 0 && bytes > room - BLOCK_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const bytes = groupBytes(group);
    if (this.#current === undefined || this.#offset + bytes > SLOT_BYTES) await this.#beginNext();
    const { fd, salt, header } = this.#current!;
    const slot = this.#pathOf(this.#current!);
    const firstSequence = this.#lastSequence + 1;
    const pieces = encodeGroup(group, {
      salt,
      firstSequence,
      previous: this.#previous,
      applied: this.#applied(),
    });
    const sequences = group.map((_, index) => firstSequence + index);
    for (const sequence of sequences) this.#open.add(sequence);
    const isFirst = this.#offset === 0;
    const from = isFirst ? BLOCK_BYTES : this.#offset;
    try {
      await writePieces(fd, isFirst ? [header, ...pieces] : pieces, this.#offset);
    } catch (error) {
      // What this slot holds from here on is unknown, and no later flush of it would prove anything. Nor is known
      // which of these sequences a scan will find: none is used again.
      this.#lastSequence += group.length;
      this.done(sequences);
      this.#endCurrent();
      throw storageErrorOf(error, `writing ${slot}`);
    }
    this.#offset = from + bytes;
    this.#lastSequence += group.length;
    this.#previous = this.#lastSequence;
    let contentAt = from;
    group.forEach(({ note, content, resolve }, index) => {
      contentAt += RECORD_HEAD_BYTES + note.length;
      resolve({ sequence: firstSequence + index, slot, fd, contentAt, bytes: content.length });
      contentAt += content.length;
    });
  }

  /** Everything up to here is done with. */
  #applied(): number {
    if (!this.#isReplayed) return this.#appliedBefore;
    const [oldest = this.#lastSequence + 1] = this.#open;
    return oldest - 1;
  }

  async #beginNext(): Promise<void> {
    this.#endCurrent();
    this.#current = beginUse(await this.#takeFree());
    this.#offset = 0;
    this.#prepare();
    this.#reclaimInTime();
  }

  async #takeFree(): Promise<Slot> {
    if (this.#full.length >= 2 * MAX_FULL_SLOTS) await this.#reclaiming;
    await this.#preparing;
    const free = this.#free.shift();
    if (free !== undefined) return free;
    try {
      return await this.#make();
    } catch (error) {
      // No room for a new one: there is one to be freed, perhaps.
      await this.#reclaim(() => this.#free.length === 0);
      const freed = this.#free.shift();
      if (freed === undefined) throw error;
      return freed;
    }
  }

  #endCurrent(): void {
    if (this.#current === undefined) return;
    this.#full.push({
      slot: this.#current,
      lastSequence: this.#lastSequence,
      isDamaged: false,
      fullAt: performance.now(),
    });
    this.#current = undefined;
  }

  /** Sees to it that a slot is at hand before it is needed. */
  #prepare(): void {
    if (this.#free.length > 0 || this.#closed) return;
    this.#preparing = this.#make().then(
      (slot) => {
        this.#free.push(slot);
      },
      // Tried again when a slot is needed; that failure is the one to report.
      () => undefined,
    );
  }

  #pathOf({ name }: Slot): string {
    return `${this.#directory.path}/${name}`;
  }

  #make(): Promise<Slot> {
    const name = slotName(this.#nextNumber);
    this.#nextNumber += 1;
    return makeSlot(this.#directory, name);
  }

  /** Frees slots that are too old or too many, and comes back for the others. */
  #reclaimInTime(): void {
    if (this.#closed || !this.#isDue()) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void awaitedLater(this.#reclaim(() => this.#isDue()));
  }

  #isDue(): boolean {
    const oldest = this.#full[0];
    if (oldest === undefined || !this.#isFreeable(oldest)) return false;
    const dueIn = oldest.fullAt + KEEP_MS - performance.now();
    if (dueIn <= 0 || this.#full.length > MAX_FULL_SLOTS) return true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#reclaimInTime();
    }, dueIn).unref();
    return false;
  }

  #isFreeable({ lastSequence, slot }: FullSlot): boolean {
    return lastSequence <= this.#applied() && (this.#isReplayed || !this.#leftFromBefore.includes(slot));
  }

  /** Frees the oldest slots, one by one, as long as `goOn` says so and the catalogue holds what is in them. */
  #reclaim(goOn: () => boolean): Promise<void> {
    const reclaim = async () => {
      for (;;) {
        const oldest = this.#full[0];
        if (oldest === undefined || !this.#isFreeable(oldest) || !goOn()) return;
        try {
          await this.#beforeFree(this.#pathOf(oldest.slot));
        } catch (error) {
          await Promise.allSettled([markUnflushed(oldest.slot)]); // a disk that takes not even this has said so
          throw error;
        }
        await freeSlot(oldest.slot);
        this.#full.shift();
        if (oldest.isDamaged || this.#free.length >= MAX_FREE_SLOTS) {
          await removeSlot(this.#directory, oldest.slot, oldest.isDamaged);
        } else {
          this.#free.push(oldest.slot);
        }
      }
    };
    // A slot that could not be freed keeps its records, and its turn comes again; whoever waits for room learns why.
    this.#reclaiming = this.#reclaiming.then(reclaim, reclaim);
    return this.#reclaiming;
  }
}
