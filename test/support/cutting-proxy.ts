// A TCP proxy that cuts one connection at a chosen moment, between a database and whoever asks it.
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** `unsent`: what was to be sent is not. `unanswered`: it arrives, and the answer does not come back. */
export type Cut = 'unsent' | 'unanswered';

export class CuttingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { sendings: number; readonly cut: Cut } | undefined;
  #isSilent = false;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    server.on('connection', (client) => this.#join(client, createConnection(targetPort, '127.0.0.1')));
  }

  static async start(targetPort: number): Promise<CuttingProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new CuttingProxy(server, targetPort);
  }

  /** Cuts the connection that sends next for the `sendings`th time, on whatever connections they come. */
  arm(sendings: number, cut: Cut): void {
    this.#armed = { sendings, cut };
  }

  /** Whether the moment never came; there will be no cut any more. */
  disarm(): boolean {
    const wasArmed = this.#armed !== undefined;
    this.#armed = undefined;
    return wasArmed;
  }

  /** From now on nothing is passed on, and every connection stays open; or all is again, on new connections. */
  set silent(silent: boolean) {
    this.#isSilent = silent;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    let isUnanswered = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      if (this.#isSilent) return;
      const cut = this.#sending();
      if (cut === 'unsent') return end();
      isUnanswered ||= cut === 'unanswered';
      server.write(data);
    });
    server.on('data', (data) => {
      if (isUnanswered) end();
      else if (!this.#isSilent) client.write(data);
    });
  }

  #sending(): Cut | undefined {
    if (this.#armed === undefined) return undefined;
    this.#armed.sendings -= 1;
    if (this.#armed.sendings > 0) return undefined;
    const { cut } = this.#armed;
    this.#armed = undefined;
    return cut;
  }
}
