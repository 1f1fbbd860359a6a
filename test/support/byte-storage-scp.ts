// A storage SCP that takes what is offered and keeps the data set bytes as they came: the destination of
// C-MOVE in byte-exact tests. It can be told what to accept and how to answer.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { AssociationOverError, ByteAssociation, type ByteContext } from './byte-association.ts';
import { ByteConnection } from './byte-connection.ts';
import {
  type AssociateRead,
  associateAc,
  PDU,
  type ProposedContextBytes,
  readAssociate,
} from './byte-pdu.ts';

export interface ReceivedInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
  readonly moveOriginatorAeTitle: string;
  readonly moveOriginatorMessageId: number;
}

export interface StorageScpOptions {
  readonly aeTitle?: string;
  readonly maxPduBytes?: number;
  /** Picks a transfer syntax of a proposed context; undefined refuses the context. */
  readonly choose?: (proposed: ProposedContextBytes) => string | undefined;
  /** The status of the answer to each instance; a promise holds the answer back. */
  readonly status?: (instance: ReceivedInstance) => number | Promise<number>;
  /** What is done for a C-MOVE before it is answered with the status that comes out. */
  readonly move?: () => Promise<number>;
}

export class ByteStorageScp {
  readonly received: ReceivedInstance[] = [];
  /** What requestors proposed, one entry an association. */
  readonly requests: AssociateRead[] = [];
  readonly #options: StorageScpOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: StorageScpOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // The requestor may vanish in the middle, as in the tests that kill it.
      this.#serve(new ByteConnection(socket)).catch(() => socket.destroy());
    });
  }

  static async listen(options: StorageScpOptions = {}): Promise<ByteStorageScp> {
    const scp = new ByteStorageScp(options);
    scp.#server.listen(0, '127.0.0.1');
    await once(scp.#server, 'listening');
    return scp;
  }

  get aeTitle(): string {
    return this.#options.aeTitle ?? 'BYTESCP';
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As the command line names a peer. */
  get peer(): string {
    return `${this.aeTitle}@127.0.0.1:${this.port}`;
  }

  /** Takes out what was received so far. */
  takeReceived(): ReceivedInstance[] {
    return this.received.splice(0);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #serve(connection: ByteConnection): Promise<void> {
    const association = await this.#accept(connection);
    if (association === undefined) return;
    try {
      for (;;) await this.#answer(association);
    } catch (error) {
      if (!(error instanceof AssociationOverError)) throw error;
      connection.end();
    }
  }

  async #accept(connection: ByteConnection): Promise<ByteAssociation | undefined> {
    const request = await connection.nextPdu();
    if (request?.type !== PDU.associateRq) {
      connection.destroy();
      return undefined;
    }
    const peer = readAssociate(request.body);
    this.requests.push(peer);
    const maxPduBytes = this.#options.maxPduBytes ?? 262144;
    const choose = this.#options.choose ?? ((context) => context.transferSyntaxes[0]);
    const accepted = new Map<number, ByteContext>();
    const results = peer.proposed.map((context) => {
      const transferSyntax = choose(context);
      if (transferSyntax === undefined)
        return { id: context.id, result: 4, transferSyntax: '1.2.840.10008.1.2' };
      accepted.set(context.id, { id: context.id, abstractSyntax: context.abstractSyntax, transferSyntax });
      return { id: context.id, result: 0, transferSyntax };
    });
    await connection.write(
      associateAc(
        {
          callingAeTitle: peer.callingAeTitle,
          calledAeTitle: peer.calledAeTitle,
          maxPduBytes,
        },
        results,
      ),
    );
    return new ByteAssociation(connection, peer, accepted, maxPduBytes);
  }

  async #answer(association: ByteAssociation): Promise<void> {
    const { contextId, command, dataSet } = await association.receive(600_000);
    if (command.CommandField === 0x0030) {
      await association.send(contextId, {
        AffectedSOPClassUID: '1.2.840.10008.1.1',
        CommandField: 0x8030,
        MessageIDBeingRespondedTo: command.MessageID ?? 0,
        CommandDataSetType: 0x0101,
        Status: 0,
      });
      return;
    }
    if (command.CommandField === 0x0021) {
      const status = (await this.#options.move?.()) ?? 0x0122;
      await association.send(contextId, {
        AffectedSOPClassUID: command.AffectedSOPClassUID ?? '',
        CommandField: 0x8021,
        MessageIDBeingRespondedTo: command.MessageID ?? 0,
        CommandDataSetType: 0x0101,
        Status: status,
      });
      return;
    }
    const instance: ReceivedInstance = {
      sopClassUid: String(command.AffectedSOPClassUID),
      sopInstanceUid: String(command.AffectedSOPInstanceUID),
      transferSyntaxUid: association.contexts.get(contextId)?.transferSyntax ?? '',
      dataSet: dataSet ?? Buffer.alloc(0),
      moveOriginatorAeTitle: String(command.MoveOriginatorApplicationEntityTitle ?? ''),
      moveOriginatorMessageId: Number(command.MoveOriginatorMessageID ?? 0),
    };
    this.received.push(instance);
    const status = (await this.#options.status?.(instance)) ?? 0;
    await association.send(contextId, storeResponse(command, status));
  }
}

/** C-STORE-RSP (PS3.7 §9.3.1.2). */
export function storeResponse(
  request: {
    MessageID?: string | number;
    AffectedSOPClassUID?: string | number;
    AffectedSOPInstanceUID?: string | number;
  },
  status: number,
) {
  return {
    AffectedSOPClassUID: request.AffectedSOPClassUID ?? '',
    CommandField: 0x8001,
    MessageIDBeingRespondedTo: request.MessageID ?? 0,
    CommandDataSetType: 0x0101,
    Status: status,
    AffectedSOPInstanceUID: request.AffectedSOPInstanceUID ?? '',
  };
}
