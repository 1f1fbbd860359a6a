// What a service or an SCU may ask of the peer over an association: requests and their responses (PS3.7 §7.5).

import type { AcceptedContext, Association } from '../ul/association.ts';
import type { CommandSet } from './commands.ts';
import type { OutgoingDataSet, PreparedMessage } from './message-writer.ts';

export type RequestFields = Partial<CommandSet> & { readonly commandField: number };

export interface DimseResponse {
  readonly command: CommandSet;
  readonly dataSet: Buffer | undefined;
}

/** A request whose data set has been opened and begun, see `prepare`. */
export interface PreparedRequest extends PreparedMessage {
  readonly messageId: number;
}

export interface Invoker {
  readonly association: Association;
  /** Sends a request and resolves with its final response; `onPending` sees those before it, in order. */
  request(
    context: AcceptedContext,
    fields: RequestFields,
    dataSet?: Buffer,
    onPending?: (response: DimseResponse) => void,
  ): Promise<DimseResponse>;
  /** Reads the beginning of a streamed request ahead of its turn. */
  prepare(
    context: AcceptedContext,
    fields: RequestFields,
    dataSet: OutgoingDataSet,
  ): Promise<PreparedRequest>;
  /** Sends a prepared request and resolves with its response. When the data set cannot be read to its end the
   *  association is aborted: half a message cannot be taken back. */
  send(prepared: PreparedRequest): Promise<DimseResponse>;
  /** C-CANCEL-RQ (PS3.7 §9.3.2.3): the final response still comes. */
  cancel(context: AcceptedContext, messageId: number): void;
  /** The id that the next request will get: what `cancel` needs. */
  readonly nextMessageId: number;
}
