// What has to go to other archives and workstations, and how far it is: one row per instance and destination, made in
// the transaction that brings the instance into the index. It tells what is known, never what is hoped for.

export const DELIVERY_STATES = ['due', 'sent', 'committed', 'refused'] as const;
/** `sent`: the destination answered Success. `committed`: it said that these bytes are safe there. `refused`: it will
 *  not take them, whatever is tried. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Where an instance goes; after `quietS` seconds in which nothing more of its study came. */
export interface Route {
  readonly destination: string;
  readonly quietS: number;
}

export interface Delivery {
  readonly id: number;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly studyUid: string;
  /** Of the content that is due or was sent. */
  readonly sha256: string;
  readonly attempts: number;
}

/** One instance that was sent, with the content that went. */
export interface SentDelivery {
  readonly id: number;
  /** As the row had it: content that came meanwhile is still due. */
  readonly was: string;
  readonly sha256: string;
}

export interface FailedDelivery {
  readonly id: number;
  readonly was: string;
  readonly error: string;
  /** When to try again; none when that makes no sense. */
  readonly readyAt: string | undefined;
}

export interface Lag {
  readonly due: number;
  readonly sent: number;
  readonly refused: number;
  /** Of what is due or sent. */
  readonly openBytes: number;
  /** Since when the oldest of them waits. */
  readonly oldestAt: string | undefined;
}

export interface StudyDelivery {
  readonly studyUid: string;
  readonly destination: string;
  readonly due: number;
  readonly sent: number;
  readonly committed: number;
  readonly refused: number;
}

export interface UncommittedDelivery {
  readonly id: number;
  readonly studyUid: string;
  readonly sopInstanceUid: string;
  readonly sentAt: string;
  /** When commitment was asked for; empty when it was not. */
  readonly askedAt: string;
}

/** What has waited for too long, no more than LOOKED_AT of either kind; and what was said of the oldest of them. */
export interface LateDeliveries {
  /** Not sent. */
  readonly due: number;
  readonly dueError: string;
  /** Sent, and asked about or even denied. */
  readonly unconfirmed: number;
  readonly unconfirmedError: string;
  /** Sent, and nothing was asked. */
  readonly unasked: number;
}

export interface DeliveryStore {
  /** What may go now, oldest first. */
  take(request: {
    readonly destination: string;
    readonly now: string;
    readonly limit: number;
  }): Promise<readonly Delivery[]>;
  /** When something will be due, or an answer is overdue that was asked for `patienceMs` before. */
  nextAt(request: { readonly destination: string; readonly patienceMs: number }): Promise<string | null>;
  sent(request: { readonly deliveries: readonly SentDelivery[]; readonly now: string }): Promise<void>;
  failed(request: { readonly deliveries: readonly FailedDelivery[] }): Promise<void>;
  /** The instances are not here any more. */
  drop(request: { readonly ids: readonly number[] }): Promise<void>;
  /** What was sent and not asked about yet, now under this transaction. */
  assign(request: {
    readonly destination: string;
    readonly transactionUid: string;
    readonly now: string;
    readonly limit: number;
  }): Promise<readonly Delivery[]>;
  /** Transactions begun before are to be asked about anew, or this one. */
  release(request: {
    readonly destination: string;
    readonly askedBefore?: string;
    readonly transactionUid?: string;
  }): Promise<void>;
  /** What the destination says of a transaction. False when it knows nothing of it. */
  reported(request: {
    readonly destination: string;
    readonly transactionUid: string;
    readonly committed: readonly string[];
    readonly failed: readonly { readonly sopInstanceUid: string; readonly error: string }[];
    readonly now: string;
    /** For what failed. */
    readonly readyAt: string;
  }): Promise<boolean>;
  /** Adds what is in the index and has no row for this destination. `after` is the last row looked at. */
  fill(request: {
    readonly destination: string;
    readonly after: number;
    readonly limit: number;
    readonly now: string;
  }): Promise<{ readonly after: number; readonly added: number; readonly isDone: boolean }>;
  lag(request: { readonly destination: string }): Promise<Lag>;
  /** What has been open since before that time. */
  late(request: { readonly destination: string; readonly before: string }): Promise<LateDeliveries>;
  ofStudies(request: { readonly studyUids: readonly string[] }): Promise<readonly StudyDelivery[]>;
  uncommitted(request: {
    readonly destination: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly UncommittedDelivery[]>;
  /** Which of these instances are committed elsewhere with the content that they have here. */
  committedOf(request: { readonly sopInstanceUids: readonly string[] }): Promise<readonly string[]>;
}
