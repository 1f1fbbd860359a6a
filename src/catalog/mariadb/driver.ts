// Kysely's driver over the `mariadb` connector: a few connections, made when needed and made again when lost.

import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { SqlError } from 'mariadb';
import type { MariadbAddress } from '../../util/catalog-address.ts';
import { CatalogError } from '../errors.ts';
import { VERSION_ROW } from '../migrate.ts';
import {
  ConnectionLost,
  describeFailure,
  nameOf,
  ServerSilent,
  ServerUnfit,
  unfitBeforeTransaction,
} from './faults.ts';
import { type OpenOptions, ServerConnection } from './server-connection.ts';

/** One of them ingests, the others serve searches; each of their statements is short. */
const MAX_CONNECTIONS = 4;
/** Whoever asks so soon after a failed attempt to connect gets the same answer. */
const SAME_ANSWER_MS = 250;

const READ_VERSION = `select version from schema_version where id = ${VERSION_ROW} lock in share mode`;

export interface MariadbDriverOptions extends Omit<OpenOptions, 'encrypted'> {
  readonly address: MariadbAddress;
  /** Outside of transactions there is nothing but reads: one whose connection broke is repeated on a new one. */
  readonly repeatReads: boolean;
  /** Of what is read and written. Undefined for whoever changes the schema. */
  readonly schemaVersion?: number;
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

export class MariadbDriver implements Driver {
  readonly #options: MariadbDriverOptions;
  readonly #idle: MariadbConnection[] = [];
  #waiting: Waiting[] = [];
  /** Made or being made. */
  #count = 0;
  #encrypted: boolean;
  /** All of the cluster, and which one is asked, counted on and on. */
  readonly #servers: readonly MariadbAddress[];
  #current = 0;
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #isClosed = false;

  constructor(options: MariadbDriverOptions) {
    this.#options = options;
    const { address } = options;
    this.#encrypted = address.socketPath === undefined;
    this.#servers = [address, ...(address.others ?? []).map((server) => ({ ...address, ...server }))];
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<MariadbConnection> {
    for (;;) {
      if (this.#isClosed) throw closed();
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        if (idle.isOpen) return idle;
        this.#count -= 1;
        continue;
      }
      if (this.#count < MAX_CONNECTIONS) return this.#add();
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn);
      await turn.promise;
    }
  }

  async releaseConnection(connection: MariadbConnection): Promise<void> {
    // A search that nobody reads any more may come back last. A connection left open would keep the thread for hours.
    if (this.#isClosed) return connection.close();
    if (connection.isOpen) this.#idle.push(connection);
    else this.#count -= 1;
    this.#waiting.shift()?.resolve();
  }

  async beginTransaction(connection: MariadbConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: MariadbConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: MariadbConnection): Promise<void> {
    await connection.rollback();
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  async #add(): Promise<MariadbConnection> {
    this.#count += 1;
    try {
      const server = await this.#connect();
      return new MariadbConnection(server, {
        schemaVersion: this.#options.schemaVersion,
        reconnect: this.#options.repeatReads ? () => this.#connect() : undefined,
        onLost: (loss, address) => {
          if (loss instanceof ServerUnfit) this.#passOver(address);
          this.#abandonIdle();
        },
      });
    } catch (error) {
      this.#count -= 1;
      // They would only wait for the same failure, one after the other.
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      throw error;
    }
  }

  async #connect(): Promise<ServerConnection> {
    const failure = this.#failure;
    if (failure !== undefined && performance.now() - failure.at < SAME_ANSWER_MS) throw failure.error;
    try {
      const server = await this.#open();
      this.#failure = undefined;
      return server;
    } catch (error) {
      const unreachable = describeFailure(this.#options.address, error, 'catalog-unreachable');
      this.#failure = { error: unreachable, at: performance.now() };
      throw unreachable;
    }
  }

  /** By the server that answered last, else by the next one of the cluster. */
  async #open(): Promise<ServerConnection> {
    let failure: unknown;
    for (let attempt = 0; attempt < this.#servers.length; attempt += 1) {
      const address = this.#servers[this.#current % this.#servers.length]!;
      try {
        return await this.#openBy(address);
      } catch (error) {
        failure ??= error;
        this.#passOver(address);
      }
    }
    throw failure;
  }

  /** Encrypted when the server offers it; a socket of this machine needs no encryption. */
  async #openBy(address: MariadbAddress): Promise<ServerConnection> {
    const { address: _, repeatReads: __, schemaVersion: ___, ...options } = this.#options;
    try {
      return await ServerConnection.open(address, { ...options, encrypted: this.#encrypted });
    } catch (error) {
      if (!(error instanceof SqlError) || error.code !== 'ER_SERVER_SSL_DISABLED') throw error;
      this.#encrypted = false;
      return ServerConnection.open(address, { ...options, encrypted: false });
    }
  }

  /** The next one is asked, unless somebody has found that out already. */
  #passOver(address: MariadbAddress): void {
    if (this.#servers[this.#current % this.#servers.length] === address) this.#current += 1;
  }

  /** When one connection has broken, those that lie idle have too, or are about to. */
  #abandonIdle(): void {
    for (const idle of this.#idle) idle.abandon();
  }
}

function otherVersion(address: MariadbAddress, version = 0): CatalogError {
  const words = `Catalogue ${nameOf(address)}: `;
  return version > 0
    ? new CatalogError(
        'catalog-newer',
        `${words}another version of the program has brought it to schema version ${version}; install that one here as well`,
      )
    : new CatalogError(
        'catalog-busy',
        `${words}its schema is being changed by another version of the program; when that was broken off, start this one again`,
      );
}

function closed(): CatalogError {
  return new CatalogError('catalog-closed', 'The catalogue has been closed');
}

/** What a connection needs from the driver. */
interface Site {
  readonly schemaVersion: number | undefined;
  /** For a read that is to be repeated. */
  readonly reconnect: (() => Promise<ServerConnection>) | undefined;
  onLost(loss: ConnectionLost, address: MariadbAddress): void;
}

class MariadbConnection implements DatabaseConnection {
  readonly #site: Site;
  #server: ServerConnection;
  #isFresh = true;
  #inTransaction = false;

  constructor(server: ServerConnection, site: Site) {
    this.#server = server;
    this.#site = site;
  }

  get isOpen(): boolean {
    return this.#server.isOpen;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const answer = await this.#repeatable((server) => server.execute(sql, parameters));
    if ('affectedRows' in answer) return { rows: [], numAffectedRows: BigInt(answer.affectedRows) };
    return { rows: answer as R[] };
  }

  /** Everything at once: the catalogue reads in pages and keeps no statement open. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  async begin(): Promise<void> {
    await this.#repeatable((server) => server.query('start transaction'));
    this.#inTransaction = true;
    try {
      await this.#requireVersion();
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.#server.query('commit');
    this.#inTransaction = false;
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    // Without its connection the server rolls back by itself.
    if (this.isOpen) await this.#server.query('rollback').catch(() => this.abandon());
  }

  /** The lock lets the version change when this transaction is over: what is written is of the schema that is there. */
  async #requireVersion(): Promise<void> {
    const { schemaVersion } = this.#site;
    if (schemaVersion === undefined) return;
    const answer = await this.#repeatable((server) => server.execute(READ_VERSION, []));
    const [row] = answer as readonly { version: number }[];
    if (row?.version !== schemaVersion) throw otherVersion(this.#server.address, row?.version);
  }

  abandon(): void {
    this.#server.abandon();
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Not when the connection was new: then it did not break while it lay idle. */
  async #repeatable<T>(statement: (server: ServerConnection) => Promise<T>): Promise<T> {
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    try {
      return await statement(this.#server);
    } catch (error) {
      const loss = this.#inTransaction ? error : unfitBeforeTransaction(error);
      if (!(loss instanceof ConnectionLost)) throw error;
      this.abandon();
      this.#site.onLost(loss, this.#server.address);
      const { reconnect } = this.#site;
      if (reconnect === undefined || isFresh || this.#inTransaction || loss instanceof ServerSilent)
        throw loss;
      this.#server = await reconnect();
      return statement(this.#server);
    }
  }
}
