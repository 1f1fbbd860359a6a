// The A-ASSOCIATE-AC to one request, and what both sides then hold to (PS3.8 §9.3.3, PS3.7 Annex D.3.3).
import {
  type AcceptedContext,
  answerRoles,
  contextsInUse,
  negotiateContexts,
  type Supported,
} from './negotiation.ts';
import { type AAssociateAc, type AAssociateRq, APPLICATION_CONTEXT } from './pdu.ts';

/** What the acceptor's user is ready to do with a request. */
export interface Acceptance {
  readonly accept: true;
  supported: Supported;
  /** The application information to answer for one SOP class; undefined leaves the item out. */
  extendedNegotiation?(sopClassUid: string, info: Buffer): Buffer | undefined;
}

/** Who we say we are. */
export interface LocalIdentity {
  readonly maxPduBytes: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
}

export interface AssociateAnswer {
  readonly pdu: AAssociateAc;
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  readonly extendedNegotiation: ReadonlyMap<string, Buffer>;
}

/** Pure: request and readiness in, answer out. */
export function answerAssociate(
  request: AAssociateRq,
  acceptance: Acceptance,
  identity: LocalIdentity,
): AssociateAnswer {
  const asked = request.userInformation;
  const results = negotiateContexts(request.contexts, acceptance.supported, asked.roles);
  const extended = asked.extendedNegotiation.flatMap(({ sopClassUid, info }) => {
    const answer = acceptance.extendedNegotiation?.(sopClassUid, info);
    return answer === undefined ? [] : [{ sopClassUid, info: answer }];
  });
  const pdu: AAssociateAc = {
    type: 'A-ASSOCIATE-AC',
    protocolVersion: 1,
    calledAeTitle: request.calledAeTitle,
    callingAeTitle: request.callingAeTitle,
    applicationContext: APPLICATION_CONTEXT,
    contexts: results,
    userInformation: {
      ...identity,
      // Answered only when asked; one operation at a time (PS3.7 §D.3.3.3).
      asyncWindow: asked.asyncWindow && { invoked: 1, performed: 1 },
      roles: answerRoles(asked.roles, acceptance.supported),
      extendedNegotiation: extended,
      // Common extended negotiation has no answer (PS3.7 §D.3.3.6.2).
      commonExtendedNegotiation: [],
      userIdentity: undefined,
      // Every identity is accepted; an empty response says so (PS3.7 §D.3.3.7.2).
      userIdentityResponse: asked.userIdentity?.responseRequested ? Buffer.alloc(0) : undefined,
    },
  };
  return {
    pdu,
    contexts: contextsInUse(results),
    extendedNegotiation: new Map(extended.map(({ sopClassUid, info }) => [sopClassUid, info])),
  };
}
