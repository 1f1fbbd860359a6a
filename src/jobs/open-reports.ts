// Associations on which a storage commitment was asked for, as long as they are open: a way for its report.

import type { CommitmentReport } from '../dicom/storage-commitment.ts';

/** Sends the report over the association; rejects when the peer did not take it. */
export type ReportOver = (report: CommitmentReport) => Promise<void>;

export class OpenReports {
  readonly #byKey = new Map<string, { readonly over: ReportOver; readonly signal: AbortSignal }>();

  /** `signal` is aborted when the association ends. */
  add(key: string, over: ReportOver, signal: AbortSignal): void {
    if (signal.aborted) return;
    const entry = { over, signal };
    this.#byKey.set(key, entry);
    signal.addEventListener('abort', () => {
      if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
    });
  }

  find(key: string): ReportOver | undefined {
    return this.#byKey.get(key)?.over;
  }
}
