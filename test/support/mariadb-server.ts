// A private mariadbd: its own folder, socket and port, started for one test file and gone with it.
import { globSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { type MariadbAddress, parseCatalogAddress } from '../../src/util/catalog-address.ts';
import { freePort, RunningProcess } from './running-process.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';

const PROGRAM = '/usr/sbin/mariadbd';
/** Where, and under which names, versions of MariaDB bring what makes their system tables. */
const SYSTEM_TABLES = ['system_tables', 'performance_tables', 'system_tables_data'].map(
  (name) => `/usr/share/{mysql,mariadb}/{mysql,mariadb}_${name}.sql`,
);
/** For hundreds of databases: what a process wrote is kept when it is killed, without waiting for a disk. */
export const NOT_WAITING_FOR_DISK = ['--innodb-flush-method=nosync', '--sync-frm=0'];
/** A node of a cluster copies all its data first. */
const READY_MS = 60_000;
/** mariadbd refuses to run as root. */
const NOBODY = 65534;
/** Its own tables take a second on an idle machine. */
const BOOTSTRAP_MS = 120_000;

export interface MariadbServerOptions {
  /** Further options of mariadbd, such as --innodb-flush-log-at-trx-commit=2. */
  readonly args?: readonly string[];
  /** Where its data is, and stays; what an earlier server left there is served again. */
  readonly folder?: string;
  /** Of the first start alone. */
  readonly firstArgs?: readonly string[];
  /** It gets its system tables from the cluster that it joins. */
  readonly joins?: boolean;
}

export class MariadbServer implements AsyncDisposable {
  readonly port: number;
  readonly socketPath: string;
  readonly #folder: TempFolder;
  readonly #args: readonly string[];
  #process!: RunningProcess;
  #databases = 0;

  private constructor(folder: TempFolder, port: number, args: readonly string[]) {
    this.#folder = folder;
    this.port = port;
    this.socketPath = join(folder.path, 'socket');
    this.#args = [...args, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${this.socketPath}`];
  }

  static async start(options: MariadbServerOptions = {}): Promise<MariadbServer> {
    const folder = options.folder === undefined ? await tempFolder('mariadb') : keptFolder(options.folder);
    try {
      const data = join(folder.path, 'data');
      const isNew = (await mkdir(data, { recursive: true })) !== undefined;
      // A server that starts removes every temporary table from the folder for them: those of another one as well.
      const folders = [`--datadir=${data}`, `--tmpdir=${folder.path}`];
      const args = ['--no-defaults', ...folders, '--skip-log-bin', '--innodb-log-file-size=64M'];
      if (process.getuid?.() === 0) {
        for (const path of [folder.path, data]) await chown(path, NOBODY, NOBODY);
        args.push('--user=nobody');
      }
      if (isNew && options.joins !== true) await makeSystemTables(folder.path, args);
      args.push('--innodb-buffer-pool-size=128M', ...(options.args ?? []));
      const server = new MariadbServer(folder, await freePort(), args);
      server.#process = new RunningProcess(PROGRAM, [...server.#args, ...(options.firstArgs ?? [])]);
      await server.#ready();
      return server;
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL of a database, by TCP unless the socket is asked for. */
  url(database: string, by: 'tcp' | 'socket' = 'tcp', port = this.port): string {
    const query = by === 'socket' ? `?socketPath=${encodeURIComponent(this.socketPath)}` : '';
    return `mariadb://vault:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}${query}`;
  }

  /** A new and empty database. */
  async freshDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `vault_${this.#databases}`;
    await this.asRoot((root) => root.query(`create database ${name}`));
    return name;
  }

  /** For what only an administrator may do. */
  async asRoot<T>(work: (root: Connection) => Promise<T>, database?: string): Promise<T> {
    const root = await createConnection({
      socketPath: this.socketPath,
      user: 'root',
      ...(database !== undefined && { database }),
    });
    try {
      return await work(root);
    } finally {
      await root.end();
    }
  }

  /** See RunningProcess. */
  cpuMs(): number {
    return this.#process.cpuMs();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Again, on the same folder and port. */
  async startAgain(): Promise<void> {
    this.#process = new RunningProcess(PROGRAM, this.#args);
    await this.#ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #ready(): Promise<void> {
    await this.#process.waitForOutput(/ready for connections/, READY_MS);
  }
}

/** The address of a database as the engine takes it. */
export function mariadbAddress(url: string): MariadbAddress {
  const address = parseCatalogAddress(url, '/');
  if (address?.engine !== 'mariadb') throw new Error(`${url} is no address of a MariaDB database`);
  return address;
}

/** Holds every character that has a meaning in a URL. */
const PASSWORD = 'p@ss:w/o?r#d %';

function keptFolder(path: string): TempFolder {
  return { path, [Symbol.asyncDispose]: async () => undefined };
}

async function makeSystemTables(folder: string, args: readonly string[]): Promise<void> {
  const scripts = SYSTEM_TABLES.map((pattern) => globSync(pattern)[0] ?? pattern);
  const parts = await Promise.all(scripts.map((script) => readFile(script, 'utf8')));
  const grants = [
    'flush privileges;',
    `create user vault@'%' identified by '${PASSWORD}';`,
    "grant all on `vault\\_%`.* to vault@'%';",
    // For the rows that measurements load from files.
    "grant file on *.* to vault@'%';",
  ];
  const script = join(folder, 'bootstrap.sql');
  await writeFile(
    script,
    ['create database mysql;', 'use mysql;', 'set @auth_root_socket = null;', ...parts, ...grants, ''].join(
      '\n',
    ),
  );
  const command = `exec ${PROGRAM} "$@" --bootstrap --innodb-flush-log-at-trx-commit=0 <"$0"`;
  const bootstrap = new RunningProcess('/bin/sh', ['-c', command, script, ...args]);
  const late = setTimeout(() => bootstrap.signal('SIGKILL'), BOOTSTRAP_MS);
  const { code } = await bootstrap.ended;
  clearTimeout(late);
  if (code !== 0) throw new Error(`mariadbd could not make its own tables: ${bootstrap.stderr.slice(-2000)}`);
}
