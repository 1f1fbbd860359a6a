// One daemon per storage area: two of them would sweep each other's incoming files and mix their journals.
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { codeOf } from '../util/errors.ts';
import type { Directory } from './directory.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

/** Holds a name that only one process of this machine can have. The kernel drops it with the process: kill -9 leaves
 *  nothing stale behind, and no process id can be mistaken for another's. */
export class AreaLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** The name is made of device and inode, so that no second path leads to the same area unnoticed. */
  static async take(root: Directory): Promise<AreaLock> {
    const { dev, ino } = await root.identity();
    // A leading NUL: a socket in the abstract namespace of Linux, without any file.
    const server = createServer((connection) => connection.destroy()).listen(`\0angiovault-${dev}-${ino}`);
    server.unref();
    try {
      await once(server, 'listening');
    } catch (error) {
      const place = root.realPath;
      if (codeOf(error) !== 'EADDRINUSE') throw storageErrorOf(error, `locking ${place}`);
      const words = `another daemon is using ${place}; stop it, or give this one another archive directory`;
      throw new StorageError('in-use', words, { cause: error });
    }
    return new AreaLock(server);
  }

  async release(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
