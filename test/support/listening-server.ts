// A server that is no peer of ours, at a port that the kernel chooses.
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

export async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
