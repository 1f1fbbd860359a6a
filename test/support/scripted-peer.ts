// A peer scripted in bytes over a real socket: connect or listen, send, expect, wait for the close.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { within } from './byte-connection.ts';

/** Guards against a test that would wait for ever; nothing waits that long in a test that passes. */
const PATIENCE_MS = 10_000;

/** One end of a connection that says exactly what a test tells it to. */
export class ScriptedPeer {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on('error', () => this.#wake?.());
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  static async connect(port: number): Promise<ScriptedPeer> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new ScriptedPeer(socket);
  }

  /** Bytes, or hex with blanks in it. */
  send(data: Buffer | string): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data.replace(/\s+/g, ''), 'hex') : data);
  }

  /** The next bytes received, which must be these; blanks in the hex are for the reader. */
  async expect(hex: string): Promise<void> {
    const expected = hex.replace(/\s+/g, '');
    const bytes = await this.read(expected.length / 2);
    assert.equal(bytes.toString('hex'), expected);
  }

  /** The next `count` bytes, whatever they are. */
  async read(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count || this.#closed);
    assert.ok(this.#received.length >= count, `closed after ${this.#received.length} of ${count} bytes`);
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** The next whole PDU (PS3.8 §9.3.1). */
  async readPdu(): Promise<Buffer> {
    const header = await this.read(6);
    return Buffer.concat([header, await this.read(header.readUInt32BE(2))]);
  }

  /** Until the other end has closed; nothing unexpected may have come before. */
  async expectClose(): Promise<void> {
    await this.#until(() => this.#closed);
    assert.equal(this.#received.toString('hex'), '', 'bytes nobody expected');
  }

  /** Hangs up in good order. */
  end(): void {
    this.socket.end();
  }

  /** Breaks the connection (RST). */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #until(condition: () => boolean): Promise<void> {
    let isPatient = true;
    const patience = setTimeout(() => {
      isPatient = false;
      this.socket.destroy();
    }, PATIENCE_MS);
    try {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(patience);
    }
    assert.ok(isPatient, `the other end kept silent for ${PATIENCE_MS / 1000} s`);
  }
}

/** Waits on port 0 for peers to connect. */
export class ScriptedListener {
  readonly #server: Server;
  readonly #waiting: ScriptedPeer[] = [];
  readonly #peers: ScriptedPeer[] = [];
  #wake: (() => void) | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const peer = new ScriptedPeer(socket);
      this.#peers.push(peer);
      this.#waiting.push(peer);
      this.#wake?.();
    });
  }

  static async listen(): Promise<ScriptedListener> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedListener(server);
  }

  get port(): number {
    const address = this.#server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return address.port;
  }

  /** The next peer that connects. */
  async accept(): Promise<ScriptedPeer> {
    for (;;) {
      const peer = this.#waiting.shift();
      if (peer !== undefined) return peer;
      const connected = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(connected, PATIENCE_MS, 'a connection');
    }
  }

  close(): void {
    this.#server.close();
    for (const peer of this.#peers) peer.socket.destroy();
  }
}
