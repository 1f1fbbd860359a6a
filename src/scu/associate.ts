// Opens an association for our own requests (PS3.8 §7.1), with the identity of this program.

import { EventEmitter } from 'node:events';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../dicom/uid.ts';
import type { Invoker } from '../dimse/invoker.ts';
import { MessageExchange } from '../dimse/message-exchange.ts';
import { ServiceRegistry } from '../dimse/service-registry.ts';
import type { Association } from '../ul/association.ts';
import { type AssociateOptions, requestAssociation } from '../ul/requestor.ts';
import type { SecureTransport } from '../ul/tls.ts';

/** A peer to call: its AE title and where it listens. */
export interface PeerAddress {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  /** With it the connection is a secure one. */
  readonly tls?: SecureTransport;
}

/** How long the transport connection, and the answer to the request, may take. */
export interface AssociateTimes {
  readonly connectMs?: number;
  readonly artimMs?: number;
}

/** What became of each attempt, for whoever shows associations and contacts (see `callsOut`). */
export type CallOut =
  | { readonly peer: PeerAddress; readonly association: Association }
  | { readonly peer: PeerAddress; readonly error: unknown };

/** Every association that this program requests; listeners must not throw. */
export const callsOut = new EventEmitter<{ call: [CallOut] }>();

const NO_SERVICES = new ServiceRegistry();

/** Rejects with UlError or AssociationRejectedError. Release or abort the association when done. */
export async function associate(
  peer: PeerAddress,
  callingAeTitle: string,
  contexts: AssociateOptions['contexts'],
  signal?: AbortSignal,
  times: AssociateTimes = {},
  /** What the peer may ask of us on this association. */
  services: ServiceRegistry = NO_SERVICES,
): Promise<Invoker> {
  const request = requestAssociation({
    ...times,
    host: peer.host,
    port: peer.port,
    ...(peer.tls === undefined ? {} : { tls: peer.tls }),
    calledAeTitle: peer.aeTitle,
    callingAeTitle,
    contexts,
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    ...(signal === undefined ? {} : { signal }),
  });
  const association = await request.catch((error: unknown) => {
    callsOut.emit('call', { peer, error });
    throw error;
  });
  callsOut.emit('call', { peer, association });
  return new MessageExchange(association, services, () => {}).start();
}
