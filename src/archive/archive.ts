// The archive as its two doors see it: store, find, select, open. Joins volume and catalogue; knows neither DIMSE
// nor HTTP.

import { EventEmitter } from 'node:events';
import { KEPT_TAGS } from '../catalog/attributes.ts';
import type {
  Catalog,
  InstanceLocation,
  Match,
  Query,
  SelectKeys,
  StudyPage,
  StudyPageRequest,
} from '../catalog/catalog.ts';
import type { PatientKey, Protection, TrashEntry } from '../catalog/trash.ts';
import type { IntakeOfDay, ProvenInstance } from '../catalog/upkeep.ts';
import { renderThumbnail } from '../dicom/render/render.ts';
import { canTranscode, type StoredDataSet, transcode } from '../dicom/transcode/transcode.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import type { ByteSource } from '../util/byte-source.ts';
import type { FileRange } from '../util/file-range.ts';
import { bringBack } from './deleted-meanwhile.ts';
import { type DeletionTarget, type Emptied, Trash } from './deletion.ts';
import { unavailable } from './errors.ts';
import { type Placed, placeHeld } from './held-placement.ts';
import { IngestQueue } from './ingest-queue.ts';
import { type Proof, proveInstance } from './prove.ts';
import { damaged, ProvedDataSet } from './proved-data-set.ts';
import { replayJournal } from './replay.ts';
import type { ReplaySite } from './replay-held.ts';
import type { Restored } from './restoration.ts';
import { ingestPlaced } from './set-aside.ts';
import { FORECAST_DAYS, forecastSpace, type SpaceForecast } from './space-forecast.ts';
import { type Claim, type Stored, type StoreInput, StoreService } from './store.ts';
import { openDataSet, openFile } from './stored-instance.ts';
import type { CharacterSetOverrides } from './stored-record.ts';
import { readAgain } from './waiting.ts';

/** Whether the catalogue keeps this attribute, so that a query can return it. */
export function isKept(tag: number): boolean {
  return KEPT_TAGS.has(tag);
}

export interface ArchiveOptions {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  readonly now: () => Date;
}

export type {
  InstanceLocation,
  Match,
  Query,
  QueryLevel,
  SelectKeys,
  StudyPage,
  StudyPageRequest,
} from '../catalog/catalog.ts';

export type { TrashEntry } from '../catalog/trash.ts';
export type { RenderErrorCode } from '../dicom/render/render.ts';

export type { DeletionTarget } from './deletion.ts';
export type { Arrived, Claim } from './store.ts';

interface ArchiveEvents {
  /** The instance is safe and has its file; for forwarding, the change feed and counters. */
  instanceStored: [Placed];
  /** Its file was not what was received when somebody wanted to rely on it. */
  suspect: [InstanceLocation];
  /** Something an operator should read, in plain words. */
  fault: [string];
}

export class Archive extends EventEmitter<ArchiveEvents> {
  readonly #storage: StorageArea;
  readonly #catalog: Catalog;
  readonly #overrides: CharacterSetOverrides;
  readonly #now: () => Date;
  readonly #queue: IngestQueue;
  readonly #store: StoreService;
  readonly #trash: Trash;
  readonly #closing = new AbortController();
  #adopting: Promise<number> | undefined;

  constructor({ storage, catalog, overrides, now }: ArchiveOptions) {
    super();
    this.#storage = storage;
    this.#catalog = catalog;
    this.#overrides = overrides;
    this.#now = now;
    this.#queue = new IngestQueue({
      whilePlacing: (work) => storage.whilePlacing(work),
      keepPlaced: async (batch) => {
        if (!storage.isShared) return;
        for (const record of batch) await bringBack(storage, catalog, record);
      },
      place: (batch) => placeHeld(storage, batch),
      readAgain: (entries) => readAgain(storage, overrides, entries),
      ingest: (batch) => ingestPlaced(storage, catalog, batch),
      done: (sequences) => storage.journal.done(sequences),
      onPlaced: (placed) => this.emit('instanceStored', placed),
      onFault: (message) => this.emit('fault', message),
    });
    this.#store = new StoreService(storage, this.#queue, now);
    this.#trash = new Trash({
      storage,
      catalog,
      overrides,
      now,
      withoutReceptions: (uids, work) =>
        this.#store.withoutReceptions(uids, () => storage.withoutPlacing(work)),
      onFault: (message) => this.emit('fault', message),
    });
  }

  /** Call once before anything else: replays the durable record, and what daemons that have gone have left, and
   *  finishes interrupted deletions. Resolves with the number of records looked at. */
  async open(): Promise<number> {
    const replayed = await replayJournal(this.#replaySite, this.#storage.journal);
    const adopted = await this.adopt();
    await this.#trash.finish();
    return replayed + adopted;
  }

  /** Brings in what daemons that have gone since have left. Resolves with the number of records looked at. */
  adopt(): Promise<number> {
    this.#adopting ??= this.#adopt().finally(() => {
      this.#adopting = undefined;
    });
    return this.#adopting;
  }

  /** See StoreService.store. Throws ArchiveError. */
  store(input: StoreInput, dataSet: ByteSource, claim?: Claim): Promise<Stored> {
    const characterSetOverride = this.#overrides(input.sourceAeTitle);
    return this.#store.store(
      characterSetOverride === undefined ? input : { ...input, characterSetOverride },
      dataSet,
      claim,
    );
  }

  /** Matches in pages; sees everything that was acknowledged before the call. Throws ArchiveError 'catalog-unavailable'. */
  find(query: Query): AsyncIterable<readonly Match[]> {
    return this.#asked(() => this.#catalog.find(query));
  }

  /** Part of the list of matching studies, newest first; sees what `find` sees. Throws ArchiveError, 'invalid-request' for
   *  an `after` or a `limit` that makes no sense. */
  studyPage(request: StudyPageRequest): Promise<StudyPage> {
    return this.#answered(() => this.#catalog.studyPage(request));
  }

  /** Instances to retrieve, in pages, by series and instance number. */
  select(selection: SelectKeys): AsyncIterable<readonly InstanceLocation[]> {
    return this.#asked(() => this.#catalog.select(selection));
  }

  /** The data set bytes of one instance as they were received. Throws ArchiveError. */
  openInstance(instance: InstanceLocation): Promise<FileRange> {
    return openDataSet(this.#storage, instance);
  }

  /** Reads an instance again and compares it with what was received. */
  async prove(instance: InstanceLocation): Promise<Proof> {
    const proof = await proveInstance(this.#storage, instance);
    if (proof !== 'intact') this.emit('suspect', instance);
    return proof;
  }

  /** As `openInstance`, for whoever is to hold the instance as we do: never gives out the last bytes of a damaged one. */
  openProved(instance: InstanceLocation): Promise<ProvedDataSet> {
    return ProvedDataSet.open(this.#storage, instance, () => this.emit('suspect', instance));
  }

  /** As `openTranscoded`, of what has been read and compared before. Throws ArchiveError 'instance-damaged'. */
  async openProvedTranscoded(
    instance: InstanceLocation,
    transferSyntaxUid: string,
    signal: AbortSignal,
  ): Promise<ByteSource> {
    if ((await this.prove(instance)) !== 'intact') throw damaged(instance);
    return this.openTranscoded(instance, transferSyntaxUid, signal);
  }

  /** Its file, head and all, as it is stored. Throws ArchiveError. */
  openFile(instance: InstanceLocation): Promise<FileRange> {
    return openFile(this.#storage, instance);
  }

  /** Whether `openTranscoded` can give this instance in `transferSyntaxUid` without changing a pixel. */
  canTranscode(instance: InstanceLocation, transferSyntaxUid: string): boolean {
    return canTranscode(instance.location.transferSyntaxUid, transferSyntaxUid);
  }

  /** The data set in another, uncompressed transfer syntax; reading rejects when it cannot be done exactly. */
  openTranscoded(instance: InstanceLocation, transferSyntaxUid: string, signal: AbortSignal): ByteSource {
    return transcode(this.#storedDataSet(instance), transferSyntaxUid, signal);
  }

  /** A PNG of the instance's middle frame, no side longer than `size`. Rejects with a RenderError. */
  thumbnail(instance: InstanceLocation, size: number, signal: AbortSignal): Promise<Uint8Array> {
    return renderThumbnail(this.#storedDataSet(instance), instance.location.sha256, size, signal);
  }

  /** Moves a patient, study, series or instance to the trash; see Trash. Throws ArchiveError. */
  delete(target: DeletionTarget, by: string, reason: string): Promise<TrashEntry> {
    return this.#trash.delete(target, by, reason);
  }

  /** Brings back what one deletion took. */
  restore(trashId: string): Promise<Restored> {
    return this.#trash.restore(trashId);
  }

  /** Deletions that can be undone, newest first. */
  trash(): AsyncIterable<TrashEntry> {
    return this.#trash.list();
  }

  /** Destroys what was deleted before this moment, for good. */
  emptyTrash(olderThan: Date): Promise<Emptied> {
    return this.#trash.empty(olderThan);
  }

  /** Brings interrupted deletions to their end, as `open` does. */
  finishDeletions(): Promise<void> {
    return this.#trash.finish();
  }

  /** Nothing of this patient can be deleted until `unprotect`. */
  protect(patient: PatientKey, by: string, reason: string): Promise<void> {
    return this.#trash.protect(patient, by, reason);
  }

  /** false when the patient was not protected. */
  unprotect(patient: PatientKey): Promise<boolean> {
    return this.#trash.unprotect(patient);
  }

  protections(): Promise<readonly Protection[]> {
    return this.#trash.protections();
  }

  /** What proves each instance of a study: hash, origin, and when it was last read again. Empty when it is not here. */
  async proof(studyUid: string): Promise<readonly ProvenInstance[]> {
    return this.#answered(() => this.#catalog.ask('proof', studyUid));
  }

  /** What came in on each of the last `days` days and is still kept, oldest first. */
  async intake(days: number): Promise<readonly IntakeOfDay[]> {
    const from = new Date(this.#now().getTime() - days * 86_400_000).toISOString().slice(0, 10);
    const intake = await this.#answered(() => this.#catalog.ask('intake', from));
    return intake.filter(({ files }) => files > 0);
  }

  /** Room on the volume, and when it will be used up. */
  async spaceForecast(): Promise<SpaceForecast> {
    const intake = await this.intake(FORECAST_DAYS);
    return forecastSpace(await this.#storage.space(), intake, this.#now());
  }

  /** Runs `work` while none of these instances is being received; see StoreService. */
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.#store.withoutReceptions(sopInstanceUids, work);
  }

  /** Instances stored and journaled, not yet in the catalogue. */
  get pendingInstances(): number {
    return this.#queue.depth;
  }

  /** Rejects with ArchiveError 'catalog-unavailable' when queries would. */
  counts(): ReturnType<Catalog['counts']> {
    return this.#answered(() => this.#catalog.counts());
  }

  /** Brings what waits into the catalogue; storage and catalogue are closed by who opened them. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#adopting?.catch(() => undefined);
    await this.#queue.close();
  }

  async #adopt(): Promise<number> {
    let count = 0;
    await this.#storage.adopt(async ({ journal }) => {
      for (const fault of journal.faults) this.emit('fault', `the durable record is damaged: ${fault}`);
      count += await replayJournal(this.#replaySite, journal);
    });
    return count;
  }

  get #replaySite(): ReplaySite {
    return {
      storage: this.#storage,
      catalog: this.#catalog,
      overrides: this.#overrides,
      signal: this.#closing.signal,
      onFault: (message) => this.emit('fault', message),
    };
  }

  #storedDataSet({ location }: InstanceLocation): StoredDataSet {
    const { path, dataSetOffset, transferSyntaxUid } = location;
    return { path: `${this.#storage.root}/${path}`, dataSetOffset, transferSyntaxUid };
  }

  async #answered<T>(answer: () => Promise<T>): Promise<T> {
    try {
      await this.#queue.settled();
      return await answer();
    } catch (error) {
      throw unavailable(error);
    }
  }

  async *#asked<T>(pages: () => AsyncIterable<T>): AsyncIterable<T> {
    try {
      await this.#queue.settled();
      yield* pages();
    } catch (error) {
      throw unavailable(error);
    }
  }
}
