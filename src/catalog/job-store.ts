// What the catalogue keeps of jobs, and what it can be asked about them. A job is leased by one daemon at a time; whoever
// has not renewed the lease loses the job to another.

import type { Json } from '../util/json.ts';

export const JOB_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** What people read of a job: which peer, which study. */
export type JobTitle = Readonly<Record<string, string>>;

export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly state: JobState;
  /** 0 goes first. */
  readonly priority: number;
  readonly title: JobTitle;
  readonly payload: Json;
  /** What an earlier attempt wanted to be told. */
  readonly checkpoint: Json;
  readonly done: number;
  readonly total: number;
  /** How often it has been begun since it last got somewhere. */
  readonly attempts: number;
  /** How often in a row its daemon ended while it ran. */
  readonly losses: number;
  /** Why the last attempt failed; empty when it did not. */
  readonly error: string;
  readonly isCancelling: boolean;
  /** When it may run, or, of a running one, when its lease ends. */
  readonly dueAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Without what may be long. */
export type JobSummary = Omit<Job, 'payload' | 'checkpoint'>;

export interface NewJob {
  readonly kind: string;
  /** There is one job of a key. */
  readonly key: string;
  readonly priority: number;
  readonly title: JobTitle;
  readonly payload: Json;
  readonly dueAt: string;
  /** A job of this key that is there already runs again, at the latest at `dueAt`, also when it has ended or is
   *  running right now. Without it that job stays as it is. */
  readonly again?: boolean;
  readonly now: string;
}

export interface LeaseRequest {
  readonly kinds: readonly string[];
  /** Of this attempt and no other. */
  readonly token: string;
  readonly leaseMs: number;
  readonly now: string;
}

/** Nothing to lease: `nextAt` says when there may be. */
export interface Leased {
  readonly job?: Job;
  readonly nextAt?: string;
}

export interface RenewRequest {
  readonly id: number;
  readonly token: string;
  readonly leaseMs: number;
  readonly now: string;
  readonly progress?: { readonly done: number; readonly total: number };
  readonly checkpoint?: Json;
}

/** `lost`: another daemon has, or may have, the job. */
export type Renewed = 'held' | 'cancelling' | 'lost';

export type Outcome =
  | { readonly state: 'done' | 'cancelled' }
  | { readonly state: 'failed'; readonly error: string }
  /** Once more, at `dueAt`. `error` when this attempt came to nothing: attempts then count on. */
  | { readonly state: 'waiting'; readonly dueAt: string; readonly error?: string };

export interface SettleRequest {
  readonly id: number;
  readonly token: string;
  readonly outcome: Outcome;
  readonly progress?: { readonly done: number; readonly total: number };
  readonly now: string;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly kinds?: readonly string[];
  /** Ids below this one: the last of the page before. */
  readonly before?: number;
  readonly limit: number;
}

export interface JobStore {
  /** The job of this key, made when there was none. */
  enqueue(job: NewJob): Promise<Job>;
  lease(request: LeaseRequest): Promise<Leased>;
  renew(request: RenewRequest): Promise<Renewed>;
  /** False when the lease was lost before. */
  settle(request: SettleRequest): Promise<boolean>;
  /** Ends a job that waits; asks for the end of one that runs. Undefined when there is no such job. */
  cancel(request: { readonly id: number; readonly now: string }): Promise<Job | undefined>;
  /** Lets a job that has failed or was cancelled begin anew, and one that waits run now. */
  restart(request: { readonly id: number; readonly now: string }): Promise<Job | undefined>;
  get(id: number): Promise<Job | undefined>;
  /** Newest first. */
  list(filter: JobFilter): Promise<readonly JobSummary[]>;
  /** How many there are, by kind and state. */
  tally(request: null): Promise<readonly { kind: string; state: JobState; jobs: number }[]>;
  /** At the start of the only daemon of a catalogue: nobody runs the jobs that were running. */
  reclaim(request: { readonly now: string }): Promise<void>;
  /** Forgets jobs that ended before. */
  sweep(request: { readonly before: string }): Promise<void>;
}
