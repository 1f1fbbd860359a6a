// Query/Retrieve SCU, Study Root: asks a peer for a study (C-FIND) and to send it somewhere (C-MOVE) (PS3.4 Annex C).

import { encodeDataSet } from '../dicom/data-set-writer.ts';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { STUDY_ROOT_FIND, STUDY_ROOT_MOVE } from '../dicom/sop-class.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField, Priority } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Invoker, RequestFields } from '../dimse/invoker.ts';
import { Status, statusText } from '../dimse/status.ts';
import type { AcceptedContext } from '../ul/association.ts';
import { type AssociateTimes, associate, type PeerAddress } from './associate.ts';
import { imageIdentifier, type WantedInstance } from './get.ts';

export interface Asking {
  readonly peer: PeerAddress;
  readonly callingAeTitle: string;
  readonly signal: AbortSignal;
  readonly times?: AssociateTimes;
}

/** How many studies of this UID the peer finds. Rejects with UlError, AssociationRejectedError or DimseError. */
export function findStudy(asking: Asking, studyUid: string): Promise<number> {
  return withContext(asking, STUDY_ROOT_FIND, async (invoker, context) => {
    let matches = 0;
    const identifier: DicomJson = {
      '00080020': { vr: 'DA' },
      '00080052': { vr: 'CS', Value: ['STUDY'] },
      '00100020': { vr: 'LO' },
      '0020000D': { vr: 'UI', Value: [studyUid] },
    };
    const fields = { commandField: CommandField.cFindRq, affectedSopClassUid: STUDY_ROOT_FIND };
    await ask(invoker, context, fields, identifier, () => {
      matches += 1;
    });
    return matches;
  });
}

/** Has the peer send the study to the AE title `destination`. */
export function moveStudy(asking: Asking, studyUid: string, destination: string): Promise<void> {
  const identifier: DicomJson = {
    '00080052': { vr: 'CS', Value: ['STUDY'] },
    '0020000D': { vr: 'UI', Value: [studyUid] },
  };
  return move(asking, identifier, destination);
}

/** Has the peer send one instance to the AE title `destination`. */
export function moveInstance(asking: Asking, wanted: WantedInstance, destination: string): Promise<void> {
  return move(asking, imageIdentifier(wanted), destination);
}

function move(asking: Asking, identifier: DicomJson, destination: string): Promise<void> {
  return withContext(asking, STUDY_ROOT_MOVE, async (invoker, context) => {
    const fields = {
      commandField: CommandField.cMoveRq,
      affectedSopClassUid: STUDY_ROOT_MOVE,
      moveDestination: destination,
    };
    await ask(invoker, context, fields, identifier, () => {});
  });
}

async function withContext<T>(
  { peer, callingAeTitle, signal, times }: Asking,
  abstractSyntax: string,
  work: (invoker: Invoker, context: AcceptedContext) => Promise<T>,
): Promise<T> {
  const transferSyntaxes = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
  const contexts = [{ abstractSyntax, transferSyntaxes }];
  const invoker = await associate(peer, callingAeTitle, contexts, signal, times);
  const { association } = invoker;
  const abort = () => association.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const [context] = association.contexts.values();
    if (context === undefined) {
      throw new DimseError(Status.sopClassNotSupported, `${peer.aeTitle} does not offer this service.`, {
        code: 'no-presentation-context',
      });
    }
    const result = await work(invoker, context);
    // It has answered: one that is clumsy about the release has lost nothing.
    await association.release().catch(abort);
    return result;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

async function ask(
  invoker: Invoker,
  context: AcceptedContext,
  fields: RequestFields,
  identifier: DicomJson,
  onPending: () => void,
): Promise<void> {
  const { command } = await invoker.request(
    context,
    { ...fields, priority: Priority.medium },
    encodeDataSet(identifier, { transferSyntaxUid: context.transferSyntax }),
    onPending,
  );
  const status = command.status ?? Status.processingFailure;
  if (status === Status.success) return;
  const comment = command.errorComment === undefined ? '' : `: ${command.errorComment}`;
  throw new DimseError(status, `${statusText(status)}${comment}`);
}
