// Instances waiting to be sent: taken in order, given back when an association ended before their turn.

import type { OutgoingDataSet } from '../dimse/message-writer.ts';
import { SourceDataSet } from '../dimse/source-data-set.ts';
import type { ByteSource } from '../util/byte-source.ts';

export type ClosableDataSet = OutgoingDataSet & { close(): void };

/** A data set of unknown length. */
export function streamed(source: ByteSource, close: () => void): ClosableDataSet {
  return Object.assign(new SourceDataSet(source), { close });
}

/** An instance to send, from wherever it comes. */
export interface StoreItem {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Whether `open` can give it in another transfer syntax without changing a pixel. */
  canConvert(transferSyntaxUid: string): boolean;
  open(transferSyntaxUid: string, signal: AbortSignal): Promise<ClosableDataSet>;
}

/** Takes from an iterable that may be read while earlier items are still on their way. */
export class ItemQueue {
  readonly #items: AsyncIterator<StoreItem>;
  #returned: StoreItem[] = [];

  constructor(items: AsyncIterable<StoreItem>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  async next(): Promise<StoreItem | undefined> {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const { done, value } = await this.#items.next();
    return done === true ? undefined : value;
  }

  /** In the order in which they were taken. */
  giveBack(items: readonly StoreItem[]): void {
    this.#returned = [...items, ...this.#returned];
  }

  /** Nothing more will be taken. */
  async close(): Promise<void> {
    await this.#items.return?.();
  }
}
