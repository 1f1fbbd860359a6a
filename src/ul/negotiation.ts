// Negotiation as functions of lists, no I/O (PS3.8 §7.1.1, §9.3.3.2; PS3.7 §D.3.3.4).
import { invalidPdu, UlError } from './errors.ts';
import {
  type AAssociateRj,
  type AAssociateRq,
  APPLICATION_CONTEXT,
  type ContextAnswer,
  type ProposedContext,
} from './pdu.ts';
import type { RoleSelection } from './user-information.ts';

/** A presentation context in use. */
export interface AcceptedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
  /** Roles of the LOCAL side in this context (PS3.7 §D.3.3.4). */
  readonly scu: boolean;
  readonly scp: boolean;
}

/** What the acceptor can do with one abstract syntax. */
export interface SupportedContext {
  /** Picks the transfer syntax to use from the proposed ones, undefined when none fits. */
  choose(proposed: readonly string[]): string | undefined;
  /** Roles the acceptor supports. */
  readonly scu: boolean;
  readonly scp: boolean;
}

/** The acceptor's verdict on one proposed context, with the acceptor's own roles. */
export interface ContextResult extends AcceptedContext {
  readonly result: number;
}

/** Result of a presentation context (PS3.8 Table 9-18). */
export const CONTEXT_RESULT = {
  acceptance: 0,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;

export type Supported = (abstractSyntax: string) => SupportedContext | undefined;

// Any value is allowed beside a rejection (PS3.8 §9.3.3.2); this one every peer can parse.
const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
const DEFAULT_ROLES = { scu: true, scp: false };

/** Why the upper layer itself rejects a request, before any user is asked (AE-6; PS3.8 Table 9-21). */
export function refusal(
  request: AAssociateRq,
): { verdict: Omit<AAssociateRj, 'type'>; error: UlError } | undefined {
  // Only bit 0 of the version is tested (PS3.8 Table 9-11).
  if ((request.protocolVersion & 1) === 0) {
    const error = new UlError(
      'ul-protocol-version',
      `A-ASSOCIATE-RQ asks for protocol version ${request.protocolVersion}, we speak version 1`,
    );
    return { verdict: { result: 1, source: 2, reason: 2 }, error };
  }
  if (request.applicationContext !== APPLICATION_CONTEXT) {
    const error = new UlError(
      'ul-application-context',
      `A-ASSOCIATE-RQ names the application context '${request.applicationContext}', not DICOM's`,
    );
    return { verdict: { result: 1, source: 1, reason: 2 }, error };
  }
  return undefined;
}

/** The acceptor's side: one result per proposed context, in the order proposed. */
export function negotiateContexts(
  proposed: readonly ProposedContext[],
  supported: Supported,
  roles: readonly RoleSelection[],
): ContextResult[] {
  const rolesOf = new Map(answerRoles(roles, supported).map((role) => [role.sopClassUid, role]));
  return proposed.map(({ id, abstractSyntax, transferSyntaxes }) => {
    const support = supported(abstractSyntax);
    // Without role selection the requestor is SCU and the acceptor SCP (PS3.7 §D.3.3.4).
    const peer = rolesOf.get(abstractSyntax) ?? DEFAULT_ROLES;
    const scu = peer.scp && support?.scu === true;
    const scp = peer.scu && support?.scp === true;
    const transferSyntax = support?.choose(transferSyntaxes);
    let result: number = CONTEXT_RESULT.acceptance;
    // Identifiers are odd (PS3.8 §9.3.2.2): an even one costs its own context, not the association.
    if (id % 2 === 0) result = CONTEXT_RESULT.noReason;
    else if (!scu && !scp) result = CONTEXT_RESULT.abstractSyntaxNotSupported;
    else if (transferSyntax === undefined) result = CONTEXT_RESULT.transferSyntaxesNotSupported;
    return { id, abstractSyntax, result, transferSyntax: transferSyntax ?? IMPLICIT_LITTLE_ENDIAN, scu, scp };
  });
}

/** The acceptor's role selection items: of the roles proposed those it can face; none for SOP classes unknown here. */
export function answerRoles(proposed: readonly RoleSelection[], supported: Supported): RoleSelection[] {
  return proposed.flatMap(({ sopClassUid, scu, scp }) => {
    const support = supported(sopClassUid);
    return support === undefined ? [] : [{ sopClassUid, scu: scu && support.scp, scp: scp && support.scu }];
  });
}

/** The requestor's side: what of its own proposal the answer accepts. Throws UlError when the answer is about
 *  something that was never proposed. */
export function acceptedContexts(
  proposed: readonly ProposedContext[],
  proposedRoles: readonly RoleSelection[],
  answers: readonly ContextAnswer[],
  answeredRoles: readonly RoleSelection[],
): Map<number, AcceptedContext> {
  const accepted = new Map<number, AcceptedContext>();
  for (const { id, result, transferSyntax } of answers) {
    const context = proposed.find((candidate) => candidate.id === id);
    if (context === undefined)
      throw invalidPdu(`A-ASSOCIATE-AC answers context ${id}, which was not proposed`);
    if (result !== CONTEXT_RESULT.acceptance) continue;
    if (!context.transferSyntaxes.includes(transferSyntax)) {
      throw invalidPdu(`A-ASSOCIATE-AC accepts context ${id} with ${transferSyntax}, which was not proposed`);
    }
    const asked = roleOf(proposedRoles, context.abstractSyntax) ?? DEFAULT_ROLES;
    // A peer that knows nothing of role selection answers without: the default roles hold.
    const given = roleOf(answeredRoles, context.abstractSyntax) ?? DEFAULT_ROLES;
    accepted.set(id, {
      id,
      abstractSyntax: context.abstractSyntax,
      transferSyntax,
      scu: asked.scu && given.scu,
      scp: asked.scp && given.scp,
    });
  }
  return accepted;
}

function roleOf(roles: readonly RoleSelection[], sopClassUid: string): RoleSelection | undefined {
  return roles.find((role) => role.sopClassUid === sopClassUid);
}

/** The contexts of an answer that are in use. */
export function contextsInUse(results: readonly ContextResult[]): Map<number, AcceptedContext> {
  const inUse = results.filter(({ result }) => result === CONTEXT_RESULT.acceptance);
  return new Map(
    inUse.map(({ id, abstractSyntax, transferSyntax, scu, scp }) => [
      id,
      { id, abstractSyntax, transferSyntax, scu, scp },
    ]),
  );
}
