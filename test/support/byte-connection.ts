// One end of a transport connection that speaks in PDUs as bytes, with every wait bounded.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawPdu {
  readonly type: number;
  readonly body: Buffer;
}

/** Rejects with `what` when the promise has not settled in time. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a test waits for the other side before it calls that a failure. */
export const PATIENCE_MS = 20_000;

// More than this waiting to be read pauses the socket, so that a slow test does not hold a study in memory.
const READ_AHEAD_BYTES = 4 << 20;

export class ByteConnection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #ended = false;
  #wake: () => void = () => {};
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > READ_AHEAD_BYTES) socket.pause();
      this.#wake();
    });
    // A reset is one of the ways in which a peer may end it; readers see the end of the stream.
    socket.on('error', () => this.#finish());
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#finish();
        resolve();
      });
    });
  }

  #finish(): void {
    this.#over = true;
    this.#ended = true;
    this.#wake();
  }

  static async open(port: number, host = '127.0.0.1', localAddress?: string): Promise<ByteConnection> {
    const socket = connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) });
    await within(once(socket, 'connect'), PATIENCE_MS, `connect to ${host}:${port}`);
    return new ByteConnection(socket);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Writes and waits while the transport is full; bytes for a connection that is gone are dropped. */
  async write(...chunks: readonly Buffer[]): Promise<void> {
    if (this.#over) return;
    this.#socket.cork();
    let room = true;
    for (const chunk of chunks) room = this.#socket.write(chunk);
    this.#socket.uncork();
    if (!room) await Promise.race([once(this.#socket, 'drain').catch(() => undefined), this.closed]);
  }

  /** The next PDU, or undefined when the connection ended (also inside a PDU). */
  async nextPdu(patienceMs = PATIENCE_MS): Promise<RawPdu | undefined> {
    return within(this.#readPdu(), patienceMs, 'next PDU');
  }

  async #readPdu(): Promise<RawPdu | undefined> {
    const head = await this.#take(6);
    if (head === undefined) return undefined;
    const length = head.readUInt32BE(2);
    const body = length === 0 ? Buffer.alloc(0) : await this.#take(length);
    return body === undefined ? undefined : { type: head.readUInt8(0), body };
  }

  async #take(wanted: number): Promise<Buffer | undefined> {
    while (this.#bytes < wanted) {
      if (this.#ended) return undefined;
      // The PDU may be longer than what is read ahead.
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = all.length > wanted ? [all.subarray(wanted)] : [];
    this.#bytes = all.length - wanted;
    if (this.#bytes < READ_AHEAD_BYTES) this.#socket.resume();
    return all.subarray(0, wanted);
  }

  /** Ends our half in order; the other side may still talk. */
  end(): void {
    this.#socket.end();
  }

  /** Cuts the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Cuts the connection with a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
