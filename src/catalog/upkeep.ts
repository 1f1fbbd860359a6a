// What the catalogue knows of the care for what is stored: what came in when, when each file was last read again, what
// was found wrong and what was done about it. No SQL here.

import type { InstanceLocation, StoredLocation } from './location.ts';

export interface IntakeOfDay {
  /** UTC, yyyy-mm-dd. */
  readonly day: string;
  /** Received that day and still kept, older contents included. */
  readonly files: number;
  readonly bytes: number;
}

/** What reading a file again showed; `unknown` are files that nobody has listed. */
export type FindingKind =
  | 'missing'
  | 'unreadable'
  | 'permissions'
  | 'not-a-file'
  | 'truncated'
  | 'meta-altered'
  | 'data-altered'
  | 'swapped'
  | 'unknown';

export interface Verification {
  /** '' when it was never read again since it came. */
  readonly verifiedAt: string;
  readonly result: '' | 'sound' | FindingKind;
}

/** An instance whose turn it is. */
export interface DueInstance extends InstanceLocation, Verification {
  readonly id: number;
}

export interface ProvenInstance extends Verification {
  readonly sopInstanceUid: string;
  readonly seriesUid: string;
  readonly location: StoredLocation;
}

/** All that it takes to prove a file. */
export type Fingerprint = Pick<StoredLocation, 'path' | 'sha256' | 'dataSetOffset' | 'dataSetBytes'>;

/** `accepted`: somebody has decided to leave it as it is. */
export type FindingState = 'open' | 'solved' | 'accepted';

export interface Finding {
  readonly id: number;
  readonly kind: FindingKind;
  readonly path: string;
  /** SOP Instance UID, '' of an unknown file. */
  readonly sopInstanceUid: string;
  readonly reason: string;
  readonly foundAt: string;
  readonly state: FindingState;
  /** '' while it is open. */
  readonly closedAt: string;
}

export interface FindingAction {
  readonly at: string;
  readonly by: string;
  readonly action: string;
  readonly outcome: string;
}

/** `running` with no end: the program ended in the middle, and the next run goes on. */
export interface CheckRun {
  readonly id: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly state: 'running' | 'done' | 'stopped' | 'failed';
  readonly files: number;
  readonly bytes: number;
  readonly findings: number;
  readonly repaired: number;
}

export type NoticeLevel = 'info' | 'warning' | 'urgent';

export interface Notice {
  /** Two notices of one key are one. */
  readonly key: string;
  readonly code: string;
  readonly level: NoticeLevel;
  readonly params: Readonly<Record<string, string | number>>;
  readonly at: string;
}

export interface UpkeepOperations {
  /** Of the days from this one on, oldest first; those on which nothing came are left out. */
  intake: { request: string; answer: readonly IntakeOfDay[] };
  /** Instances last read before this moment, longest ago first. */
  due: { request: { readonly before: string; readonly limit: number }; answer: readonly DueInstance[] };
  /** Only where the content is still this one. */
  verified: {
    request: readonly (Verification & { readonly id: number; readonly sha256: string })[];
    answer: undefined;
  };
  /** The same content lies in a file made anew. */
  relocate: {
    request: { readonly sopInstanceUid: string; readonly location: StoredLocation };
    answer: undefined;
  };
  proof: { request: string; answer: readonly ProvenInstance[] };
  /** Of the current files of these instances, as far as they are known, in any order. */
  fingerprints: { request: readonly string[]; answer: readonly Fingerprint[] };
  /** Adds a finding, or answers the one of this path and kind that is open or accepted already. */
  report: {
    request: Omit<Finding, 'id' | 'state' | 'closedAt'>;
    answer: { readonly finding: Finding; readonly isNew: boolean };
  };
  finding: {
    request: number;
    answer: { readonly finding: Finding; readonly actions: readonly FindingAction[] } | undefined;
  };
  /** Newest first, in pages; `below` an id. */
  findings: {
    request: { readonly state?: FindingState; readonly below?: number };
    answer: readonly Finding[];
  };
  openFindings: { request: undefined; answer: number };
  /** Notes what was done about a finding; `state` when that ends it. */
  act: {
    request: FindingAction & { readonly finding: number; readonly state?: FindingState };
    answer: undefined;
  };
  /** Ends open findings of this path: it is sound again. */
  solve: { request: FindingAction & { readonly path: string }; answer: undefined };
  beginRun: { request: string; answer: number };
  updateRun: { request: CheckRun; answer: undefined };
  /** Newest first. */
  runs: { request: number; answer: readonly CheckRun[] };
  raise: { request: Notice; answer: boolean };
  /** false when there was none. */
  clear: { request: string; answer: boolean };
  notices: { request: undefined; answer: readonly Notice[] };
  progress: { request: string; answer: string | undefined };
  setProgress: { request: { readonly name: string; readonly value: string }; answer: undefined };
}
