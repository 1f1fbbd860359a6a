// Tells a peer how its storage commitment ended: N-EVENT-REPORT (PS3.4 §J.3.3, PS3.7 §10.1.1).

import { STORAGE_COMMITMENT_PUSH_MODEL, STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE } from '../dicom/sop-class.ts';
import { type CommitmentReport, encodeReport } from '../dicom/storage-commitment.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Invoker } from '../dimse/invoker.ts';
import { isWarning, Status, statusText } from '../dimse/status.ts';
import type { AcceptedContext } from '../ul/association.ts';
import { associate, type PeerAddress } from './associate.ts';

/** Event types (PS3.4 Table J.3-2). */
const EVENT = { allCommitted: 1, failuresExist: 2 } as const;

/** Over an association of our own, on which we are the SCP (PS3.7 §D.3.3.4). Resolves when the peer took the report. */
export async function reportCommitment(
  peer: PeerAddress,
  callingAeTitle: string,
  report: CommitmentReport,
  signal: AbortSignal,
): Promise<void> {
  const transferSyntaxes = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
  const proposal = { abstractSyntax: STORAGE_COMMITMENT_PUSH_MODEL, transferSyntaxes, scu: false, scp: true };
  const invoker = await associate(peer, callingAeTitle, [proposal], signal);
  const { association } = invoker;
  const abort = () => association.abort();
  signal.addEventListener('abort', abort);
  try {
    // Deviation (PS3.7 §D.3.3.4): reports also where the peer's answer leaves out our role, because old modalities
    // know nothing of role selection and take the report all the same.
    const [context] = association.contexts.values();
    if (context === undefined) {
      throw new DimseError(Status.sopClassNotSupported, `${peer.aeTitle} takes no reports on this port.`, {
        code: 'no-presentation-context',
      });
    }
    await sendReport(invoker, context, report, callingAeTitle);
    // The peer has it: one that is clumsy about the release has lost nothing.
    await association.release().catch(abort);
  } finally {
    signal.removeEventListener('abort', abort);
    association.abort();
  }
}

/** Over an association that is open. Rejects when it ends before the answer, or the answer is a failure. */
export async function sendReport(
  invoker: Invoker,
  context: AcceptedContext,
  report: CommitmentReport,
  retrieveAeTitle: string,
): Promise<void> {
  const { command } = await invoker.request(
    context,
    {
      commandField: CommandField.nEventReportRq,
      affectedSopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
      affectedSopInstanceUid: STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
      eventTypeId: report.failed.length === 0 ? EVENT.allCommitted : EVENT.failuresExist,
    },
    encodeReport(report, retrieveAeTitle, context.transferSyntax),
  );
  const status = command.status ?? Status.processingFailure;
  if (status === Status.success || isWarning(status)) return;
  throw new DimseError(status, `The peer answered the report with ${statusText(status)}.`);
}
