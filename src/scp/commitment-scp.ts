// Storage Commitment SCP, Push Model: N-ACTION (PS3.4 §J.3.2). Thin: checks the request, has it written down, answers.

import { setImmediate } from 'node:timers/promises';
import { DicomError } from '../dicom/errors.ts';
import { STORAGE_COMMITMENT_PUSH_MODEL, STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE } from '../dicom/sop-class.ts';
import { type CommitmentRequest, decodeRequest, MAX_COMMITMENT_BYTES } from '../dicom/storage-commitment.ts';
import type { CommandSet } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Service, ServiceRequest } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import type { Commitments } from '../jobs/commitments.ts';
import { sendReport } from '../scu/commitment-report.ts';
import { collect } from '../util/byte-source.ts';

const REQUEST_STORAGE_COMMITMENT = 1;

export function commitmentScp(commitments: Commitments, aeTitle: () => string): Service {
  return async (request) => {
    const { association, invoker, context, command } = request;
    requireCommitment(command);
    const asked = await readRequest(request);
    const answered = Promise.withResolvers<void>();
    await commitments.accept(
      association.callingAeTitle,
      asked,
      async (report) => {
        await answered.promise;
        await sendReport(invoker, context, report, aeTitle());
      },
      association.signal,
    );
    // The response leaves as soon as this function has returned; the report must not overtake it.
    void setImmediate().then(answered.resolve);
    return { status: Status.success, actionTypeId: REQUEST_STORAGE_COMMITMENT };
  };
}

/** PS3.7 §10.1.4.1.10. Deviation (PS3.7 Table 10.1-4): accepts a request that leaves out its SOP Class or Instance UID,
 *  because there is only one of each. */
function requireCommitment({
  requestedSopClassUid,
  requestedSopInstanceUid,
  actionTypeId,
}: CommandSet): void {
  if ((requestedSopClassUid ?? STORAGE_COMMITMENT_PUSH_MODEL) !== STORAGE_COMMITMENT_PUSH_MODEL) {
    throw refused(Status.noSuchSopClass, `No such SOP class: ${requestedSopClassUid}.`);
  }
  const instance = requestedSopInstanceUid ?? STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE;
  if (instance !== STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE) {
    throw refused(Status.noSuchObjectInstance, `No such instance: ${requestedSopInstanceUid}.`);
  }
  if (actionTypeId !== REQUEST_STORAGE_COMMITMENT) {
    throw refused(Status.noSuchAction, `No such action: ${actionTypeId ?? 'none given'}.`);
  }
}

async function readRequest({ dataSet, context }: ServiceRequest): Promise<CommitmentRequest> {
  if (dataSet === undefined) throw refused(Status.noSuchArgument, 'The request has no Action Information.');
  try {
    return decodeRequest(await collect(dataSet, MAX_COMMITMENT_BYTES), context.transferSyntax);
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    const status = error.code === 'limit' ? Status.resourceLimitation : Status.invalidArgumentValue;
    throw new DimseError(status, error.message, { code: 'commitment-unreadable', cause: error });
  }
}

function refused(status: number, comment: string): DimseError {
  return new DimseError(status, comment, { code: 'commitment-refused' });
}
