// Encodes PDUs (PS3.8 §9.3). P-DATA-TF headers are written in place, so that many PDUs share one buffer.
import { encodeAeTitle } from './ae-title.ts';
import { encodeItem, encodeTextItem } from './item-encoder.ts';
import {
  type AAbort,
  type AAssociateAc,
  type AAssociateRj,
  type AAssociateRq,
  type ContextAnswer,
  ITEM_TYPE,
  PDU_HEADER_BYTES,
  PDU_TYPE,
  type PduName,
  type ProposedContext,
} from './pdu.ts';
import { encodeUserInformation } from './user-information-encoder.ts';

/** 6 PDU header + 4 PDV length + 1 context identifier + 1 message control header. */
export const P_DATA_HEADER_BYTES = 12;

/** Writes what stands before the value of a P-DATA-TF with one PDV (PS3.8 §9.3.5, §E.2). */
export function writePDataHeader(
  target: Buffer,
  offset: number,
  contextId: number,
  isCommand: boolean,
  isLast: boolean,
  valueBytes: number,
): void {
  target[offset] = PDU_TYPE['P-DATA-TF'];
  target[offset + 1] = 0;
  target.writeUInt32BE(valueBytes + 6, offset + 2);
  target.writeUInt32BE(valueBytes + 2, offset + 6);
  target[offset + 10] = contextId;
  target[offset + 11] = (isCommand ? 1 : 0) | (isLast ? 2 : 0);
}

export function encodeAssociateRq(pdu: AAssociateRq): Buffer {
  return encodeAssociate(pdu, pdu.contexts.map(encodeProposedContext));
}

export function encodeAssociateAc(pdu: AAssociateAc): Buffer {
  return encodeAssociate(pdu, pdu.contexts.map(encodeContextAnswer));
}

/** PS3.8 §9.3.4. */
export function encodeAssociateRj(pdu: Omit<AAssociateRj, 'type'>): Buffer {
  return encodePdu('A-ASSOCIATE-RJ', [Buffer.from([0, pdu.result, pdu.source, pdu.reason])]);
}

/** PS3.8 §9.3.8. */
export function encodeAbort(pdu: Omit<AAbort, 'type'>): Buffer {
  return encodePdu('A-ABORT', [Buffer.from([0, 0, pdu.source, pdu.reason])]);
}

export function encodeReleaseRq(): Buffer {
  return encodePdu('A-RELEASE-RQ', [Buffer.alloc(4)]);
}

export function encodeReleaseRp(): Buffer {
  return encodePdu('A-RELEASE-RP', [Buffer.alloc(4)]);
}

// PS3.8 §9.3.2 and §9.3.3: the same frame around different context items. The acceptor sends the titles
// back as it got them.
function encodeAssociate(pdu: AAssociateRq | AAssociateAc, contextItems: Buffer[]): Buffer {
  const versionAndReserved = Buffer.from([pdu.protocolVersion >> 8, pdu.protocolVersion & 0xff, 0, 0]);
  const title = pdu.type === 'A-ASSOCIATE-RQ' ? encodeAeTitle : echoAeTitle;
  return encodePdu(pdu.type, [
    versionAndReserved,
    title(pdu.calledAeTitle),
    title(pdu.callingAeTitle),
    Buffer.alloc(32),
    encodeTextItem(ITEM_TYPE.applicationContext, pdu.applicationContext),
    ...contextItems,
    encodeItem(ITEM_TYPE.userInformation, encodeUserInformation(pdu.userInformation)),
  ]);
}

// PS3.8 Table 9-17: these fields of an answer are not tested, so that an empty title may go back too.
function echoAeTitle(title: string): Buffer {
  return Buffer.from(title.padEnd(16, ' '), 'latin1');
}

function encodeProposedContext(context: ProposedContext): Buffer {
  return encodeItem(ITEM_TYPE.proposedContext, [
    Buffer.from([context.id, 0, 0, 0]),
    encodeTextItem(ITEM_TYPE.abstractSyntax, context.abstractSyntax),
    ...context.transferSyntaxes.map((uid) => encodeTextItem(ITEM_TYPE.transferSyntax, uid)),
  ]);
}

function encodeContextAnswer(context: ContextAnswer): Buffer {
  return encodeItem(ITEM_TYPE.contextResult, [
    Buffer.from([context.id, 0, context.result, 0]),
    encodeTextItem(ITEM_TYPE.transferSyntax, context.transferSyntax),
  ]);
}

function encodePdu(name: PduName, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(PDU_HEADER_BYTES);
  header[0] = PDU_TYPE[name];
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  header.writeUInt32BE(bytes, 2);
  return Buffer.concat([header, ...parts], PDU_HEADER_BYTES + bytes);
}
