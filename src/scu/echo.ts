// Verification SCU: C-ECHO (PS3.4 Annex A).

import { VERIFICATION } from '../dicom/sop-class.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import { Status, statusText } from '../dimse/status.ts';
import { UlError } from '../ul/errors.ts';
import { type AssociateTimes, associate, type PeerAddress } from './associate.ts';

export interface EchoTimes extends AssociateTimes {
  /** How long the answer to the C-ECHO itself may take. */
  readonly answerMs?: number;
}

const ANSWER_MS = 30_000;

/** Resolves when the peer answered Success; rejects with UlError, AssociationRejectedError or DimseError. */
export async function echo(
  peer: PeerAddress,
  callingAeTitle: string,
  times: EchoTimes = {},
  signal?: AbortSignal,
): Promise<void> {
  const contexts = [{ abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] }];
  const invoker = await associate(peer, callingAeTitle, contexts, signal, times);
  const { answerMs = ANSWER_MS } = times;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new UlError('ul-cancelled', `no answer to C-ECHO within ${answerMs / 1000} s`)),
    answerMs,
  );
  try {
    const [context] = invoker.association.contexts.values();
    if (context === undefined) {
      throw new DimseError(
        Status.sopClassNotSupported,
        'The peer accepted the association but not Verification.',
        {
          code: 'no-presentation-context',
        },
      );
    }
    const { command } = await Promise.race([
      invoker.request(context, {
        commandField: CommandField.cEchoRq,
        affectedSopClassUid: VERIFICATION,
      }),
      late,
    ]);
    if (command.status !== Status.success) {
      throw new DimseError(
        command.status ?? 0,
        `The peer answered C-ECHO with ${statusText(command.status ?? 0)}.`,
      );
    }
    await invoker.association.release();
  } finally {
    clearTimeout(timer);
    invoker.association.abort();
  }
}
