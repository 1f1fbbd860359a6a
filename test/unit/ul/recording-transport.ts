// A transport that keeps what is written and lets a test be the network.
import type { Transport, TransportUser } from '../../../src/ul/transport.ts';

export class RecordingTransport implements Transport {
  readonly remoteAddress = '192.0.2.1';
  readonly remotePort = 104;
  readonly bytes = { received: 0, sent: 0 };
  readonly closed: Promise<void>;
  /** Bytes per write call. */
  readonly writes: Buffer[] = [];
  paused = false;
  isClosed = false;
  /** What `write` answers. */
  room = true;
  #user: TransportUser | undefined;
  readonly #settleClosed: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  open(user: TransportUser): void {
    this.#user = user;
  }

  write(chunks: readonly Buffer[]): boolean {
    this.writes.push(Buffer.concat(chunks));
    return this.room;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.isClosed = true;
    this.#settleClosed();
  }

  /** The peer sends. */
  receive(...chunks: Buffer[]): void {
    for (const chunk of chunks) this.#user?.received(chunk);
  }

  drain(): void {
    this.room = true;
    this.#user?.drained();
  }

  /** The peer hangs up, or the connection breaks. */
  disconnect(cause?: Error): void {
    this.#user?.disconnected(cause);
    this.#settleClosed();
  }

  /** Everything written since the last call. */
  takeWritten(): Buffer {
    return Buffer.concat(this.writes.splice(0));
  }
}
