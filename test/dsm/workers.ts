// The resource workers of conf/resource, doing the real thing: shared folders, database and user, firewall entry.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename } from 'node:path';
import { type Identity, type Machine, ROOT_USER } from './machine.ts';
import type { MariaDb } from './maria-db.ts';
import { PackageError } from './package-file.ts';

export type Wizard = Readonly<Record<string, string>>;
/** Where the manuals contradict each other about when a worker acts, both are tried. */
export interface WorkerHabits {
  readonly sharesAppear: 'before postinst' | 'before start';
}

interface Share {
  readonly name: string;
  readonly permission?: { readonly rw?: readonly string[] };
}

interface Database {
  readonly 'admin-account-m10': string;
  readonly 'admin-pw-m10': string;
  readonly 'create-db'?: {
    readonly flag: unknown;
    readonly 'db-name': string;
    readonly 'db-collision': string;
  };
  readonly 'grant-user'?: {
    readonly flag: unknown;
    readonly 'db-name': string;
    readonly 'user-name': string;
    readonly host?: string;
    readonly 'user-pw'?: string;
  };
  readonly 'drop-db-uninst'?: unknown;
  readonly 'drop-user-uninst'?: unknown;
}

interface Resource {
  readonly 'data-share'?: { readonly shares: readonly Share[] };
  readonly 'mariadb10-db'?: Database;
  readonly 'port-config'?: { readonly 'protocol-file': string };
}

const KNOWN = ['data-share', 'mariadb10-db', 'port-config'];
const isSet = (flag: unknown) => flag === true || flag === 'true';

export class Workers {
  readonly warnings: string[] = [];
  /** conf/resource with the values in it, as DSM keeps it in conf/resource.own. */
  readonly own: string;
  readonly #machine: Machine;
  readonly #mariaDb: MariaDb;
  readonly #package: string;
  readonly #user: Identity;
  readonly #habits: WorkerHabits;
  readonly #resource: Resource;

  /** `text` is conf/resource; DSM puts the wizard's values in. */
  constructor(
    parts: { machine: Machine; mariaDb: MariaDb; name: string; user: Identity; habits: WorkerHabits },
    text: string,
    wizard: Wizard,
  ) {
    this.#machine = parts.machine;
    this.#mariaDb = parts.mariaDb;
    this.#package = parts.name;
    this.#user = parts.user;
    this.#habits = parts.habits;
    this.own = text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => wizard[key] ?? '');
    this.#resource = JSON.parse(this.own) as Resource;
    this.warnings.push(...Object.keys(this.#resource).filter((worker) => !KNOWN.includes(worker)));
  }

  async preinst(): Promise<void> {
    for (const { name, permission } of this.#shares()) {
      if (!/^[^/\\"{}]{1,32}$/.test(name))
        throw new PackageError(278, `data-share: Illegal field [name] '${name}'`);
      const strangers = (permission?.rw ?? []).filter((user) => user !== this.#user.name);
      if (strangers.length > 0) throw new PackageError(278, `data-share: no such user ${strangers}`);
    }
    const database = this.#resource['mariadb10-db'];
    if (database === undefined) return;
    if (!this.#mariaDb.isOn) throw new PackageError(278, 'mariadb10-db: MariaDB 10 is not running');
    const grant = database['grant-user'];
    if (isSet(grant?.flag) && (grant?.['user-pw'] ?? '') === '')
      throw new PackageError(278, 'Illegal field [grant-user][user-pw]');
  }

  async postinst(): Promise<void> {
    if (this.#habits.sharesAppear === 'before postinst') this.#makeShares();
    const database = this.#resource['mariadb10-db'];
    const { 'create-db': create, 'grant-user': grant } = { ...database };
    if (database === undefined || (!isSet(create?.flag) && !isSet(grant?.flag))) return;
    try {
      await this.#mariaDb.asRoot(async (root) => {
        if (create !== undefined && isSet(create.flag)) {
          await root.query(
            `create database ${create['db-collision'] === 'skip' ? 'if not exists' : ''} \`${create['db-name']}\``,
          );
        }
        if (grant !== undefined && isSet(grant.flag)) {
          const user = `'${grant['user-name']}'@'${grant.host ?? 'localhost'}'`;
          await root.query(
            `grant all on \`${grant['db-name']}\`.* to ${user} identified by '${grant['user-pw']}'`,
          );
        }
      }, database['admin-pw-m10']);
    } catch (error) {
      throw new PackageError(278, `failed to acquire postinst worker: mariadb10-db: ${error}`);
    }
  }

  enable(): void {
    this.#makeShares();
    const file = this.#resource['port-config']?.['protocol-file'];
    if (file === undefined) return;
    const from = this.#machine.path(`var/packages/${this.#package}/target/${file}`);
    const text = readFileSync(
      this.#machine.path(this.#real(`/var/packages/${this.#package}/target/${file}`)),
      'utf8',
    );
    if (!/^\[[A-Za-z0-9.-]+\]$/m.test(text) || !/^dst\.ports="[\d,]+\/(?:tcp|udp|tcp,udp)"$/m.test(text)) {
      throw new PackageError(278, `port-config: ${from} cannot be read`);
    }
    const to = this.#machine.path(`usr/local/etc/services.d/${basename(file)}`);
    if (!existsSync(to))
      copyFileSync(this.#machine.path(this.#real(`/var/packages/${this.#package}/target/${file}`)), to);
  }

  /** At the end of an uninstallation, not of an upgrade. Nothing was kept: the wizard's values are all there is. */
  async postuninst(): Promise<void> {
    const file = this.#resource['port-config']?.['protocol-file'];
    if (file !== undefined)
      rmSync(this.#machine.path(`usr/local/etc/services.d/${basename(file)}`), { force: true });
    const database = this.#resource['mariadb10-db'];
    if (database === undefined || !isSet(database['drop-db-uninst'])) return;
    await this.#mariaDb.asRoot(async (root) => {
      await root.query(`drop database if exists \`${database['create-db']?.['db-name']}\``);
      if (isSet(database['drop-user-uninst']))
        await root.query(`drop user if exists '${database['grant-user']?.['user-name']}'@'localhost'`);
    }, database['admin-pw-m10']);
  }

  #shares(): readonly Share[] {
    return this.#resource['data-share']?.shares ?? [];
  }

  /** Made or used again, never removed; linked where the package looks for it. */
  #makeShares(): void {
    for (const { name } of this.#shares()) {
      const folder = this.#machine.path(`volume1/${name}`);
      if (!existsSync(folder)) mkdirSync(folder);
      chownSync(folder, ROOT_USER.uid, this.#user.gid);
      chmodSync(folder, 0o770);
      const links = this.#machine.path(`var/packages/${this.#package}/shares`);
      mkdirSync(links, { recursive: true });
      if (lstatSync(`${links}/${name}`, { throwIfNoEntry: false }) === undefined)
        symlinkSync(`/volume1/${name}`, `${links}/${name}`);
    }
  }

  /** The links of a package are absolute, and absolute inside. */
  #real(inside: string): string {
    return inside.replace(`/var/packages/${this.#package}/target`, `/volume1/@appstore/${this.#package}`);
  }
}
