// Kysely's driver over node:sqlite: one connection, used by one after the other, statements prepared once.

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';

const MAX_PREPARED = 300;

interface PreparedStatement {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

export interface SqliteDriverOptions {
  readonly file: string;
  /** Run after opening. */
  readonly pragmas: readonly string[];
  /** Called after each commit; throws when what was committed cannot be relied on. */
  readonly afterCommit?: () => void;
}

export class SqliteDriver implements Driver {
  readonly #options: SqliteDriverOptions;
  #connection: SqliteConnection | undefined;
  #free: Promise<void> = Promise.resolve();
  #release: (() => void) | undefined;

  constructor(options: SqliteDriverOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    const database = new DatabaseSync(this.#options.file);
    try {
      for (const pragma of this.#options.pragmas) database.exec(pragma);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#connection = new SqliteConnection(database);
  }

  /** SQLite has one writer and this is it; whoever comes next waits here. */
  async acquireConnection(): Promise<DatabaseConnection> {
    while (this.#release !== undefined) await this.#free;
    const gate = Promise.withResolvers<void>();
    this.#free = gate.promise;
    this.#release = gate.resolve;
    return this.#open();
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
    this.#release = undefined;
  }

  /** Takes the write lock at once: a transaction that reads first and writes later could not get it. */
  async beginTransaction(): Promise<void> {
    this.#open().exec('begin immediate');
  }

  async commitTransaction(): Promise<void> {
    this.#open().exec('commit');
    this.#options.afterCommit?.();
  }

  async rollbackTransaction(): Promise<void> {
    // After some failures (disk full, I/O error) SQLite has rolled back by itself.
    if (this.#open().inTransaction) this.#open().exec('rollback');
  }

  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #open(): SqliteConnection {
    if (this.#connection === undefined) throw new Error('The database is not open');
    return this.#connection;
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  exec(sql: 'begin immediate' | 'commit' | 'rollback'): void {
    this.#prepare(sql).statement.run();
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, returnsRows } = this.#prepare(query.sql);
    const parameters = query.parameters as SQLInputValue[];
    if (returnsRows) return { rows: statement.all(...parameters) as R[] };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  /** Everything at once: the catalogue reads in pages and keeps no statement open. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #prepare(sql: string): PreparedStatement {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.#database.prepare(sql);
      prepared = { statement, returnsRows: statement.columns().length > 0 };
      const oldest = this.#prepared.keys().next();
      if (this.#prepared.size >= MAX_PREPARED && !oldest.done) this.#prepared.delete(oldest.value);
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}
