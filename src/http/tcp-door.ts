// The TCP port of the app, with so many connections and no more. When they are all taken it does not listen until some
// have ended: a connection that the kernel refuses costs the machines that send images nothing, one that is taken only
// to be dropped does.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';

const CLOSE_GRACE_MS = 1000;
const RETRY_MS = 1000;
/** Listens again when this share of the connections has ended. */
const ROOM = 1 / 4;

export interface TcpDoorOptions {
  readonly port: number;
  readonly host: string;
  readonly maxConnections: number;
  onFull(): void;
}

export class TcpDoor {
  readonly #server: Server;
  readonly #options: TcpDoorOptions;
  #port: number;
  #connections = 0;
  #state: 'shut' | 'open' | 'full' = 'shut';
  #retry: NodeJS.Timeout | undefined;

  constructor(server: Server, options: TcpDoorOptions) {
    this.#server = server;
    this.#options = options;
    this.#port = options.port;
    server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => this.#left());
      if (this.#connections >= options.maxConnections && this.#state === 'open') this.#fill();
    });
  }

  /** Rejects with the system's error, such as EADDRINUSE. */
  async listen(): Promise<AddressInfo> {
    this.#server.listen(this.#port, this.#options.host);
    await once(this.#server, 'listening');
    this.#state = 'open';
    const at = this.#server.address() as AddressInfo;
    this.#port = at.port;
    // Somebody may take the port while nobody listens there.
    this.#server.on('error', () => {
      this.#retry = setTimeout(() => this.#reopen(), RETRY_MS);
    });
    return at;
  }

  async close(): Promise<void> {
    if (this.#state === 'shut') return;
    this.#state = 'shut';
    clearTimeout(this.#retry);
    await closeServer(this.#server);
  }

  #fill(): void {
    this.#state = 'full';
    this.#options.onFull();
    // Of HTTP's own close the slow requests would no longer be timed.
    NetServer.prototype.close.call(this.#server);
  }

  #left(): void {
    this.#connections -= 1;
    if (this.#state === 'full' && this.#connections <= this.#options.maxConnections * (1 - ROOM)) {
      this.#state = 'open';
      this.#reopen();
    }
  }

  #reopen(): void {
    if (this.#state === 'open') this.#server.listen(this.#port, this.#options.host);
  }
}

/** Lets running requests end, for a moment. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  // Node ends idle connections by itself; those in the middle of a request get the grace.
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
