// Takes one instance from a stream to the volume and into the catalogue, and answers only when it is safe
// (PS3.4 Annex B; the order of steps is the acknowledgement rule, see docs/architecture.md).

import type { InstanceRecord } from '../catalog/catalog.ts';
import { encodeFileHead } from '../dicom/file-meta.ts';
import { isUid } from '../dicom/uid.ts';
import type { Spooled } from '../storage/spooled.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { KeyedLock } from '../util/keyed-lock.ts';
import { ArchiveError } from './errors.ts';
import { placeOver } from './held-placement.ts';
import type { IngestQueue } from './ingest-queue.ts';
import { type InstanceHead, readInstanceHead, recordOf } from './instance-head.ts';
import { instancePath } from './instance-path.ts';
import { encodeIntent, type Intent } from './intent.ts';

/** What is known of an instance before its data set arrives. */
export interface StoreInput {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sourceAeTitle: string;
  readonly receivingAeTitle: string;
  /** Replaces (0008,0005) for callers that mislabel their text; the stored bytes stay as they came. */
  readonly characterSetOverride?: readonly string[];
}

/** A data set that has come whole and is not safe yet. */
export type Arrived = Pick<Spooled, 'sha256' | 'source'>;

/** Asked whether somebody else has made these very bytes safe, so that they need not be kept as a reception. May read
 *  them until it answers; when it rejects, the sender is told so. */
export type Claim = (arrived: Arrived) => Promise<boolean>;

export interface Stored {
  /** Resolves when the instance has its file, or could not be given it yet. Never rejects. */
  readonly placed: Promise<void>;
}

const PLACED: Stored = { placed: Promise.resolve() };

export class StoreService {
  readonly #storage: StorageArea;
  readonly #queue: IngestQueue;
  readonly #now: () => Date;
  readonly #locks = new KeyedLock();

  constructor(storage: StorageArea, queue: IngestQueue, now: () => Date) {
    this.#storage = storage;
    this.#queue = queue;
    this.#now = now;
  }

  /** Resolves when the instance survives power loss and the next query finds it. Throws ArchiveError; then nothing
   *  is left behind. */
  async store(input: StoreInput, dataSet: ByteSource, claim?: Claim): Promise<Stored> {
    for (const [name, uid] of [
      ['SOP Class UID', input.sopClassUid],
      ['SOP Instance UID', input.sopInstanceUid],
    ] as const) {
      if (!isUid(uid)) throw new ArchiveError('invalid-uid', `The ${name} of the request is not a UID.`);
    }
    const receivedAt = this.#now().toISOString();
    const fileHead = encodeFileHead(
      {
        sopClassUid: input.sopClassUid,
        sopInstanceUid: input.sopInstanceUid,
        transferSyntaxUid: input.transferSyntaxUid,
        sourceAeTitle: input.sourceAeTitle,
        sendingAeTitle: input.sourceAeTitle,
        receivingAeTitle: input.receivingAeTitle,
      },
      receivedAt,
    );
    try {
      const asking = this.#storage.checkSpace();
      if (asking !== undefined) await asking;
      const spooled = await this.#storage.spool(fileHead, dataSet);
      return await this.#keep(input, spooled, receivedAt, claim);
    } catch (error) {
      throw asArchiveError(error);
    }
  }

  /** Runs `work` while none of these instances, no UID twice among them, is being received; what came before is in the
   *  catalogue. */
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.#locks.runAll([...sopInstanceUids].sort(), async () => {
      await this.#queue.settled();
      return work();
    });
  }

  async #keep(
    input: StoreInput,
    spooled: Spooled,
    receivedAt: string,
    claim: Claim | undefined,
  ): Promise<Stored> {
    try {
      if (claim !== undefined && (await claim(spooled))) {
        await spooled.discard();
        return PLACED;
      }
      const head = await readInstanceHead(spooled, input.transferSyntaxUid);
      requireSame(input, head);
      const path = instancePath(head, head.studyDate);
      const record = () =>
        recordOf(
          head,
          {
            path,
            transferSyntaxUid: input.transferSyntaxUid,
            sha256: spooled.sha256,
            dataSetBytes: spooled.dataSetBytes,
            dataSetOffset: spooled.dataSetOffset,
            fileBytes: spooled.fileBytes,
            receivedAt,
            sourceAeTitle: input.sourceAeTitle,
          },
          input.characterSetOverride,
        );
      const stored = await this.#inOrder(input.sopInstanceUid, () =>
        spooled.isSmall ? this.#hold({ path, receivedAt }, record, spooled) : this.#place(record(), spooled),
      );
      const looking = this.#storage.checkSeat();
      if (looking !== undefined) await looking;
      return stored;
    } catch (error) {
      await spooled.discard();
      throw error;
    }
  }

  /** One reception of an instance after the other, as their files will be. */
  async #inOrder<T>(sopInstanceUid: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#queue.holds(sopInstanceUid)) await this.#queue.placed(sopInstanceUid);
      const done = await this.#locks.run(sopInstanceUid, async () =>
        this.#queue.holds(sopInstanceUid) ? undefined : { result: await work() },
      );
      if (done !== undefined) return done.result;
    }
  }

  /** A small instance is safe with its bytes in the durable record; its file is made while the sender goes on. */
  async #hold(intent: Intent, record: () => InstanceRecord, spooled: Spooled): Promise<Stored> {
    const making = this.#storage.makeRoom(intent.path);
    if (making !== undefined) await making;
    const room = this.#queue.room();
    if (room !== undefined) await room;
    const holding = spooled.hold(encodeIntent(intent));
    holding.catch(() => {}); // awaited below
    // While the disk writes, there is time for hash and record. After this turn of the microtasks the write has begun.
    await undefined;
    const made = attempt(record);
    const { sealedHead } = spooled;
    const held = await holding;
    spooled.letGo();
    if ('error' in made) {
      this.#storage.journal.done([held.sequence]);
      throw made.error;
    }
    const { promise: placed, resolve: tried } = Promise.withResolvers<void>();
    this.#queue.push({ record: made.result, sequence: held.sequence, held, sealedHead, tried });
    return { placed };
  }

  /** The intent goes first: whatever ends this process, the next start looks at this path. */
  async #place(record: InstanceRecord, spooled: Spooled): Promise<Stored> {
    const { path } = record.location;
    const flushed = spooled.flush();
    flushed.catch(() => {}); // awaited below, unless the intent fails first
    const sequence = await this.#intend({ path });
    try {
      await flushed;
      await spooled.place(path);
    } catch (error) {
      this.#storage.journal.done([sequence]);
      if (!(error instanceof StorageError && error.code === 'exists')) throw error;
      await this.#placeOver(record, spooled);
      return PLACED;
    }
    this.#queue.push({ record, sequence, outcome: 'stored' });
    return PLACED;
  }

  async #placeOver(record: InstanceRecord, spooled: Spooled): Promise<void> {
    let sequence = 0;
    try {
      const placed = await placeOver(this.#storage, record, async (intent) => {
        if (sequence > 0) this.#storage.journal.done([sequence]);
        sequence = await this.#intend(intent);
        return spooled;
      });
      if (placed.outcome === 'duplicate') {
        // Another daemon may have given it its name a moment ago, and not have flushed that.
        await this.#storage.flushInPlace(record.location.path);
        await spooled.discard();
        sequence = await this.#intend({ path: record.location.path });
      }
      this.#queue.push({ ...placed, sequence });
    } catch (error) {
      if (sequence > 0) this.#storage.journal.done([sequence]);
      throw error;
    }
  }

  async #intend(intent: Intent): Promise<number> {
    return (await this.#storage.journal.append(encodeIntent(intent))).sequence;
  }
}

function attempt<T>(work: () => T): { result: T } | { error: unknown } {
  try {
    return { result: work() };
  } catch (error) {
    return { error };
  }
}

/** PS3.4 §B.2.3: the data set must be what the request says it is. */
function requireSame(input: StoreInput, head: InstanceHead): void {
  if (head.sopClassUid !== input.sopClassUid) {
    throw new ArchiveError(
      'sop-mismatch',
      `SOP Class UID: request ${input.sopClassUid}, data set ${head.sopClassUid}.`,
      { tag: 0x00080016 },
    );
  }
  if (head.sopInstanceUid !== input.sopInstanceUid) {
    throw new ArchiveError('sop-mismatch', 'SOP Instance UID differs between request and data set.', {
      tag: 0x00080018,
    });
  }
}

function asArchiveError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  const reason = error.code === 'no-space' ? 'no-space' : 'storage-failed';
  return new ArchiveError(reason, error.message, { cause: error });
}
