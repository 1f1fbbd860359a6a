// The transport connection below an association (PS3.8 §9.1): TCP now, TLS or an in-memory pair as well.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { lend } from '../util/received-memory.ts';

/** What the transport tells the upper layer. */
export interface TransportUser {
  /** The chunk may be lent (see received-memory.ts): whoever has done with it releases it. */
  received(chunk: Buffer): void;
  /** Everything written is out, after a `write` that returned false. */
  drained(): void;
  /** The peer has gone, or the connection broke (`cause`). Comes once, and last. */
  disconnected(cause?: Error): void;
}

/** Bytes in order, both ways. */
export interface Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Both ways since the connection was opened; 0 where nobody counts. */
  readonly bytes: { readonly received: number; readonly sent: number };
  /** Settles when the connection is closed at this end; never rejects. */
  readonly closed: Promise<void>;
  /** From here on `user` hears what happens. */
  open(user: TransportUser): void;
  /** One write for all chunks; false asks to wait for `drained`. */
  write(chunks: readonly Buffer[]): boolean;
  pause(): void;
  resume(): void;
  /** Closes at once. What is still queued is not sent. */
  close(): void;
}

/** A transport over any Node duplex stream: a TCP or TLS socket, or one end of `duplexPair`. */
export class StreamTransport implements Transport {
  readonly closed: Promise<void>;
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.closed = new Promise((resolve) => {
      if (stream.closed) resolve();
      else stream.once('close', resolve);
    });
  }

  get remoteAddress(): string {
    return this.#stream instanceof Socket ? withoutMapping(this.#stream.remoteAddress ?? '') : '';
  }

  get remotePort(): number {
    return this.#stream instanceof Socket ? (this.#stream.remotePort ?? 0) : 0;
  }

  get bytes(): { received: number; sent: number } {
    const stream = this.#stream;
    return stream instanceof Socket
      ? { received: stream.bytesRead, sent: stream.bytesWritten }
      : { received: 0, sent: 0 };
  }

  open(user: TransportUser): void {
    let cause: Error | undefined;
    let over = false;
    const disconnected = () => {
      if (over) return;
      over = true;
      user.disconnected(cause);
    };
    this.#stream
      .on('data', (chunk: Buffer) => {
        // What comes out of another kind of stream may be anybody's.
        if (this.#stream instanceof Socket) lend(chunk);
        user.received(chunk);
      })
      .on('drain', () => user.drained())
      .on('error', (error) => {
        cause = error;
      })
      // A peer that shuts down its half has ended the association: waiting for more would be in vain.
      .once('end', disconnected)
      .once('close', disconnected);
  }

  write(chunks: readonly Buffer[]): boolean {
    const stream = this.#stream;
    if (chunks.length === 1) return stream.write(chunks[0]!);
    // Corked writes leave in one system call: two would cost 40 ms each where the peer delays its ACKs.
    stream.cork();
    let room = true;
    for (const chunk of chunks) room = stream.write(chunk);
    stream.uncork();
    return room;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.destroy();
  }
}

// IPv4 peers of a dual-stack listener show up as ::ffff:10.0.0.1.
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
