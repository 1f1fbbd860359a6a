// The package MariaDB 10 of the NAS: a real server, with the socket and the password as Synology's has them.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Connection, createConnection } from 'mariadb';
import { folderOf, type Identity, type Machine } from './machine.ts';

export const ROOT_PASSWORD = 'R00t-of-MariaDB';
const SOCKET = 'run/mysqld/mysqld10.sock';
const DATA = '/volume1/@database/mysql';
const SYSTEM_TABLES = ['system_tables', 'performance_tables', 'system_tables_data'].map(
  (name) => `/usr/share/{mysql,mariadb}/{mysql,mariadb}_${name}.sql`,
);
const SERVER = [
  '/usr/sbin/mariadbd',
  '--no-defaults',
  `--datadir=${DATA}`,
  '--skip-log-bin',
  '--innodb-log-file-size=32M',
  '--innodb-buffer-pool-size=64M',
];

export class MariaDb {
  readonly #machine: Machine;
  readonly #user: Identity;
  #isOn = false;

  private constructor(machine: Machine, user: Identity) {
    this.#machine = machine;
    this.#user = user;
  }

  static async install(machine: Machine): Promise<MariaDb> {
    const user = machine.addUser('mysql', 66, 66);
    folderOf(machine, 'volume1/@database', user);
    folderOf(machine, DATA, user, 0o700);
    mkdirSync(machine.path('var/packages/MariaDB10'), { recursive: true });
    writeFileSync(
      machine.path('var/packages/MariaDB10/INFO'),
      'package="MariaDB10"\nversion="10.11.6-1359"\n',
    );
    const tables = SYSTEM_TABLES.map((pattern) => readFileSync(globSync(pattern)[0] ?? pattern, 'utf8'));
    const script = [
      'create database mysql;',
      'use mysql;',
      'set @auth_root_socket = null;',
      ...tables,
      'flush privileges;',
      `alter user root@localhost identified by '${ROOT_PASSWORD}';`,
      '',
    ].join('\n');
    const made = await machine.run([...SERVER, '--bootstrap', '--innodb-flush-log-at-trx-commit=0'], {
      as: user,
      input: script,
    });
    if (made.code !== 0)
      throw new Error(`mariadbd could not make its own tables: ${made.stderr.slice(-2000)}`);
    const mariaDb = new MariaDb(machine, user);
    await mariaDb.start();
    return mariaDb;
  }

  get isOn(): boolean {
    return this.#isOn && this.#machine.isOn;
  }

  async start(): Promise<void> {
    await this.#machine.run(['/bin/sh', '-c', 'mkdir -p /run/mysqld && chown 66:66 /run/mysqld'], {
      as: { name: 'root', uid: 0, gid: 0 },
    });
    const server = this.#machine.spawn([...SERVER, '--skip-networking', `--socket=/${SOCKET}`], {
      as: this.#user,
    });
    server.stdin?.end();
    server.stdout?.resume();
    let said = '';
    await new Promise<void>((resolve, reject) => {
      server.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-10_000);
        if (said.includes('ready for connections')) resolve();
      });
      server.once('exit', () => reject(new Error(`MariaDB does not start\n${said}`)));
    });
    this.#isOn = true;
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    const servers = () => this.#machine.processesOf(this.#user).map((line) => Number(line.split(' ')[0]));
    for (const pid of servers()) process.kill(pid, 'SIGTERM');
    while (servers().length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Through the socket, which only the machine sees: by way of its first process. */
  async asRoot<T>(work: (root: Connection) => Promise<T>, password = ROOT_PASSWORD): Promise<T> {
    const root = await createConnection({
      socketPath: this.#machine.reach(SOCKET),
      user: 'root',
      password,
      connectTimeout: 3000,
    });
    try {
      return await work(root);
    } finally {
      await root.end();
    }
  }

  databases(): Promise<string[]> {
    return this.asRoot(async (root) => {
      const rows = await root.query<{ name: string }[]>(
        "select schema_name as name from information_schema.schemata where schema_name = 'angiovault'",
      );
      return rows.map(({ name }) => name);
    });
  }
}
