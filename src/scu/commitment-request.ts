// Storage Commitment SCU, Push Model: asks a peer to be responsible for instances (PS3.4 Annex J), and takes reports.

import { DicomError } from '../dicom/errors.ts';
import { STORAGE_COMMITMENT_PUSH_MODEL, STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE } from '../dicom/sop-class.ts';
import {
  type CommitmentReport,
  type CommitmentRequest,
  decodeReport,
  encodeRequest,
  MAX_COMMITMENT_BYTES,
} from '../dicom/storage-commitment.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import { type Service, ServiceRegistry } from '../dimse/service-registry.ts';
import { isWarning, Status, statusText } from '../dimse/status.ts';
import { collect } from '../util/byte-source.ts';
import { associate, type PeerAddress } from './associate.ts';

/** Resolves when what the peer says is on stable storage. */
export type TakeReport = (peerAeTitle: string, report: CommitmentReport) => Promise<void>;

const REQUEST_STORAGE_COMMITMENT = 1;

/** `not-offered`: the peer has no such service. The report comes later, on this or on another association. */
export async function requestCommitment(
  peer: PeerAddress,
  callingAeTitle: string,
  request: CommitmentRequest,
  takeReport: TakeReport,
  /** How long the association is kept open for the report. */
  waitMs: number,
  signal: AbortSignal,
): Promise<'asked' | 'not-offered'> {
  const transferSyntaxes = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
  const reported = Promise.withResolvers<void>();
  const services = new ServiceRegistry().add(
    CommandField.nEventReportRq,
    (uid) => uid === STORAGE_COMMITMENT_PUSH_MODEL,
    reportService(async (_, report) => {
      await takeReport(peer.aeTitle, report);
      // Not before the response has left.
      setImmediate(reported.resolve);
    }),
  );
  const proposal = { abstractSyntax: STORAGE_COMMITMENT_PUSH_MODEL, transferSyntaxes };
  const invoker = await associate(peer, callingAeTitle, [proposal], signal, {}, services);
  const { association } = invoker;
  const abort = () => association.abort();
  signal.addEventListener('abort', abort);
  try {
    const [context] = association.contexts.values();
    if (context !== undefined) {
      const { command } = await invoker.request(
        context,
        {
          commandField: CommandField.nActionRq,
          requestedSopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
          requestedSopInstanceUid: STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
          actionTypeId: REQUEST_STORAGE_COMMITMENT,
        },
        encodeRequest(request, context.transferSyntax),
      );
      const status = command.status ?? Status.processingFailure;
      if (status !== Status.success && !isWarning(status)) {
        const words = `${peer.aeTitle} answered the storage commitment with ${statusText(status)}.`;
        throw new DimseError(status, words);
      }
      if (waitMs > 0) await answerOrTime(reported.promise, waitMs, association.signal);
    }
    await association.release().catch(abort);
    return context === undefined ? 'not-offered' : 'asked';
  } finally {
    signal.removeEventListener('abort', abort);
    association.abort();
  }
}

/** N-EVENT-REPORT of the Push Model: answered when what it says is on stable storage. */
export function reportService(takeReport: TakeReport): Service {
  return async ({ association, context, command, dataSet }) => {
    if (dataSet === undefined) {
      throw new DimseError(Status.noSuchArgument, 'The report has no Event Information.', {
        code: 'report-unreadable',
      });
    }
    const bytes = await collect(dataSet, MAX_COMMITMENT_BYTES);
    try {
      const report = decodeReport(bytes, context.transferSyntax);
      await takeReport(association.callingAeTitle, report);
    } catch (error) {
      if (!(error instanceof DicomError)) throw error;
      throw new DimseError(Status.invalidArgumentValue, error.message, {
        code: 'report-unreadable',
        cause: error,
      });
    }
    const { eventTypeId } = command;
    return { status: Status.success, ...(eventTypeId === undefined ? {} : { eventTypeId }) };
  };
}

function answerOrTime(answer: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve());
  void answer.then(resolve);
  return promise.finally(() => clearTimeout(timer));
}
