// Verification SCU: C-ECHO (PS3.4 Annex A).

import { VERIFICATION } from '../dicom/sop-class.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import { Status, statusText } from '../dimse/status.ts';
import { associate, type PeerAddress } from './associate.ts';

/** Resolves when the peer answered Success; rejects with UlError, AssociationRejectedError or DimseError. */
export async function echo(peer: PeerAddress, callingAeTitle: string): Promise<void> {
  const invoker = await associate(peer, callingAeTitle, [
    { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] },
  ]);
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
    const { command } = await invoker.request(context, {
      commandField: CommandField.cEchoRq,
      affectedSopClassUid: VERIFICATION,
    });
    if (command.status !== Status.success) {
      throw new DimseError(
        command.status ?? 0,
        `The peer answered C-ECHO with ${statusText(command.status ?? 0)}.`,
      );
    }
    await invoker.association.release();
  } finally {
    invoker.association.abort();
  }
}
