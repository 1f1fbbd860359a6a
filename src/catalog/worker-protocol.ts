// What the thread of the catalogue is asked and what it answers. A page of matches travels as one JSON text, which is
// copied at once while objects are walked through; an entity above many matches is in it once.

import type { DicomJson } from '../dicom/dicom-json.ts';
import type { Counts, InstanceLocation, SelectKeys, StoredLocation, StudyPageRequest } from './catalog.ts';
import type { CatalogErrorCode } from './errors.ts';
import type { FindRequest } from './find.ts';
import type { IngestRecord } from './ingest-record.ts';
import type { SingleOperations } from './single-operations.ts';
import type { StoreCall } from './stores.ts';

export interface Operations extends SingleOperations {
  ingest: { request: readonly IngestRecord[]; answer: undefined };
  locate: { request: string; answer: InstanceLocation | undefined };
  superseded: { request: string; answer: readonly StoredLocation[] };
  counts: { request: undefined; answer: Counts };
  find: { request: Opening<FindRequest>; answer: MatchPage };
  findMore: { request: number; answer: MatchPage };
  studyPage: { request: StudyPageRequest; answer: StudyMatches };
  select: { request: Opening<SelectKeys>; answer: LocationPage };
  selectMore: { request: number; answer: LocationPage };
  /** A method of one of the stores. */
  call: { request: StoreCall; answer: unknown };
  /** Ends a search early. */
  stop: { request: number; answer: undefined };
  close: { request: undefined; answer: undefined };
}

export type Operation = keyof Operations;

/** Starts a search under a number that the asker chooses. */
export interface Opening<T> {
  readonly search: number;
  readonly request: T;
}

export interface PageMatch {
  /** Its entity and those above it, from the top, as places in `entities`. */
  readonly places: readonly number[];
  readonly bytes: number;
  readonly receivedAt: string;
}

/** What `Matches.json` says. */
export interface PageContent {
  /** The attributes of each entity of the page. */
  readonly entities: readonly DicomJson[];
  readonly matches: readonly PageMatch[];
}

export interface Matches {
  readonly json: string;
}

export interface MatchPage extends Matches {
  readonly done: boolean;
}

/** See StudyPage. */
export interface StudyMatches extends Matches {
  readonly next: string | undefined;
}

export interface LocationPage {
  readonly done: boolean;
  readonly locations: readonly InstanceLocation[];
}

export type RequestMessage = {
  [O in Operation]: {
    readonly id: number;
    readonly operation: O;
    readonly request: Operations[O]['request'];
  };
}[Operation];

/** What an administrator should know about a catalogue that was opened. */
export type Opened = readonly string[];

export type AnswerMessage =
  | { readonly id: number; readonly answer: Operations[Operation]['answer'] | Opened }
  | { readonly id: number; readonly error: { readonly code: CatalogErrorCode; readonly message: string } };

/** The id of the message that tells whether the catalogue could be opened. */
export const OPENED = 0;
