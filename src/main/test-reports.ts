// Storage commitment of the made-up study of a peer's test: asked for, and the report taken on whichever association it
// comes, before it would be taken for one of the second archive's.

import type { CommitmentReport } from '../dicom/storage-commitment.ts';
import type { StepOutcome } from '../http/peer-tests.ts';
import { requestCommitment, type TakeReport } from '../scu/commitment-request.ts';
import type { Asking } from '../scu/query-retrieve.ts';
import type { TestStudy } from './test-study.ts';

export class TestReports {
  readonly #waiting = new Map<string, (report: CommitmentReport) => void>();

  /** Reports of tests go to them, all others to `others`. */
  before(others: TakeReport): TakeReport {
    return async (peerAeTitle, report) => {
      const waiting = this.#waiting.get(report.transactionUid);
      if (waiting === undefined) await others(peerAeTitle, report);
      else waiting(report);
    };
  }

  async request(
    { peer, callingAeTitle, signal }: Asking,
    { sopClassUid, sopInstanceUid }: TestStudy,
    transactionUid: string,
    waitMs: number,
  ): Promise<StepOutcome> {
    const { promise: reported, resolve } = Promise.withResolvers<CommitmentReport | undefined>();
    this.#waiting.set(transactionUid, resolve);
    const timer = setTimeout(() => resolve(undefined), waitMs);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    try {
      const request = { transactionUid, references: [{ sopClassUid, sopInstanceUid }] };
      const take: TakeReport = async (_, report) => resolve(report);
      const over = new AbortController();
      const asked = await Promise.race([
        requestCommitment(
          peer,
          callingAeTitle,
          request,
          take,
          waitMs,
          AbortSignal.any([signal, over.signal]),
        ),
        // One that comes on another association ends the wait on this one.
        reported.then(() => 'asked' as const),
      ]);
      if (asked === 'not-offered') {
        const detail = `${peer.aeTitle} does not confirm that it keeps images safe (storage commitment); many machines do not.`;
        return { state: 'skipped', code: 'not-offered', detail };
      }
      return outcomeOf(await reported, peer.aeTitle, waitMs);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(transactionUid);
    }
  }
}

function outcomeOf(report: CommitmentReport | undefined, aeTitle: string, waitMs: number): StepOutcome {
  if (report === undefined) {
    const seconds = waitMs / 1000;
    const detail = `${aeTitle} promised to confirm that it keeps the test study and did not do so within ${seconds} s. Check the address that it has for this archive.`;
    return { state: 'failed', code: 'commit-no-report', params: { seconds }, detail };
  }
  const [failed] = report.failed;
  if (failed === undefined) return { state: 'passed' };
  const reason = `0x${failed.reason.toString(16).toUpperCase().padStart(4, '0')}`;
  const detail = `${aeTitle} says that it does not keep the test study safe (reason ${reason}).`;
  return { state: 'failed', code: 'commit-failed', params: { reason }, detail };
}
