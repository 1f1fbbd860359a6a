// A lock on a file that the kernel drops with the process, also after kill -9: node has no call for it, SQLite has. It
// is a POSIX lock (fcntl), so it holds between containers, and between machines on a volume whose server knows locks.

import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BUSY = 5;
const SYSTEM_CODES: ReadonlyMap<number, string> = new Map([
  [3, 'EACCES'], // SQLITE_PERM
  [8, 'EROFS'], // SQLITE_READONLY
  [10, 'EIO'], // SQLITE_IOERR
  [13, 'ENOSPC'], // SQLITE_FULL
  [14, 'EACCES'], // SQLITE_CANTOPEN
]);

export class FileLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** undefined: somebody else holds it. The file is made when it is missing, stays empty, and is for nothing else: the
   *  process that opens and closes it in another way loses the lock. Throws with the code of a system error. */
  static take(path: string, kind: 'exclusive' | 'shared' = 'exclusive'): FileLock | undefined {
    for (;;) {
      const lock = FileLock.#attempt(path, kind);
      // Removed in between, the lock is on a file that nobody else will find.
      if (lock === undefined || statSync(path, { throwIfNoEntry: false }) !== undefined) return lock;
      lock.release();
    }
  }

  release(): void {
    this.#database.close();
  }

  static #attempt(path: string, kind: 'exclusive' | 'shared'): FileLock | undefined {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: 0 });
      // Nothing is ever written, so no journal must appear beside the file.
      database.exec('pragma journal_mode = memory');
      database.exec(kind === 'exclusive' ? 'begin exclusive' : 'begin');
      // Reading takes the shared lock, and an open transaction keeps it.
      if (kind === 'shared') database.prepare('select count(*) from sqlite_schema').get();
      return new FileLock(database);
    } catch (error) {
      database?.close();
      const result = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
      if (result === BUSY) return undefined;
      const code = SYSTEM_CODES.get(result);
      if (code === undefined || !(error instanceof Error)) throw error;
      throw Object.assign(new Error(`locking ${path}: ${error.message}`, { cause: error }), { code });
    }
  }
}
