// The PDUs of PS3.8 §9.3 as bytes, for peers that must be able to send what our own encoder never would.

import { randomBytes } from 'node:crypto';

export const PDU = {
  associateRq: 1,
  associateAc: 2,
  associateRj: 3,
  data: 4,
  releaseRq: 5,
  releaseRp: 6,
  abort: 7,
} as const;

export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
/** Says who these peers are; any UID will do. */
export const PEER_IMPLEMENTATION_CLASS_UID = '2.25.302043790172249692526321623266752743501';

export interface ProposedContextBytes {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}
export interface AssociateBytes {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly contexts: readonly ProposedContextBytes[];
  readonly roles?: readonly RoleSelection[];
  readonly maxPduBytes: number;
  /** User information sub-items appended as they are. */
  readonly extraUserItems?: readonly Buffer[];
}

/** A PDU with a true length, or the one given. */
export function pdu(type: number, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(length, 2);
  return Buffer.concat([head, body]);
}

/** An item or sub-item of the association PDUs: type, reserved, 16 bit length, content. */
export function item(type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(content.length, 2);
  return Buffer.concat([head, content]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

function aeTitle(value: string): Buffer {
  return text(value.padEnd(16, ' ').slice(0, 16));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** SCP/SCU role selection sub-item (PS3.7 §D.3.3.4). */
export function roleItem(role: RoleSelection): Buffer {
  const uid = text(role.sopClassUid);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(uid.length);
  return item(0x54, Buffer.concat([length, uid, Buffer.from([role.scu ? 1 : 0, role.scp ? 1 : 0])]));
}

/** SOP class extended negotiation (PS3.7 §D.3.3.5); for query classes the first byte asks for relational
 *  queries (PS3.4 §C.5.1.1). */
export function extendedItem(sopClassUid: string, information: Buffer): Buffer {
  const uid = text(sopClassUid);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(uid.length);
  return item(0x56, Buffer.concat([length, uid, information]));
}

function fixedPart(calledAeTitle: string, callingAeTitle: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, 1, 0, 0]),
    aeTitle(calledAeTitle),
    aeTitle(callingAeTitle),
    Buffer.alloc(32),
  ]);
}

function userInformation(options: AssociateBytes): Buffer {
  return item(
    0x50,
    Buffer.concat([
      item(0x51, uint32(options.maxPduBytes)),
      item(0x52, text(PEER_IMPLEMENTATION_CLASS_UID)),
      item(0x55, text('BYTE_PEER')),
      ...(options.roles ?? []).map(roleItem),
      ...(options.extraUserItems ?? []),
    ]),
  );
}

/** A-ASSOCIATE-RQ (PS3.8 §9.3.2). */
export function associateRq(options: AssociateBytes): Buffer {
  const contexts = options.contexts.map((context) =>
    item(
      0x20,
      Buffer.concat([
        Buffer.from([context.id & 0xff, 0, 0, 0]),
        item(0x30, text(context.abstractSyntax)),
        ...context.transferSyntaxes.map((uid) => item(0x40, text(uid))),
      ]),
    ),
  );
  const body = Buffer.concat([
    fixedPart(options.calledAeTitle, options.callingAeTitle),
    item(0x10, text(APPLICATION_CONTEXT)),
    ...contexts,
    userInformation(options),
  ]);
  return pdu(PDU.associateRq, body);
}

export interface ContextResult {
  readonly id: number;
  readonly result: number;
  readonly transferSyntax: string;
}

/** A-ASSOCIATE-AC (PS3.8 §9.3.3). */
export function associateAc(
  options: Omit<AssociateBytes, 'contexts'>,
  results: readonly ContextResult[],
): Buffer {
  const contexts = results.map((context) =>
    item(
      0x21,
      Buffer.concat([
        Buffer.from([context.id, 0, context.result, 0]),
        item(0x40, text(context.transferSyntax)),
      ]),
    ),
  );
  const body = Buffer.concat([
    fixedPart(options.calledAeTitle, options.callingAeTitle),
    item(0x10, text(APPLICATION_CONTEXT)),
    ...contexts,
    userInformation({ ...options, contexts: [] }),
  ]);
  return pdu(PDU.associateAc, body);
}

/** What both association PDUs say, as far as tests ask. */
export interface AssociateRead {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly proposed: readonly ProposedContextBytes[];
  readonly results: readonly ContextResult[];
  readonly roles: readonly RoleSelection[];
  /** SOP Class UID → application information (PS3.7 §D.3.3.5). */
  readonly extended: ReadonlyMap<string, Buffer>;
  readonly maxPduBytes: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
}

function* items(bytes: Buffer): Generator<{ type: number; content: Buffer }> {
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset + 2);
    yield { type: bytes.readUInt8(offset), content: bytes.subarray(offset + 4, offset + 4 + length) };
    offset += 4 + length;
  }
}

/** Reads the body of an A-ASSOCIATE-RQ or -AC. */
export function readAssociate(body: Buffer): AssociateRead {
  const proposed: ProposedContextBytes[] = [];
  const results: ContextResult[] = [];
  const roles: RoleSelection[] = [];
  const extended = new Map<string, Buffer>();
  let maxPduBytes = 0;
  let implementationClassUid = '';
  let implementationVersionName = '';
  for (const { type, content } of items(body.subarray(68))) {
    if (type === 0x20 || type === 0x21) {
      const inner = [...items(content.subarray(4))];
      const syntaxes = inner
        .filter((part) => part.type === 0x40)
        .map((part) => part.content.toString('latin1'));
      const abstractSyntax = inner.find((part) => part.type === 0x30)?.content.toString('latin1') ?? '';
      const id = content.readUInt8(0);
      if (type === 0x20) proposed.push({ id, abstractSyntax, transferSyntaxes: syntaxes });
      else results.push({ id, result: content.readUInt8(2), transferSyntax: syntaxes[0] ?? '' });
    }
    if (type !== 0x50) continue;
    for (const user of items(content)) {
      if (user.type === 0x51) maxPduBytes = user.content.readUInt32BE(0);
      if (user.type === 0x52) implementationClassUid = user.content.toString('latin1');
      if (user.type === 0x55) implementationVersionName = user.content.toString('latin1');
      if (user.type !== 0x54 && user.type !== 0x56) continue;
      const end = 2 + user.content.readUInt16BE(0);
      const sopClassUid = user.content.toString('latin1', 2, end);
      if (user.type === 0x56) extended.set(sopClassUid, user.content.subarray(end));
      else {
        const [scu, scp] = [user.content.readUInt8(end) === 1, user.content.readUInt8(end + 1) === 1];
        roles.push({ sopClassUid, scu, scp });
      }
    }
  }
  return {
    calledAeTitle: body.toString('latin1', 4, 20).trim(),
    callingAeTitle: body.toString('latin1', 20, 36).trim(),
    proposed,
    results,
    roles,
    extended,
    maxPduBytes,
    implementationClassUid,
    implementationVersionName,
  };
}

export const releaseRq = (): Buffer => pdu(PDU.releaseRq, Buffer.alloc(4));
export const releaseRp = (): Buffer => pdu(PDU.releaseRp, Buffer.alloc(4));
export const abortPdu = (): Buffer => pdu(PDU.abort, Buffer.alloc(4));

/** One PDV item (PS3.8 §9.3.5.1) with the message control header of Annex E. */
export function pdv(contextId: number, isCommand: boolean, isLast: boolean, data: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(data.length + 2, 0);
  head.writeUInt8(contextId, 4);
  head.writeUInt8((isCommand ? 1 : 0) | (isLast ? 2 : 0), 5);
  return Buffer.concat([head, data]);
}

/** A P-DATA-TF holding one PDV. */
export function dataPdu(contextId: number, isCommand: boolean, isLast: boolean, data: Buffer): Buffer {
  return pdu(PDU.data, pdv(contextId, isCommand, isLast, data));
}

/** A UID nobody else uses (PS3.5 §B.2). */
export function freshUid(): string {
  return `2.25.${BigInt(`0x${randomBytes(16).toString('hex')}`)}`;
}
