// Takes one instance from a stream to the volume and into the catalogue, and answers only when it is safe
// (PS3.4 Annex B; the order of steps is the acknowledgement rule, see docs/architecture.md).

import type { InstanceRecord } from '../catalog/catalog.ts';
import { encodeFileHead } from '../dicom/file-meta.ts';
import { isUid } from '../dicom/uid.ts';
import type { Recorded } from '../storage/journal.ts';
import type { Spooled } from '../storage/spooled.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { KeyedLock } from '../util/keyed-lock.ts';
import { ArchiveError } from './errors.ts';
import type { IngestQueue } from './ingest-queue.ts';
import { type InstanceHead, readInstanceHead, recordOf } from './instance-head.ts';
import { instancePath, supersededPath } from './instance-path.ts';
import { encodeIntent, type Intent } from './intent.ts';
import { readStoredHead } from './stored-instance.ts';

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

/** `duplicate`: the same bytes were here already and nothing was written. */
export interface StoreOutcome {
  readonly outcome: 'stored' | 'duplicate' | 'replaced';
  readonly record: InstanceRecord;
}

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
  async store(input: StoreInput, dataSet: ByteSource): Promise<StoreOutcome> {
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
      await this.#storage.checkSpace();
      const spooled = await this.#storage.spool(fileHead, dataSet);
      return await this.#keep(input, spooled, receivedAt);
    } catch (error) {
      throw asArchiveError(error);
    }
  }

  async #keep(input: StoreInput, spooled: Spooled, receivedAt: string): Promise<StoreOutcome> {
    try {
      const head = await readInstanceHead(spooled, input.transferSyntaxUid);
      requireSame(input, head);
      const path = instancePath(head, head.studyDate);
      const record = recordOf(
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
      return await this.#locks.run(input.sopInstanceUid, () => this.#place(head, record, spooled));
    } catch (error) {
      await spooled.discard();
      throw error;
    }
  }

  /** The intent goes first: whatever ends this process, the next start looks at this path. Then intent, bytes and
   *  name are flushed together. */
  async #place(head: InstanceHead, record: InstanceRecord, spooled: Spooled): Promise<StoreOutcome> {
    const { path } = record.location;
    const written = spooled.write();
    written.catch(() => {}); // awaited below, unless the intent fails first
    const intent = await this.#intend({ path, supersededPath: undefined });
    try {
      await written;
      await spooled.place(path, intent.durable);
    } catch (error) {
      this.#queue.dropped(intent.sequence);
      if (error instanceof StorageError && error.code === 'exists') {
        return this.#placeOver(head, record, spooled);
      }
      throw error;
    }
    this.#queue.push(record, intent.sequence);
    return { outcome: 'stored', record };
  }

  async #placeOver(head: InstanceHead, record: InstanceRecord, spooled: Spooled): Promise<StoreOutcome> {
    const { path } = record.location;
    const present = await readStoredHead(this.#storage, path);
    const integrity = present?.meta.integrity;
    const isSame = integrity?.sha256 === record.location.sha256 && present?.isComplete === true;
    if (isSame) {
      await spooled.discard();
      const known = { ...record, location: { ...record.location, receivedAt: integrity.receivedAt } };
      const { sequence, durable } = await this.#intend({ path, supersededPath: undefined });
      await durable;
      this.#queue.push(known, sequence);
      return { outcome: 'duplicate', record: known };
    }
    const older = supersededPath(head, record.location.receivedAt, integrity?.sha256 ?? 'unknown');
    const { sequence, durable } = await this.#intend({ path, supersededPath: older });
    try {
      await durable;
      await spooled.replace(path, older);
    } catch (error) {
      this.#queue.dropped(sequence);
      throw error;
    }
    const replaced = { ...record, supersededPath: older };
    this.#queue.push(replaced, sequence);
    return { outcome: 'replaced', record: replaced };
  }

  async #intend(intent: Intent): Promise<Recorded> {
    const recorded = await this.#storage.journal.record(encodeIntent(intent));
    this.#queue.opened(recorded.sequence);
    return recorded;
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
