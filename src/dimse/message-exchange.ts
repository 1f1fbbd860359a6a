// The DIMSE service of one association (PS3.7 §7, §8): requests in to services, requests out to the peer, and the
// one place where exceptions become responses.

import type { AcceptedContext, Association } from '../ul/association.ts';
import { collect } from '../util/byte-source.ts';
import {
  CommandField,
  type CommandSet,
  commandName,
  isResponse,
  NO_DATA_SET,
  responseTo,
} from './commands.ts';
import { DimseError, ProtocolError } from './errors.ts';
import type { DimseResponse, Invoker, PreparedRequest, RequestFields } from './invoker.ts';
import { type DimseMessage, MessageReader } from './message-reader.ts';
import {
  encodeMessage,
  encodeMessages,
  type OutgoingDataSet,
  prepareMessage,
  sendPrepared,
} from './message-writer.ts';
import type { ResponseFields, Service, ServiceRegistry } from './service-registry.ts';
import { isPending, Status } from './status.ts';

/** More requests than this at once break the window of 1 that we negotiate; such a peer is cut off. */
const MAX_OPERATIONS = 16;
/** Identifiers and Action Information are small; this bounds what a response may make us hold. */
const MAX_RESPONSE_DATA_SET_BYTES = 1 << 20;
/** While finishing: how long nothing has to happen. */
const QUIET_MS = 500;

/** Told of every request that ended in anything but Success, Pending or Cancel; must not throw. */
export type FaultObserver = (association: Association, command: CommandSet, error: DimseError) => void;

interface Operation {
  readonly cancel: AbortController;
  arrived: boolean;
  onArrived: (() => void) | undefined;
}

interface Outstanding {
  onPending: ((response: DimseResponse) => void) | undefined;
  resolve(response: DimseResponse): void;
  reject(error: unknown): void;
}

/** One per association; attaches itself as its sink. */
export class MessageExchange implements Invoker {
  readonly association: Association;
  readonly #services: ServiceRegistry;
  readonly #onFault: FaultObserver;
  readonly #reader: MessageReader;
  readonly #operations = new Map<number, Operation>();
  readonly #outstanding = new Map<number, Outstanding>();
  #release: (() => void) | undefined;
  #lastMessageId = 0;
  #finishing = false;
  #quiet: NodeJS.Timeout | undefined;
  #responses: Promise<void> = Promise.resolve();

  constructor(association: Association, services: ServiceRegistry, onFault: FaultObserver) {
    this.association = association;
    this.#services = services;
    this.#onFault = onFault;
    this.#reader = new MessageReader(association.contexts, {
      message: (message) => this.#begin(message),
      complete: (message) => this.#arrived(message),
    });
  }

  /** Starts reading. */
  start(): this {
    this.association.signal.addEventListener('abort', () => this.#end(), { once: true });
    this.association.attach(this.#reader);
    return this;
  }

  /** Ends the association when no message is in progress. By A-ABORT: many requestors look at the connection only
   *  when they want something, and would leave an A-RELEASE-RQ unanswered (PS3.8 §7.2, §7.3). */
  finish(): void {
    this.#finishing = true;
    this.#abortWhenQuiet();
  }

  /** Not right behind a response: A-ABORT overtakes what the peer has not looked at, and it may send the next request
   *  or release the association itself. */
  #abortWhenQuiet(): void {
    if (!this.#finishing) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      if (this.#operations.size + this.#outstanding.size === 0) this.association.abort();
    }, QUIET_MS);
  }

  async request(
    context: AcceptedContext,
    fields: RequestFields,
    dataSet?: Buffer,
    onPending?: (response: DimseResponse) => void,
  ): Promise<DimseResponse> {
    const command = this.#numbered(fields);
    const answered = this.#expect(command.messageId!, onPending);
    const bytes = encodeMessage(context.id, command, dataSet, this.association.maxSendPduBytes);
    await this.#sending(command.messageId!, async () => this.association.write([bytes]));
    return answered;
  }

  prepare(
    context: AcceptedContext,
    fields: RequestFields,
    dataSet: OutgoingDataSet,
  ): Promise<PreparedRequest> {
    const command = this.#numbered(fields);
    return prepareMessage(context.id, command, dataSet, this.association.maxSendPduBytes).then(
      (prepared) => ({
        ...prepared,
        messageId: command.messageId!,
      }),
    );
  }

  async send(prepared: PreparedRequest): Promise<DimseResponse> {
    const answered = this.#expect(prepared.messageId, undefined);
    await this.#sending(prepared.messageId, () => sendPrepared(this.association, prepared));
    return answered;
  }

  cancel(context: AcceptedContext, messageId: number): void {
    const command: CommandSet = {
      commandField: CommandField.cCancelRq,
      messageIdBeingRespondedTo: messageId,
      commandDataSetType: NO_DATA_SET,
    };
    void this.association.write([
      encodeMessage(context.id, command, undefined, this.association.maxSendPduBytes),
    ]);
  }

  get nextMessageId(): number {
    return (this.#lastMessageId % 0xffff) + 1;
  }

  #numbered(fields: RequestFields): CommandSet {
    this.#lastMessageId = this.nextMessageId;
    return { commandDataSetType: NO_DATA_SET, ...fields, messageId: this.#lastMessageId };
  }

  #expect(messageId: number, onPending: Outstanding['onPending']): Promise<DimseResponse> {
    this.association.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<DimseResponse>();
    promise.catch(() => {}); // the sender reports the failure; this only keeps it from being unhandled meanwhile
    this.#outstanding.set(messageId, { onPending, resolve, reject });
    this.#updateHold();
    return promise;
  }

  async #sending(messageId: number, write: () => Promise<void> | undefined): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#outstanding.delete(messageId);
      this.association.abort();
      throw error;
    }
  }

  #begin(message: DimseMessage): void {
    const { command } = message;
    if (command.commandField === CommandField.cCancelRq) {
      this.#operations.get(command.messageIdBeingRespondedTo ?? -1)?.cancel.abort();
      return;
    }
    if (isResponse(command.commandField)) {
      // One after the other: a final response must not overtake the Identifier of the pending one before it.
      this.#responses = this.#responses.then(() => this.#response(message));
      return;
    }
    if (command.messageId === undefined) {
      throw new ProtocolError(
        'message-id-missing',
        `${commandName(command.commandField)} has no Message ID (0000,0110).`,
      );
    }
    if (this.#operations.size >= MAX_OPERATIONS) {
      throw new ProtocolError(
        'too-many-operations',
        `${this.#operations.size} requests are outstanding where a window of 1 was negotiated.`,
      );
    }
    if (this.#operations.has(command.messageId)) {
      message.dataSet?.drain();
      void this.#respond(message, { status: Status.duplicateInvocation });
      return;
    }
    const operation: Operation = { cancel: new AbortController(), arrived: false, onArrived: undefined };
    this.#operations.set(command.messageId, operation);
    void this.#serve(message, operation);
  }

  async #serve(message: DimseMessage, operation: Operation): Promise<void> {
    let response: ResponseFields & { dataSet?: Buffer };
    try {
      response = await this.#perform(message, operation);
    } catch (thrown) {
      const error = asDimseError(thrown);
      if (!this.association.signal.aborted) this.#onFault(this.association, message.command, error);
      response = { status: error.status, errorComment: error.message };
      if (error.offendingElement.length > 0) response.offendingElement = [...error.offendingElement];
    }
    // A response before the end of the request would cross it on the wire; some peers never look.
    message.dataSet?.drain();
    if (!operation.arrived && !this.association.signal.aborted) {
      await new Promise<void>((resolve) => {
        operation.onArrived = resolve;
      });
    }
    this.#operations.delete(message.command.messageId!);
    this.#updateHold();
    if (this.association.signal.aborted) return;
    const { dataSet, ...fields } = response;
    void this.#respond(message, fields, [dataSet]);
    this.#abortWhenQuiet();
  }

  #perform(message: DimseMessage, operation: Operation): ReturnType<Service> {
    const { command, context } = message;
    const service = this.#services.find(command.commandField, context.abstractSyntax);
    if (service === undefined) {
      throw new DimseError(
        Status.unrecognizedOperation,
        `${commandName(command.commandField)} is not offered for ${context.abstractSyntax}.`,
        { code: 'operation-not-offered' },
      );
    }
    return service({
      association: this.association,
      invoker: this,
      context,
      command,
      dataSet: message.dataSet,
      // Made when it is asked for: storing, the most frequent of all, never does.
      get cancelled() {
        return operation.cancel.signal;
      },
      pending: (fields, identifiers) => this.#respond(message, fields, identifiers),
    });
  }

  #respond(
    message: DimseMessage,
    fields: ResponseFields,
    dataSets: readonly (Buffer | undefined)[] = [undefined],
  ): Promise<void> | undefined {
    if (this.association.signal.aborted) return undefined;
    const { command } = message;
    const response: CommandSet = {
      commandField: responseTo(command.commandField),
      messageIdBeingRespondedTo: command.messageId ?? 0,
      commandDataSetType: NO_DATA_SET,
      affectedSopClassUid:
        command.affectedSopClassUid ?? command.requestedSopClassUid ?? message.context.abstractSyntax,
      ...fields,
    };
    const instanceUid = command.affectedSopInstanceUid ?? command.requestedSopInstanceUid;
    if (instanceUid !== undefined) response.affectedSopInstanceUid = instanceUid;
    const { maxSendPduBytes } = this.association;
    return this.association.write([encodeMessages(message.context.id, response, dataSets, maxSendPduBytes)]);
  }

  async #response(message: DimseMessage): Promise<void> {
    const id = message.command.messageIdBeingRespondedTo ?? -1;
    const outstanding = this.#outstanding.get(id);
    try {
      if (outstanding === undefined) {
        throw new ProtocolError(
          'response-unexpected',
          `${commandName(message.command.commandField)} answers message ${id}, which is not outstanding.`,
        );
      }
      const isFinal = !isPending(message.command.status ?? Status.success);
      if (isFinal) {
        this.#outstanding.delete(id);
        this.#updateHold();
      }
      const dataSet =
        message.dataSet === undefined
          ? undefined
          : await collect(message.dataSet, MAX_RESPONSE_DATA_SET_BYTES);
      const response = { command: message.command, dataSet };
      if (isFinal) outstanding.resolve(response);
      else outstanding.onPending?.(response);
    } catch (error) {
      outstanding?.reject(error);
      message.dataSet?.drain();
      this.association.abort();
    }
  }

  #arrived(message: DimseMessage): void {
    const operation = this.#operations.get(message.command.messageId ?? -1);
    if (operation === undefined) return;
    operation.arrived = true;
    operation.onArrived?.();
    this.#updateHold();
  }

  /** The idle timer rests while we work, and runs while we wait for the peer (a data set, a response). */
  #updateHold(): void {
    const working =
      this.#outstanding.size === 0 && [...this.#operations.values()].some(({ arrived }) => arrived);
    if (working) {
      this.#release ??= this.association.hold();
    } else {
      this.#release?.();
      this.#release = undefined;
    }
  }

  #end(): void {
    clearTimeout(this.#quiet);
    const reason = this.association.signal.reason;
    this.#reader.fail(reason);
    for (const operation of this.#operations.values()) {
      operation.cancel.abort(reason);
      operation.onArrived?.();
    }
    for (const outstanding of this.#outstanding.values()) outstanding.reject(reason);
    this.#outstanding.clear();
  }
}

function asDimseError(thrown: unknown): DimseError {
  if (thrown instanceof DimseError) return thrown;
  return new DimseError(Status.processingFailure, 'The archive failed on this request; its log says why.', {
    code: 'internal',
    cause: thrown,
  });
}
