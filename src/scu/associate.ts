// Opens an association for our own requests (PS3.8 §7.1), with the identity of this program.

import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../dicom/uid.ts';
import type { Invoker } from '../dimse/invoker.ts';
import { MessageExchange } from '../dimse/message-exchange.ts';
import { ServiceRegistry } from '../dimse/service-registry.ts';
import { type AssociateOptions, requestAssociation } from '../ul/requestor.ts';

/** A peer to call: its AE title and where it listens. */
export interface PeerAddress {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
}

const NO_SERVICES = new ServiceRegistry();

/** Rejects with UlError or AssociationRejectedError. Release or abort the association when done. */
export async function associate(
  peer: PeerAddress,
  callingAeTitle: string,
  contexts: AssociateOptions['contexts'],
  signal?: AbortSignal,
): Promise<Invoker> {
  const association = await requestAssociation({
    host: peer.host,
    port: peer.port,
    calledAeTitle: peer.aeTitle,
    callingAeTitle,
    contexts,
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    ...(signal === undefined ? {} : { signal }),
  });
  return new MessageExchange(association, NO_SERVICES, () => {}).start();
}
