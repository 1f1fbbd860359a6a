// Decodes the variable field of A-ASSOCIATE-RQ and A-ASSOCIATE-AC (PS3.8 §9.3.2, §9.3.3).
import { AE_TITLE_BYTES, decodeAeTitle } from './ae-title.ts';
import { ABORT_BY_PROVIDER, ABORT_REASON, UlError } from './errors.ts';
import { decodeUid, FieldReader } from './field-reader.ts';
import {
  type AAssociateAc,
  type AAssociateRq,
  type ContextAnswer,
  ITEM_TYPE,
  MAX_CONTEXTS,
  type ProposedContext,
} from './pdu.ts';
import type { UserInformation } from './user-information.ts';
import { decodeUserInformation, emptyUserInformation } from './user-information-decoder.ts';

const RESERVED_BYTES = 32;

export function decodeAssociateRq(body: Buffer): AAssociateRq {
  const type = 'A-ASSOCIATE-RQ';
  return { type, ...decodeAssociate(body, type, ITEM_TYPE.proposedContext, decodeProposedContext) };
}

export function decodeAssociateAc(body: Buffer): AAssociateAc {
  const type = 'A-ASSOCIATE-AC';
  return { type, ...decodeAssociate(body, type, ITEM_TYPE.contextResult, decodeContextAnswer) };
}

function decodeAssociate<Context extends { id: number }>(
  bytes: Buffer,
  pduName: string,
  contextItemType: number,
  decodeContext: (body: FieldReader) => Context,
) {
  const reader = new FieldReader(bytes, pduName);
  const protocolVersion = reader.uint16('protocol version');
  reader.take(2, 'reserved');
  const calledAeTitle = decodeAeTitle(reader.take(AE_TITLE_BYTES, 'called AE title'));
  const callingAeTitle = decodeAeTitle(reader.take(AE_TITLE_BYTES, 'calling AE title'));
  reader.take(RESERVED_BYTES, 'reserved');
  let applicationContext = '';
  let userInformation: UserInformation = emptyUserInformation();
  const contexts = new Map<number, Context>();
  while (reader.left > 0) {
    const { type, body } = reader.item();
    if (type === contextItemType) {
      if (contexts.size === MAX_CONTEXTS) throw tooManyContexts(pduName);
      const context = decodeContext(body);
      // A second meaning for the same identifier would make every later PDV ambiguous.
      if (contexts.has(context.id)) throw body.invalid(`presentation context ${context.id} comes twice`);
      contexts.set(context.id, context);
    } else if (type === ITEM_TYPE.applicationContext) {
      applicationContext = decodeUid(body.rest());
    } else if (type === ITEM_TYPE.userInformation) {
      userInformation = decodeUserInformation(body);
    }
  }
  return {
    protocolVersion,
    calledAeTitle,
    callingAeTitle,
    applicationContext,
    contexts: [...contexts.values()],
    userInformation,
  };
}

// PS3.8 §9.3.2.2: identifier, three reserved bytes, one abstract syntax, one or more transfer syntaxes.
function decodeProposedContext(body: FieldReader): ProposedContext {
  const id = body.uint8('presentation context ID');
  body.take(3, 'reserved');
  let abstractSyntax: string | undefined;
  const transferSyntaxes: string[] = [];
  while (body.left > 0) {
    const item = body.item();
    if (item.type === ITEM_TYPE.abstractSyntax) abstractSyntax = decodeUid(item.body.rest());
    else if (item.type === ITEM_TYPE.transferSyntax) transferSyntaxes.push(decodeUid(item.body.rest()));
  }
  if (abstractSyntax === undefined) {
    throw body.invalid(`presentation context ${id} proposes no abstract syntax`);
  }
  return { id, abstractSyntax, transferSyntaxes };
}

// PS3.8 §9.3.3.2.
function decodeContextAnswer(body: FieldReader): ContextAnswer {
  const id = body.uint8('presentation context ID');
  body.take(1, 'reserved');
  const result = body.uint8('result');
  body.take(1, 'reserved');
  let transferSyntax = '';
  while (body.left > 0) {
    const item = body.item();
    if (item.type === ITEM_TYPE.transferSyntax) transferSyntax = decodeUid(item.body.rest());
  }
  return { id, result, transferSyntax };
}

function tooManyContexts(pduName: string): UlError {
  return new UlError(
    'ul-too-many-contexts',
    `${pduName} carries more than ${MAX_CONTEXTS} presentation contexts`,
    { abortSource: ABORT_BY_PROVIDER, reason: ABORT_REASON.invalidParameter },
  );
}
