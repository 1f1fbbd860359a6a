// One connection to the server, with the session as the catalogue wants it. The socket is ours, so that a server
// that falls silent is given up.

import { connect, type Socket } from 'node:net';
import { type Connection, createConnection, SqlError, type StreamCallback } from 'mariadb';
import type { MariadbAddress } from '../../util/catalog-address.ts';
import { messageOf } from '../../util/errors.ts';
import { CatalogError } from '../errors.ts';
import { ConnectionLost, isUnfit, nameOf, ServerSilent, ServerUnfit } from './faults.ts';

const CONNECT_MS = 2000;
const KEEP_ALIVE_MS = 30_000;
/** More than the catalogue has. */
const MAX_PREPARED = 500;

/** The first with `idle_transaction_timeout`; what else is used is older. */
const OLDEST = [10, 3, 0] as const;

const SESSION = [
  // Each read sees what was committed last. Repeatable reads would lock the gaps between keys, where everything that
  // is new goes, and make daemons deadlock; all that ingest changes, it locks before it reads it.
  'set session transaction isolation level read committed',
  // What does not fit is an error, not cut. The waits for locks end before a silence is given up. The transaction of
  // a daemon that the network cut off releases its locks.
  `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = 5, lock_wait_timeout = 5, idle_transaction_timeout = 20`,
];

const AUTHENTICATION = ['mysql_native_password', 'client_ed25519', 'parsec', 'caching_sha2_password'];

export interface OpenOptions {
  /** A server that offers no encryption then fails with ER_SERVER_SSL_DISABLED. */
  readonly encrypted: boolean;
  /** Longest silence in the middle of a statement; 0 for any. */
  readonly answerMs: number;
  /** The server's max_allowed_packet: it ends a connection on which more than that is sent. */
  readonly maxStatementBytes: number;
}

/** What the server answers to a statement: rows, or what a change did. */
export type Answer = readonly object[] | { readonly affectedRows: number | bigint };

export class ServerConnection {
  readonly address: MariadbAddress;
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #options: OpenOptions;
  #loss: ConnectionLost | undefined;
  /** Tells the statement that is running. */
  #onLost: ((loss: ConnectionLost) => void) | undefined;

  private constructor(address: MariadbAddress, connection: Connection, socket: Socket, options: OpenOptions) {
    this.address = address;
    this.#connection = connection;
    this.#socket = socket;
    this.#options = options;
    socket.on('error', (error) => this.#lose(new ConnectionLost(messageOf(error))));
    socket.on('close', () => this.#lose(new ConnectionLost('the connection was closed')));
    socket.on('timeout', () => {
      this.#lose(new ServerSilent(`no answer for ${options.answerMs / 1000} s`));
      this.abandon();
    });
    // Statements get their own failure; between two of them the loss shows when the next one is sent.
    connection.on('error', () => this.abandon());
  }

  static async open(address: MariadbAddress, options: OpenOptions): Promise<ServerConnection> {
    const { host, port, socketPath, user, password, database } = address;
    const socket = socketPath === undefined ? connect({ host, port, noDelay: true }) : connect(socketPath);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const settings = {
      host,
      user,
      password,
      database,
      stream: (use: StreamCallback) => use(undefined, socket),
      connectTimeout: CONNECT_MS,
      // Not verified: without certificates on the network this still keeps others from reading along.
      ssl: options.encrypted && { rejectUnauthorized: false },
      // A server that is not the right one is never told the password itself.
      restrictedAuth: AUTHENTICATION,
      charset: 'utf8mb4',
      bigIntAsNumber: true,
      decimalAsNumber: true,
      checkNumberRange: true,
      prepareCacheLength: MAX_PREPARED,
      // Parameters name patients.
      logParam: false,
      logger: { warning: () => undefined },
    };
    const connection = await createConnection(settings);
    const giveUp = (): void => void socket.destroy(new ServerSilent(`no answer for ${CONNECT_MS / 1000} s`));
    socket.setTimeout(CONNECT_MS, giveUp);
    try {
      requireVersion(connection, address);
      for (const statement of SESSION) await connection.query(statement);
      await joinCluster(connection);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      socket.setTimeout(0, giveUp);
    }
    return new ServerConnection(address, connection, socket, options);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#connection.isValid();
  }

  /** By the prepared-statement protocol: the statement is parsed once, and no value is ever part of its text. */
  async execute(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    const bytes = parameters.reduce<number>((sum, value) => sum + bytesOf(value), sql.length);
    if (bytes > this.#options.maxStatementBytes) {
      const words = `${bytes} bytes in one statement are more than the database server's max_allowed_packet`;
      throw new CatalogError('catalog-request', words);
    }
    return this.#answered(this.#connection.execute<Answer>(sql, parameters.map(parameterOf)));
  }

  query(sql: 'start transaction' | 'commit' | 'rollback'): Promise<unknown> {
    return this.#answered(this.#connection.query(sql));
  }

  /** Drops it, whatever it is doing. */
  abandon(): void {
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    await this.#connection.end().catch(() => this.abandon());
  }

  /** The first loss tells why. */
  #lose(loss: ConnectionLost): void {
    this.#loss ??= loss;
    this.#onLost?.(this.#loss);
  }

  async #answered<T>(statement: Promise<T>): Promise<T> {
    this.#socket.setTimeout(this.#options.answerMs);
    // One for each statement: what is raced against a promise that stays is held by it.
    const lost = Promise.withResolvers<never>();
    this.#onLost = lost.reject;
    if (this.#loss !== undefined) lost.reject(this.#loss);
    try {
      return await Promise.race([statement, lost.promise]);
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      const words = error instanceof SqlError ? (error.sqlMessage ?? error.message) : messageOf(error);
      if (isUnfit(error)) {
        this.abandon();
        throw new ServerUnfit(words, { cause: error });
      }
      if (this.isOpen) throw error;
      throw new ConnectionLost(words, { cause: error });
    } finally {
      this.#onLost = undefined;
      this.#socket.setTimeout(0);
    }
  }
}

/** Before anything is asked that an older server, or another product, does not know. */
function requireVersion({ info }: Connection, address: MariadbAddress): void {
  if (info?.isMariaDB() && info.hasMinVersion(...OLDEST)) return;
  throw new CatalogError(
    'catalog-request',
    `Catalogue ${nameOf(address)}: the server is version ${info?.serverVersion.raw}; MariaDB ${OLDEST.slice(0, 2).join('.')} or later is needed`,
  );
}

/** Of a cluster (Galera): a node that is cut off from it, or comes in just now, serves nobody. What another node has
 *  committed may not have come here yet: reads and transactions wait until it has. */
async function joinCluster(connection: Connection): Promise<void> {
  const provider = await shown(connection, "show variables like 'wsrep_provider'");
  if (provider === undefined || provider === '' || provider === 'none') return;
  if ((await shown(connection, "show status like 'wsrep_ready'")) !== 'ON') {
    throw new ServerUnfit('the server does not belong to its cluster at the moment');
  }
  await connection.query('set session wsrep_sync_wait = 1');
}

async function shown(connection: Connection, statement: string): Promise<string | undefined> {
  const rows = await connection.query<{ Value: string }[]>(statement);
  return rows[0]?.Value;
}

/** No less than what the parameter takes in a statement. */
function bytesOf(value: unknown): number {
  return 16 + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
}

/** The connector would send a whole number beyond 32 bits as a floating-point one. */
function parameterOf(value: unknown): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) && value !== (value | 0)
    ? BigInt(value)
    : value;
}
