// Opens an association as its requestor (PS3.8 §7.1).
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { Association } from './association.ts';
import { AssociationRejectedError, UlError } from './errors.ts';
import { acceptedContexts } from './negotiation.ts';
import {
  type AAssociateAc,
  type AAssociateRq,
  APPLICATION_CONTEXT,
  MAX_CONTEXTS,
  MAX_PDU_BYTES,
} from './pdu.ts';
import { encodeAssociateRq } from './pdu-encoder.ts';
import type { SecureTransport } from './tls.ts';
import { StreamTransport } from './transport.ts';
import { UpperLayer } from './upper-layer.ts';
import type { ExtendedNegotiation, RoleSelection } from './user-information.ts';

/** A context to propose; the roles are ours: SCU unless said otherwise. */
export interface RequestedContext {
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
  readonly scu?: boolean;
  readonly scp?: boolean;
}

export interface AssociateOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: SecureTransport;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Get the identifiers 1, 3, 5… in this order. */
  readonly contexts: readonly RequestedContext[];
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly extendedNegotiation?: readonly ExtendedNegotiation[];
  readonly connectMs?: number;
  readonly artimMs?: number;
  readonly idleMs?: number;
  readonly maxPduBytes?: number;
  readonly signal?: AbortSignal;
}

const CONNECT_MS = 10_000;
const ARTIM_MS = 30_000;
const IDLE_MS = 600_000;

/** Resolves with the association, to be attached to. Rejects with AssociationRejectedError, or with UlError whose
 *  cause is the system's error where there is one. */
export async function requestAssociation(options: AssociateOptions): Promise<Association> {
  const request = requestPdu(options);
  const encoded = encodeAssociateRq(request);
  if (options.signal?.aborted) throw cancelled(options);
  const { promise, resolve, reject } = Promise.withResolvers<Association>();
  const { signal, tls } = options;
  const socket = openSocket(options);
  const upperLayer: UpperLayer = new UpperLayer(
    new StreamTransport(socket),
    {
      role: 'requestor',
      artimMs: options.artimMs ?? ARTIM_MS,
      connectMs: options.connectMs ?? CONNECT_MS,
      maxPduBytes: options.maxPduBytes ?? MAX_PDU_BYTES,
    },
    {
      negotiate: (pdu) => {
        if (pdu.type === 'A-ASSOCIATE-RJ') {
          reject(new AssociationRejectedError(peerName(options), pdu.result, pdu.source, pdu.reason));
        } else if (pdu.type === 'A-ASSOCIATE-AC') {
          try {
            const association = confirm(upperLayer, options, request, pdu);
            upperLayer.serve(association);
            resolve(association);
          } catch (error) {
            if (!(error instanceof UlError)) throw error;
            upperLayer.refuse(error);
          }
        }
      },
      ended: (error) => reject(named(error, options)),
    },
  );
  const cancel = () => upperLayer.abort(cancelled(options));
  signal?.addEventListener('abort', cancel, { once: true });
  upperLayer.request(encoded);
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => upperLayer.connected());
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function openSocket({ host, port, tls }: AssociateOptions): Socket {
  const to = { host, port, noDelay: true };
  if (tls === undefined) return connect(to);
  return connectSecurely({
    ...to,
    ...tls,
    // A name is told to the peer, which may have a certificate for each (RFC 6066 §3); an address must not be.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // Machines in a hospital are called by address, and their certificates name whatever the vendor wrote there.
    checkServerIdentity: () => undefined,
  });
}

function requestPdu(options: AssociateOptions): AAssociateRq {
  if (options.contexts.length > MAX_CONTEXTS) {
    const message = `an association carries at most ${MAX_CONTEXTS} presentation contexts, not ${options.contexts.length}`;
    throw new UlError('ul-too-many-contexts', message);
  }
  return {
    type: 'A-ASSOCIATE-RQ',
    protocolVersion: 1,
    calledAeTitle: options.calledAeTitle,
    callingAeTitle: options.callingAeTitle,
    applicationContext: APPLICATION_CONTEXT,
    contexts: options.contexts.map(({ abstractSyntax, transferSyntaxes }, index) => ({
      id: 2 * index + 1,
      abstractSyntax,
      transferSyntaxes,
    })),
    userInformation: {
      maxPduBytes: options.maxPduBytes ?? MAX_PDU_BYTES,
      implementationClassUid: options.implementationClassUid,
      implementationVersionName: options.implementationVersionName,
      asyncWindow: undefined,
      roles: rolesToPropose(options.contexts),
      extendedNegotiation: options.extendedNegotiation ?? [],
      commonExtendedNegotiation: [],
      userIdentity: undefined,
      userIdentityResponse: undefined,
    },
  };
}

// Only what differs from the default needs an item; one per abstract syntax (PS3.7 §D.3.3.4).
function rolesToPropose(contexts: readonly RequestedContext[]): RoleSelection[] {
  const roles = new Map<string, RoleSelection>();
  for (const { abstractSyntax, scu = true, scp = false } of contexts) {
    const before = roles.get(abstractSyntax);
    roles.set(abstractSyntax, {
      sopClassUid: abstractSyntax,
      scu: scu || before?.scu === true,
      scp: scp || before?.scp === true,
    });
  }
  return [...roles.values()].filter(({ scu, scp }) => scp || !scu);
}

function confirm(
  upperLayer: UpperLayer,
  options: AssociateOptions,
  request: AAssociateRq,
  answer: AAssociateAc,
): Association {
  const roles = request.userInformation.roles;
  const { userInformation } = answer;
  return new Association(upperLayer, {
    role: 'requestor',
    callingAeTitle: options.callingAeTitle,
    calledAeTitle: options.calledAeTitle,
    contexts: acceptedContexts(request.contexts, roles, answer.contexts, userInformation.roles),
    extendedNegotiation: new Map(
      userInformation.extendedNegotiation.map(({ sopClassUid, info }) => [sopClassUid, info]),
    ),
    peer: userInformation,
    idleMs: options.idleMs ?? IDLE_MS,
  });
}

// The error of the machine says what happened; here it learns to whom.
function named(error: UlError, options: AssociateOptions): UlError {
  return new UlError(error.code, `${peerName(options)}: ${error.message}`, {
    abortSource: error.abortSource,
    reason: error.reason,
    cause: error.cause,
  });
}

function cancelled(options: AssociateOptions): UlError {
  return new UlError('ul-cancelled', 'the request was cancelled', { cause: options.signal?.reason });
}

function peerName({ calledAeTitle, host, port }: AssociateOptions): string {
  return `${calledAeTitle}@${host}:${port}`;
}
