// What the catalogue knows of deletions: who, when and why, and which files wait in the trash. No SQL here.

import type { DicomJson } from '../dicom/dicom-json.ts';
import type { QueryLevel, SelectKeys } from './location.ts';

/** `deleting`, `restoring` and `emptying` are under way, and finished at the next start when they are interrupted. */
export type TrashState = 'deleting' | 'trashed' | 'restoring' | 'emptying';

export interface Deletion {
  readonly id: string;
  readonly level: QueryLevel;
  /** What was to be deleted. */
  readonly keys: SelectKeys;
  /** Of what was deleted and of the levels above. */
  readonly attributes: DicomJson;
  /** ISO 8601. */
  readonly deletedAt: string;
  readonly deletedBy: string;
  readonly reason: string;
}

export interface TrashEntry extends Deletion {
  readonly state: TrashState;
  /** That are in the trash now, older contents included. */
  readonly files: number;
  readonly bytes: number;
}

/** One content of an instance, in the trash. */
export interface TrashItem {
  readonly id: number;
  readonly sopInstanceUid: string;
  /** Where it was. */
  readonly path: string;
  readonly sha256: string;
  readonly receivedAt: string;
  readonly fileBytes: number;
}

export interface PatientKey {
  readonly id: string;
  readonly issuer: string;
}

/** Patients that cannot be deleted, and who wanted that. */
export interface Protection extends PatientKey {
  readonly protectedAt: string;
  readonly protectedBy: string;
  readonly reason: string;
}

export interface TrashOperations {
  /** Begins a deletion that has taken nothing yet. */
  trashOpen: { request: Deletion & { readonly state: TrashState }; answer: undefined };
  /** Takes instances with their older contents out of the index and into the trash, in one transaction; answers what
   *  this deletion has taken of them, oldest content first. Rejects with 'catalog-protected' when a patient among them
   *  is protected; then nothing is taken. */
  trashTake: {
    request: { readonly trash: string; readonly sopInstanceUids: readonly string[] };
    answer: readonly TrashItem[];
  };
  /** Adds files that are in the trash already, for a catalogue that was lost. */
  trashAdd: {
    request: { readonly trash: string; readonly items: readonly Omit<TrashItem, 'id'>[] };
    answer: undefined;
  };
  /** false when the deletion is not in the state `from` (or there is none). */
  trashState: {
    request: { readonly trash: string; readonly from: readonly TrashState[]; readonly to: TrashState };
    answer: boolean;
  };
  /** Newest first, those before `before` (a `deletedAt` and `id`), in pages. */
  trashList: { request: { readonly before?: readonly [string, string] }; answer: readonly TrashEntry[] };
  trashEntry: { request: string; answer: TrashEntry | undefined };
  /** Deletions that are under way, or were when the program ended; oldest first. */
  trashUnfinished: { request: undefined; answer: readonly TrashEntry[] };
  /** Of one deletion, by SOP Instance UID and oldest content first, in pages behind `after`. */
  trashItems: {
    request: { readonly trash: string; readonly after?: TrashItem };
    answer: readonly TrashItem[];
  };
  /** The contents of one instance in any trash. */
  trashOf: { request: string; answer: readonly (TrashItem & { readonly trash: string })[] };
  /** These are no longer in the trash. */
  trashDrop: {
    request: { readonly trash: string; readonly items: readonly TrashItem[] };
    answer: undefined;
  };
  /** The deletion with all that is left of it. */
  trashForget: { request: string; answer: undefined };
  protect: { request: Protection; answer: undefined };
  unprotect: { request: PatientKey; answer: boolean };
  protections: { request: undefined; answer: readonly Protection[] };
}
