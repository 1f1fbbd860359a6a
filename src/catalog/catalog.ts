// The searchable index of the archive: what it is told, what it can be asked. No SQL and no threads here.

import type { DicomJson } from '../dicom/dicom-json.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { JobStore } from './job-store.ts';
import type { InstanceLocation, QueryLevel, SelectKeys, StoredLocation } from './location.ts';
import type { SingleOperations } from './single-operations.ts';

export type { InstanceLocation, QueryLevel, SelectKeys, StoredLocation } from './location.ts';

/** One received instance, its attributes already split by level (see attributeGroups). */
export interface InstanceRecord {
  readonly patient: { readonly id: string; readonly issuer: string; readonly attributes: DicomJson };
  readonly study: { readonly uid: string; readonly attributes: DicomJson };
  readonly series: { readonly uid: string; readonly attributes: DicomJson };
  readonly instance: { readonly uid: string; readonly sopClassUid: string; readonly attributes: DicomJson };
  readonly location: StoredLocation;
  /** Where the older content of this SOP Instance UID went, when there was any. */
  readonly supersededPath?: string;
  /** The content that was current when its place was decided, '' for none. If another one is when it is ingested, that
   *  fails with 'catalog-stale', unless it is the very same content. */
  readonly expectedSha256?: string;
}

export interface Query {
  readonly level: QueryLevel;
  /** Matching keys and empty return keys, without (0008,0052) and (0008,0005). */
  readonly identifier: DicomJson;
  /** Only these attributes come back. */
  readonly returnKeys?: readonly string[];
  /** Person names match by the beginnings of their parts, in any order, without accents. */
  readonly fuzzyNames?: boolean;
  /** Keys of levels below `level` count: at least one descendant must match them (PS3.4 §C.4.1.2.2).
   *  Without it they are left out of account. */
  readonly lowerLevelKeys?: boolean;
  /** A date key and its time key are one range (PS3.4 §C.2.2.2.5.3) instead of two. */
  readonly combinedDateTime?: boolean;
  /** Ends the query: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Match {
  /** Everything kept of this level and the levels above, with counters and Modalities in Study, unless the query names
   *  what is to come back. */
  readonly attributes: DicomJson;
  /** Of the current files of the entity. */
  readonly bytes: number;
  /** When the newest of its attributes came. */
  readonly receivedAt: string;
}
/** Longest page of the study list. */
export const MAX_STUDY_PAGE = 500;

/** What people type, without regard to case. Every word has to be found. */
export interface StudyText {
  /** In any of the places below. */
  readonly any?: string;
  /** Beginnings of parts of the name, also in pinyin or by its initials. */
  readonly name?: string;
  /** The beginning of the whole value. */
  readonly patientId?: string;
  readonly accessionNumber?: string;
  /** Beginnings of words of the description. */
  readonly description?: string;
}

export interface StudyPageRequest {
  /** As in Query, at STUDY level. */
  readonly identifier: DicomJson;
  readonly fuzzyNames?: boolean;
  readonly text?: StudyText;
  /** `next` of the page before; another one is refused with catalog-request. */
  readonly after?: string;
  /** How many studies at most, 1 to MAX_STUDY_PAGE. */
  readonly limit: number;
}

export interface StudyPage {
  readonly studies: readonly Match[];
  /** Where the list goes on; missing at its end. A page that has it may hold fewer studies than asked for, even none:
   *  what is looked through for one page is bounded. */
  readonly next?: string;
}

export interface Counts {
  readonly patients: number;
  readonly studies: number;
  readonly series: number;
  readonly instances: number;
  /** Of the current files. */
  readonly bytes: number;
}

export interface Catalog {
  /** One durable transaction. Idempotent: content that is current or listed already changes nothing. The
   *  content received last is current, older content stays listed as superseded. */
  ingest(batch: readonly InstanceRecord[]): Promise<void>;
  /** The current content of one SOP Instance UID. */
  locate(sopInstanceUid: string): Promise<InstanceLocation | undefined>;
  /** Older contents of one SOP Instance UID, newest first. */
  superseded(sopInstanceUid: string): Promise<readonly StoredLocation[]>;
  /** Matches in pages; memory does not grow with their number. */
  find(query: Query): AsyncIterable<readonly Match[]>;
  /** Part of the list of studies that match, newest Study Date first, undated ones last. */
  studyPage(request: StudyPageRequest): Promise<StudyPage>;
  /** Instances to retrieve, in pages, series by series in order of Instance Number. */
  select(keys: SelectKeys): AsyncIterable<readonly InstanceLocation[]>;
  counts(): Promise<Counts>;
  /** The durable queue. */
  readonly jobs: JobStore;
  /** Single questions with single answers, such as those about the trash; see the operations themselves. */
  ask<O extends keyof SingleOperations>(
    operation: O,
    request: SingleOperations[O]['request'],
  ): Promise<SingleOperations[O]['answer']>;
  /** What goes to other archives, and how far it is. */
  readonly deliveries: DeliveryStore;
  close(): Promise<void>;
}
