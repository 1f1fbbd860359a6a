// An association of a byte-exact peer, either side: messages go out and come in as the bytes they are (PS3.7 §6.3).

import { ByteConnection, PATIENCE_MS, type RawPdu } from './byte-connection.ts';
import { type Command, decodeCommand, encodeCommand } from './byte-elements.ts';
import {
  type AssociateRead,
  abortPdu,
  associateRq,
  PDU,
  pdv,
  type RoleSelection,
  readAssociate,
  releaseRp,
  releaseRq,
} from './byte-pdu.ts';

export const IMPLICIT_LE = '1.2.840.10008.1.2';
export const EXPLICIT_LE = '1.2.840.10008.1.2.1';

export interface Proposal {
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}
export interface ByteAssociateOptions {
  readonly port: number;
  readonly host?: string;
  /** Instead of opening one. */
  readonly connection?: ByteConnection;
  readonly callingAeTitle?: string;
  readonly calledAeTitle?: string;
  readonly contexts: readonly Proposal[];
  readonly roles?: readonly RoleSelection[];
  readonly maxPduBytes?: number;
  readonly extraUserItems?: readonly Buffer[];
}
export interface ByteContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}
export interface ByteMessage {
  readonly contextId: number;
  readonly command: Command;
  readonly dataSet: Buffer | undefined;
}
/** What ended a wait for a message. */
export class AssociationOverError extends Error {
  readonly by: 'abort' | 'release' | 'close';
  constructor(by: 'abort' | 'release' | 'close') {
    super(`the association is over: ${by}`);
    this.by = by;
  }
}
/** A-ASSOCIATE-RJ or A-ABORT in answer to a request. */
export class NotAssociatedError extends Error {
  readonly pdu: RawPdu | undefined;
  constructor(pdu: RawPdu | undefined) {
    super(pdu === undefined ? 'closed' : `PDU type ${pdu.type}: ${pdu.body.toString('hex')}`);
    this.pdu = pdu;
  }
}

export class ByteAssociation {
  readonly connection: ByteConnection;
  readonly peer: AssociateRead;
  /** Accepted contexts only. */
  readonly contexts: ReadonlyMap<number, ByteContext>;
  readonly #maxSendBytes: number;
  readonly #maxReceiveBytes: number;
  #messageId = 0;

  /** `maxReceiveBytes` is what was announced to the other side, which is held to it. */
  constructor(
    connection: ByteConnection,
    peer: AssociateRead,
    contexts: ReadonlyMap<number, ByteContext>,
    maxReceiveBytes: number,
  ) {
    this.connection = connection;
    this.#maxReceiveBytes = maxReceiveBytes;
    this.peer = peer;
    this.contexts = contexts;
    this.#maxSendBytes = Math.min(peer.maxPduBytes === 0 ? 1 << 20 : peer.maxPduBytes, 1 << 20) - 6;
  }

  /** Associates as requestor; throws NotAssociatedError when the other side will not. */
  static async request(options: ByteAssociateOptions): Promise<ByteAssociation> {
    const connection = options.connection ?? (await ByteConnection.open(options.port, options.host));
    const maxPduBytes = options.maxPduBytes ?? 262144;
    const contexts = options.contexts.map((context, index) => ({ id: 2 * index + 1, ...context }));
    await connection.write(
      associateRq({
        callingAeTitle: options.callingAeTitle ?? 'BYTEPEER',
        calledAeTitle: options.calledAeTitle ?? 'ANGIOVAULT',
        contexts,
        maxPduBytes,
        ...(options.roles === undefined ? {} : { roles: options.roles }),
        ...(options.extraUserItems === undefined ? {} : { extraUserItems: options.extraUserItems }),
      }),
    );
    const answer = await connection.nextPdu();
    if (answer?.type !== PDU.associateAc) {
      connection.destroy();
      throw new NotAssociatedError(answer);
    }
    const peer = readAssociate(answer.body);
    const accepted = new Map<number, ByteContext>();
    for (const { id, result, transferSyntax } of peer.results) {
      const proposed = contexts.find((context) => context.id === id);
      if (result === 0 && proposed !== undefined) {
        accepted.set(id, { id, abstractSyntax: proposed.abstractSyntax, transferSyntax });
      }
    }
    return new ByteAssociation(connection, peer, accepted, maxPduBytes);
  }

  /** The accepted context for an abstract syntax, with the transfer syntax when given. */
  contextFor(abstractSyntax: string, transferSyntax?: string): ByteContext {
    for (const context of this.contexts.values()) {
      if (context.abstractSyntax !== abstractSyntax) continue;
      if (transferSyntax === undefined || context.transferSyntax === transferSyntax) return context;
    }
    throw new Error(`no accepted context for ${abstractSyntax} ${transferSyntax ?? ''}`);
  }

  nextMessageId(): number {
    this.#messageId = (this.#messageId % 0xffff) + 1;
    return this.#messageId;
  }

  /** Sends a message; the data set may be pulled from a generator so that it never exists as a whole. */
  async send(contextId: number, command: Command, dataSet?: Buffer | Iterable<Buffer>): Promise<void> {
    await this.sendFragments(contextId, true, [encodeCommand(command)]);
    if (dataSet !== undefined) {
      await this.sendFragments(contextId, false, Buffer.isBuffer(dataSet) ? [dataSet] : dataSet);
    }
  }

  /** One half of a message in PDUs no larger than the other side takes; one PDV each. */
  async sendFragments(contextId: number, isCommand: boolean, chunks: Iterable<Buffer>): Promise<void> {
    let held: Buffer = Buffer.alloc(0);
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length; offset += this.#maxSendBytes) {
        if (held.length > 0) await this.#sendPdv(contextId, isCommand, false, held);
        held = chunk.subarray(offset, offset + this.#maxSendBytes);
      }
      if (this.connection.isOver) return;
    }
    await this.#sendPdv(contextId, isCommand, true, held);
  }

  async #sendPdv(contextId: number, isCommand: boolean, isLast: boolean, data: Buffer): Promise<void> {
    const head = Buffer.alloc(12);
    head.writeUInt8(PDU.data, 0);
    head.writeUInt32BE(data.length + 6, 2);
    pdv(contextId, isCommand, isLast, Buffer.alloc(0)).copy(head, 6);
    head.writeUInt32BE(data.length + 2, 6);
    await this.connection.write(head, data);
  }

  /** The next whole message; throws AssociationOverError when none comes any more. */
  async receive(patienceMs = PATIENCE_MS): Promise<ByteMessage> {
    const commandParts: Buffer[] = [];
    const dataParts: Buffer[] = [];
    let command: Command | undefined;
    for (;;) {
      for (const fragment of await this.#nextFragments(patienceMs)) {
        (fragment.isCommand ? commandParts : dataParts).push(fragment.data);
        if (!fragment.isLast) continue;
        if (fragment.isCommand) command = decodeCommand(Buffer.concat(commandParts));
        const { contextId } = fragment;
        if (command === undefined) throw new Error('a data set before its command');
        if (!fragment.isCommand) return { contextId, command, dataSet: Buffer.concat(dataParts) };
        if (command.CommandDataSetType === 0x0101) return { contextId, command, dataSet: undefined };
      }
    }
  }

  async #nextFragments(patienceMs: number) {
    const received = await this.connection.nextPdu(patienceMs);
    if (received === undefined) throw new AssociationOverError('close');
    if (received.type === PDU.abort) throw new AssociationOverError('abort');
    if (received.type === PDU.releaseRq) {
      await this.connection.write(releaseRp());
      throw new AssociationOverError('release');
    }
    if (received.type !== PDU.data) throw new Error(`PDU type ${received.type} instead of P-DATA-TF`);
    if (received.body.length > this.#maxReceiveBytes) {
      throw new Error(`a P-DATA-TF of ${received.body.length} bytes, longer than announced`);
    }
    const fragments = [...fragmentsOf(received.body)];
    // PS3.8 §9.3.5.1 and PS3.5 §7.1.1: all but the end of an odd data set is even.
    const odd = fragments.find(({ isLast, data }) => !isLast && data.length % 2 !== 0);
    if (odd !== undefined) throw new Error(`a fragment of ${odd.data.length} bytes`);
    return fragments;
  }

  /** Releases and waits for the answer and for the other side to be done. */
  async release(): Promise<void> {
    await this.connection.write(releaseRq());
    const answer = await this.connection.nextPdu();
    this.connection.end();
    this.connection.destroy();
    if (answer?.type !== PDU.releaseRp) throw new Error(`PDU type ${answer?.type} instead of A-RELEASE-RP`);
  }

  async abort(): Promise<void> {
    await this.connection.write(abortPdu());
    this.connection.destroy();
  }
}

function* fragmentsOf(body: Buffer) {
  for (let offset = 0; offset < body.length; ) {
    const length = body.readUInt32BE(offset);
    const control = body.readUInt8(offset + 5);
    yield {
      contextId: body.readUInt8(offset + 4),
      isCommand: (control & 1) === 1,
      isLast: (control & 2) === 2,
      data: body.subarray(offset + 6, offset + 4 + length),
    };
    offset += 4 + length;
  }
}
