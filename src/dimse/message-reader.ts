// Reassembles DIMSE messages from PDVs (PS3.7 §6.3, PS3.8 Annex E): the command set whole, the data set as a stream.

import type { AcceptedContext, PdvFragment, PdvSink } from '../ul/association.ts';
import { ByteQueue } from '../util/byte-source.ts';
import { decodeCommandSet, MAX_COMMAND_SET_BYTES } from './command-set.ts';
import { type CommandSet, commandName, NO_DATA_SET } from './commands.ts';
import { ProtocolError } from './errors.ts';

/** One message: the data set is still arriving when this is handed out. */
export interface DimseMessage {
  readonly context: AcceptedContext;
  readonly command: CommandSet;
  /** Present when the command set says that a data set follows. */
  readonly dataSet: ByteQueue | undefined;
}

export interface MessageHandler {
  /** Called as soon as the command set is whole. */
  message(message: DimseMessage): void;
  /** The last fragment of this message has arrived. */
  complete(message: DimseMessage): void;
}

/** The sink of one association. Throws ProtocolError on anything PS3.7 forbids, which aborts the association. */
export class MessageReader implements PdvSink {
  readonly #contexts: ReadonlyMap<number, AcceptedContext>;
  readonly #handler: MessageHandler;
  #command: Buffer[] = [];
  #commandBytes = 0;
  #contextId: number | undefined;
  #message: DimseMessage | undefined;

  constructor(contexts: ReadonlyMap<number, AcceptedContext>, handler: MessageHandler) {
    this.#contexts = contexts;
    this.#handler = handler;
  }

  receive(pdv: PdvFragment): void | Promise<void> {
    const message = this.#message;
    if (message === undefined) {
      this.#receiveCommand(pdv);
      return;
    }
    if (pdv.isCommand) {
      throw interleaved(
        `a command fragment came before the data set of ${commandName(message.command.commandField)} ended`,
      );
    }
    if (pdv.contextId !== message.context.id) {
      throw interleaved(
        `a data set fragment came in context ${pdv.contextId}, its command in ${message.context.id}`,
      );
    }
    const wait = message.dataSet?.push(pdv.data);
    if (pdv.isLast) {
      this.#message = undefined;
      message.dataSet?.end();
      this.#handler.complete(message);
    }
    return wait;
  }

  /** The association is over: whoever reads a data set learns why it stops. */
  fail(error: unknown): void {
    this.#message?.dataSet?.fail(error);
  }

  #receiveCommand(pdv: PdvFragment): void {
    const context = this.#contexts.get(pdv.contextId);
    if (context === undefined)
      throw interleaved(`a fragment came in context ${pdv.contextId}, which was not accepted`);
    if (!pdv.isCommand) throw interleaved('a data set fragment came where a command set is due');
    if (this.#contextId !== undefined && this.#contextId !== pdv.contextId) {
      throw interleaved(`one command set came in contexts ${this.#contextId} and ${pdv.contextId}`);
    }
    this.#contextId = pdv.contextId;
    this.#commandBytes += pdv.data.length;
    if (this.#commandBytes > MAX_COMMAND_SET_BYTES) {
      throw new ProtocolError(
        'command-set-too-long',
        `The command set is longer than ${MAX_COMMAND_SET_BYTES} bytes.`,
      );
    }
    // A copy of what waits for more: its chunk goes.
    this.#command.push(pdv.isLast ? pdv.data : Buffer.from(pdv.data));
    if (!pdv.isLast) return;

    const whole = this.#command.length === 1 ? this.#command[0]! : Buffer.concat(this.#command);
    this.#command = [];
    this.#commandBytes = 0;
    this.#contextId = undefined;
    const command = decodeCommandSet(whole);
    const dataSet = command.commandDataSetType === NO_DATA_SET ? undefined : new ByteQueue();
    const message: DimseMessage = { context, command, dataSet };
    if (dataSet !== undefined) this.#message = message;
    this.#handler.message(message);
    if (dataSet === undefined) this.#handler.complete(message);
  }
}

function interleaved(what: string): ProtocolError {
  return new ProtocolError(
    'message-fragments-disordered',
    `The message cannot be put together: ${what} (PS3.8 Annex E).`,
  );
}
