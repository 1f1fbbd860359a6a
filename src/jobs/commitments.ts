// Takes storage commitments from peers: durable before it is answered, and once for one transaction.

import { createHash } from 'node:crypto';
import type { CommitmentRequest } from '../dicom/storage-commitment.ts';
import { type CommitmentPayload, packReference } from './commitment-job.ts';
import type { JobQueue } from './job-queue.ts';
import type { OpenReports, ReportOver } from './open-reports.ts';

/** Many modalities close the association on which they asked before they listen for the report. */
const REPORT_DELAY_MS = 1000;

export class Commitments {
  readonly #queue: JobQueue;
  readonly #open: OpenReports;
  readonly #now: () => Date;

  constructor(queue: JobQueue, open: OpenReports, now: () => Date) {
    this.#queue = queue;
    this.#open = open;
    this.#now = now;
  }

  /** Resolves when the request is durable. A transaction that is repeated while it is pending gets one report, one
   *  that is repeated after its report gets another. */
  async accept(
    peer: string,
    request: CommitmentRequest,
    over: ReportOver,
    signal: AbortSignal,
  ): Promise<void> {
    const { transactionUid, references } = request;
    const instances = references.map(packReference);
    const payload: CommitmentPayload = { peer, transactionUid, instances };
    const key = `commitment ${peer} ${transactionUid}`;
    const digest = createHash('sha256').update(instances.join('\n')).digest('hex').slice(0, 16);
    const title = { peer, transaction: transactionUid, instances: `${references.length}`, digest };
    const asked = { kind: 'commitment', title, dueAt: new Date(this.#now().getTime() + REPORT_DELAY_MS) };

    this.#open.add(key, over, signal);
    const job = await this.#queue.enqueue({ ...asked, key, payload });
    if (job.state === 'done' || job.state === 'failed' || job.state === 'cancelled') {
      await this.#queue.enqueue({ ...asked, key, payload, again: true });
      return;
    }
    if (job.title.digest === digest) {
      // The peer is there: a report that waits for it need not wait any longer.
      if (job.error !== '') await this.#queue.restart(job.id);
      return;
    }
    // Reason 0131H (PS3.3 §C.14.1.1): the transaction that came first is the one of this UID.
    const second = `${key} ${digest}`;
    this.#open.add(second, over, signal);
    await this.#queue.enqueue({
      ...asked,
      key: second,
      payload: { ...payload, isDuplicate: true },
      again: true,
    });
  }
}
