// The C-STORE sub-operations of C-MOVE and C-GET: the counts that every response carries (PS3.4 C.4.2.1, C.4.3.1).

import { encodeDataSet } from '../dicom/data-set-writer.ts';
import type { ResponseFields, ServiceRequest } from '../dimse/service-registry.ts';
import { isWarning, Status } from '../dimse/status.ts';
import type { StoreResult } from '../scu/store.ts';

/** Pending responses are optional (PS3.4 C.4.2.3, C.4.3.3). One for each instance of half a megabyte takes a sixth of
 *  the time of a retrieval, and nobody reads that fast. */
const REPORT_INTERVAL_MS = 100;
/** As many UIDs as the 64 KiB of one explicit UI element hold. */
const MAX_FAILED_UIDS = 1000;

/** Counts of one retrieval. */
export class SubOperations {
  #remaining: number;
  #completed = 0;
  #failed = 0;
  #warning = 0;
  readonly #failedUids: string[] = [];
  readonly #now: () => number;
  #reportDue = Number.NEGATIVE_INFINITY;

  constructor(total: number, now = () => performance.now()) {
    this.#remaining = total;
    this.#now = now;
  }

  /** Takes one result into the counts; true when the sub-operation failed. */
  add({ item, status }: StoreResult): boolean {
    this.#remaining = Math.max(0, this.#remaining - 1);
    if (status === Status.success) this.#completed += 1;
    else if (isWarning(status)) this.#warning += 1;
    else {
      this.#fail(item.sopInstanceUid);
      return true;
    }
    return false;
  }

  /** After each result: sends the counts in a Pending response (PS3.4 C.4.2.1.6), the first at once, then where one
   *  is due. */
  report(request: Pick<ServiceRequest, 'pending'>): Promise<void> | undefined {
    const now = this.#now();
    if (now < this.#reportDue) return undefined;
    this.#reportDue = now + REPORT_INTERVAL_MS;
    return request.pending({
      status: Status.pending,
      numberOfRemainingSubOperations: us(this.#remaining),
      ...this.#counts(),
    });
  }

  /** The final response: Success only when every sub-operation succeeded. */
  final(request: ServiceRequest): ResponseFields & { dataSet?: Buffer } {
    const isCancelled = request.cancelled.aborted;
    const status = isCancelled ? Status.cancel : this.#status();
    const fields = {
      status,
      ...(isCancelled ? { numberOfRemainingSubOperations: us(this.#remaining) } : {}),
      ...this.#counts(),
    };
    if (this.#failedUids.length === 0) return fields;
    const dataSet = encodeDataSet(
      { '00080058': { vr: 'UI', Value: this.#failedUids } },
      { transferSyntaxUid: request.context.transferSyntax },
    );
    return { ...fields, dataSet };
  }

  #status(): number {
    if (this.#failed === 0 && this.#warning === 0) return Status.success;
    return this.#completed + this.#warning === 0
      ? Status.unableToPerformSubOperations
      : Status.subOperationsWarning;
  }

  #counts() {
    return {
      numberOfCompletedSubOperations: us(this.#completed),
      numberOfFailedSubOperations: us(this.#failed),
      numberOfWarningSubOperations: us(this.#warning),
    };
  }

  #fail(sopInstanceUid: string): void {
    this.#failed += 1;
    if (this.#failedUids.length < MAX_FAILED_UIDS) this.#failedUids.push(sopInstanceUid);
  }
}

/** The counts are US: a retrieval of more than 65,535 instances stays at the largest value. */
function us(count: number): number {
  return Math.min(count, 0xffff);
}
