// Retrieve SCU, C-GET (PS3.4 C.4.3): one instance from a peer, in the transfer syntax in which it is stored here, as a
// stream.

import { encodeDataSet } from '../dicom/data-set-writer.ts';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { STUDY_ROOT_GET } from '../dicom/sop-class.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField, Priority } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Invoker } from '../dimse/invoker.ts';
import { type Service, ServiceRegistry } from '../dimse/service-registry.ts';
import { Status, statusText } from '../dimse/status.ts';
import type { AcceptedContext } from '../ul/association.ts';
import { type ByteSource, watched } from '../util/byte-source.ts';
import { awaitedLater } from '../util/promises.ts';
import { associate, type PeerAddress } from './associate.ts';

export interface WantedInstance {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
}

/** Of one instance, hierarchically (PS3.4 C.4.2.1.4). */
export function imageIdentifier({ studyUid, seriesUid, sopInstanceUid }: WantedInstance): DicomJson {
  return {
    '00080018': { vr: 'UI', Value: [sopInstanceUid] },
    '00080052': { vr: 'CS', Value: ['IMAGE'] },
    '0020000D': { vr: 'UI', Value: [studyUid] },
    '0020000E': { vr: 'UI', Value: [seriesUid] },
  };
}

/** The data set as the peer sends it, to be read to its end: then the peer is answered and the association released.
 *  Undefined when the peer does not have it, or not in this transfer syntax. */
export async function getInstance(
  peer: PeerAddress,
  callingAeTitle: string,
  wanted: WantedInstance,
): Promise<ByteSource | undefined> {
  const arrived = Promise.withResolvers<ByteSource | undefined>();
  const storage: Service = async ({ command, dataSet }) => {
    if (command.affectedSopInstanceUid !== wanted.sopInstanceUid || dataSet === undefined) {
      throw new DimseError(Status.processingFailure, 'This instance was not asked for.', { code: 'unasked' });
    }
    const { source, ended } = watched(dataSet);
    arrived.resolve(source);
    await ended;
    return { status: Status.success };
  };
  const services = new ServiceRegistry().add(
    CommandField.cStoreRq,
    (uid) => uid === wanted.sopClassUid,
    storage,
  );
  const contexts = [
    {
      abstractSyntax: STUDY_ROOT_GET,
      transferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
    },
    {
      abstractSyntax: wanted.sopClassUid,
      transferSyntaxes: [wanted.transferSyntaxUid],
      scu: false,
      scp: true,
    },
  ];
  const invoker = await associate(peer, callingAeTitle, contexts, undefined, {}, services);
  const accepted = [...invoker.association.contexts.values()];
  const retrieval = accepted.find(({ abstractSyntax }) => abstractSyntax === STUDY_ROOT_GET);
  const reception = accepted.find(({ abstractSyntax }) => abstractSyntax === wanted.sopClassUid);
  if (retrieval === undefined || reception === undefined) {
    invoker.association.abort();
    throw new DimseError(
      Status.sopClassNotSupported,
      `${peer.aeTitle} does not offer C-GET of this instance.`,
      {
        code: 'no-presentation-context',
      },
    );
  }
  // What fails after the instance has begun to arrive shows in its stream.
  void awaitedLater(
    retrieve(invoker, retrieval, wanted).then(() => arrived.resolve(undefined), arrived.reject),
  );
  return arrived.promise;
}

/** Resolves after the final response. */
async function retrieve(invoker: Invoker, context: AcceptedContext, wanted: WantedInstance): Promise<void> {
  const { association } = invoker;
  try {
    const identifier = encodeDataSet(imageIdentifier(wanted), {
      transferSyntaxUid: context.transferSyntax,
    });
    const { command } = await invoker.request(
      context,
      { commandField: CommandField.cGetRq, affectedSopClassUid: STUDY_ROOT_GET, priority: Priority.medium },
      identifier,
    );
    const { status = Status.processingFailure, numberOfFailedSubOperations = 0 } = command;
    if (status !== Status.success && numberOfFailedSubOperations === 0) {
      throw new DimseError(status, `The peer answered C-GET with ${statusText(status)}.`);
    }
    await association.release().catch(() => association.abort());
  } finally {
    association.abort();
  }
}
