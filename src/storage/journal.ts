// The durable record: what has been placed but may not be in the catalogue yet survives power loss here.

import type { Directory } from './directory.ts';
import { awaitedLater, closeDescriptor, flushData, writeFully } from './file-calls.ts';
import {
  type DamagedRange,
  encodeGroup,
  groupBytes,
  RECORD_HEAD_BYTES,
  scanSegment,
} from './journal-format.ts';
import {
  cutSegment,
  listSegments,
  makeSegment,
  type OpenSegment,
  readSegment,
  retireSegment,
  SEGMENT_BYTES,
  segmentName,
} from './journal-segment.ts';
import { SharedFlush } from './shared-flush.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

export const MAX_RECORD_BYTES = 1 << 20;

/** Something in the journal that could not be read: `torn` is the unacknowledged end of the last write before a
 *  crash; `corrupt` is damage, and acknowledged records may be lost with it. */
export interface JournalFault extends DamagedRange {
  readonly kind: 'torn' | 'corrupt';
  readonly file: string;
}

/** A segment that is no longer written. */
interface FullSegment {
  readonly name: string;
  readonly lastSequence: number;
  readonly isDamaged: boolean;
}

/** A record that the end of this process cannot take away any more; `durable` says when power loss cannot either. */
export interface Recorded {
  readonly sequence: number;
  readonly durable: Promise<void>;
}

interface Waiting {
  readonly payload: Buffer;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
}

export class Journal {
  /** What the scan at opening could not read. */
  readonly faults: readonly JournalFault[];
  readonly #directory: Directory;
  readonly #leftFromBefore: readonly FullSegment[];
  #full: FullSegment[];
  #current: OpenSegment | undefined;
  #offset = 0;
  #flushes: SharedFlush | undefined;
  #durable: Promise<void> = Promise.resolve();
  /** A flush of the current segment failed. */
  #isFailed = false;
  #lastSequence: number;
  #applied: number;
  #nextNumber: number;
  #next: Promise<OpenSegment>;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #retiring: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(directory: Directory, scan: Scan) {
    this.#directory = directory;
    this.faults = scan.faults;
    this.#leftFromBefore = scan.segments;
    this.#full = [...scan.segments];
    this.#lastSequence = scan.lastSequence;
    this.#applied = scan.applied;
    this.#nextNumber = scan.nextNumber;
    this.#next = this.#prepare();
    this.applied(scan.applied);
  }

  /** Reads what is left from before. A full volume does not keep it from opening, only from appending. */
  static async open(directory: Directory): Promise<Journal> {
    return new Journal(directory, await scanAll(directory));
  }

  /** Resolves with the record's sequence once it is on the disk. After a failure the record may be replayed
   *  nevertheless. */
  async append(record: Buffer | string): Promise<number> {
    const { sequence, durable } = await this.record(record);
    await durable;
    return sequence;
  }

  /** Resolves as soon as the record is written, before it is flushed: what is done next cannot then overtake it when
   *  the process ends. Concurrent calls share one write and one flush. */
  record(record: Buffer | string): Promise<Recorded> {
    const payload = typeof record === 'string' ? Buffer.from(record) : record;
    if (payload.length > MAX_RECORD_BYTES) {
      const words = `a record of ${payload.length} bytes is longer than the ${MAX_RECORD_BYTES} the journal takes`;
      return Promise.reject(new StorageError('too-large', words));
    }
    if (this.#closed) return Promise.reject(new StorageError('closed', 'the journal is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payload, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Every record up to `sequence` is in the catalogue for good; it will not be replayed any more. */
  applied(sequence: number): void {
    // Never beyond what was appended: that would bury records yet to come.
    this.#applied = Math.max(this.#applied, Math.min(sequence, this.#lastSequence));
    const done = this.#full.filter((segment) => segment.lastSequence <= this.#applied);
    if (done.length === 0) return;
    this.#full = this.#full.filter((segment) => segment.lastSequence > this.#applied);
    this.#retiring = this.#retiring.then(() => this.#retire(done));
  }

  /** Records from before the opening that are not known to be in the catalogue, oldest first. */
  async *replay(): AsyncGenerator<{ sequence: number; record: string }> {
    for (const { name, lastSequence } of this.#leftFromBefore) {
      if (lastSequence <= this.#applied) continue;
      for (const { sequence, payload } of scanSegment(await readSegment(this.#directory, name)).records) {
        if (sequence > this.#applied) yield { sequence, record: payload.toString() };
      }
    }
  }

  /** Waits for what is being appended. When everything is in the catalogue, nothing is left to replay. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    const [next] = await Promise.allSettled([this.#next]);
    if (next.status === 'fulfilled') {
      await closeDescriptor(next.value.fd);
      this.#full.push({ name: next.value.name, lastSequence: 0, isDamaged: false });
    }
    await this.#endCurrent();
    this.applied(this.#applied);
    await this.#retiring;
    await this.#directory.flush();
  }

  /** The leader: writes all that wait, over and over until nobody does. */
  async #drain(): Promise<void> {
    // Everybody who appends in the same turn of the event loop joins the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const bytes = encodeGroup(
          group.map(({ payload }) => payload),
          this.#lastSequence + 1,
          this.#applied,
        );
        await this.#write(bytes, group.length);
        const first = this.#lastSequence - group.length + 1;
        const durable = this.#flush();
        group.forEach(({ resolve }, index) => {
          resolve({ sequence: first + index, durable });
        });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#draining = undefined;
  }

  /** As many as fit into what is left of the segment, or at least one, which then begins the next. */
  #takeGroup(): Waiting[] {
    const room = this.#current === undefined ? SEGMENT_BYTES : SEGMENT_BYTES - this.#offset;
    let bytes = 0;
    let count = 0;
    for (const { payload } of this.#waiting) {
      bytes += RECORD_HEAD_BYTES + payload.length;
      if (count > 0 && groupBytes(bytes) > room) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: Buffer, records: number): Promise<void> {
    if (this.#current === undefined || this.#isFailed || this.#offset + group.length > SEGMENT_BYTES) {
      await this.#beginNext();
    }
    const { fd, name } = this.#current!;
    this.#lastSequence += records;
    try {
      await writeFully(fd, group, this.#offset);
      this.#offset += group.length;
    } catch (error) {
      // What this file holds from here on is unknown, and no later flush of it would prove anything.
      await this.#endCurrent();
      throw storageErrorOf(error, `writing journal/${name}`);
    }
  }

  /** Of everything written to the current segment. */
  #flush(): Promise<void> {
    const segment = this.#current!;
    this.#flushes ??= new SharedFlush(() => flushData(segment.fd));
    this.#durable = awaitedLater(
      this.#flushes.request().catch((error: unknown) => {
        // As after a failed write: nothing that follows in this file would be worth anything.
        if (this.#current === segment) this.#isFailed = true;
        throw storageErrorOf(error, `flushing journal/${segment.name}`);
      }),
    );
    return this.#durable;
  }

  async #beginNext(): Promise<void> {
    let next: OpenSegment;
    try {
      next = await this.#next;
    } catch {
      // That was earlier; there may be room again now. If not, this failure is the one to report.
      next = await this.#make();
    }
    await this.#endCurrent();
    this.#current = next;
    this.#offset = 0;
    this.#next = this.#prepare();
    this.applied(this.#applied);
  }

  async #endCurrent(): Promise<void> {
    if (this.#current === undefined) return;
    const { fd, name } = this.#current;
    this.#current = undefined;
    this.#flushes = undefined;
    this.#isFailed = false;
    // Not to be closed under a flush: its number could be another file's by then.
    await Promise.allSettled([this.#durable]);
    this.#full.push({ name, lastSequence: this.#lastSequence, isDamaged: false });
    await Promise.allSettled([closeDescriptor(fd)]);
  }

  #prepare(): Promise<OpenSegment> {
    return awaitedLater(this.#make());
  }

  #make(): Promise<OpenSegment> {
    const name = segmentName(this.#nextNumber);
    this.#nextNumber += 1;
    return makeSegment(this.#directory, name);
  }

  async #retire(segments: readonly FullSegment[]): Promise<void> {
    for (const segment of segments) {
      try {
        await retireSegment(this.#directory, segment.name, segment.isDamaged);
      } catch {
        // Kept, and tried again with the next: replaying what is in the catalogue already does no harm.
        this.#full.push(segment);
      }
    }
  }
}

interface Scan {
  readonly segments: readonly FullSegment[];
  readonly faults: readonly JournalFault[];
  readonly lastSequence: number;
  readonly applied: number;
  readonly nextNumber: number;
}

async function scanAll(directory: Directory): Promise<Scan> {
  const { names, nextNumber } = await listSegments(directory);
  const segments: FullSegment[] = [];
  const faults: JournalFault[] = [];
  let lastSequence = 0;
  let applied = 0;
  let tail: { name: string; range: DamagedRange } | undefined;
  // Newest first: only the end of the newest may have been cut short by a crash, any other such end is damage.
  for (const name of names.reverse()) {
    const { records, damaged, tornTail } = scanSegment(await readSegment(directory, name));
    const last = records.at(-1);
    const isNewest = lastSequence === 0 && tail === undefined;
    if (tornTail !== undefined && isNewest) tail = { name, range: tornTail };
    const lost = tornTail === undefined || isNewest ? damaged : [...damaged, tornTail];
    for (const range of lost) faults.push({ kind: 'corrupt', file: `journal/${name}`, ...range });
    segments.unshift({ name, lastSequence: last?.sequence ?? 0, isDamaged: lost.length > 0 });
    lastSequence = Math.max(lastSequence, last?.sequence ?? 0);
    applied = Math.max(applied, last?.applied ?? 0);
  }
  if (tail !== undefined) {
    faults.push({ kind: 'torn', file: `journal/${tail.name}`, ...tail.range });
    await cutSegment(directory, tail.name, tail.range.offset);
  }
  return { segments, faults, lastSequence: Math.max(lastSequence, applied), applied, nextNumber };
}
