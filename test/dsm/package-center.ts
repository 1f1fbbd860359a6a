// Package Center: the life of a package, step by step as the manuals and logs of DSM 7 have it. The scripts run as the
// package's user, with exactly the variables of their step.
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { folderOf, type Identity, type Machine } from './machine.ts';
import type { MariaDb } from './maria-db.ts';
import { type Device, openPackage, PackageError, privilegeOf, unpackTarget } from './package-file.ts';
import { type Wizard, type WorkerHabits, Workers } from './workers.ts';

export const DS918: Device = { platform: 'apollolake', family: 'x86_64', osVersion: [7, 2, 64570] };
const VOLUME = '/volume1';
const FIRST_USER = 300_001;
const KEPT = ['@appdata', '@appconf', '@apphome'];
const REPLACED = ['@appstore', '@apptemp'];
const LINKS = { target: '@appstore', var: '@appdata', etc: '@appconf', home: '@apphome', tmp: '@apptemp' };

export interface CenterOptions {
  readonly device?: Device;
  readonly habits?: WorkerHabits;
  /** DSM 7.2.2 was seen without it in preupgrade. */
  readonly varInPreupgrade?: boolean;
}

export interface ScriptRun {
  readonly type: string;
  readonly code: number;
  readonly message: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stderr: string;
}

export interface Outcome {
  readonly success: boolean;
  readonly stage: string;
  readonly error?: { readonly code: number; readonly description: string };
  /** What the dialog shows. */
  readonly message: string;
  readonly scripts: readonly ScriptRun[];
}

export interface Operation {
  readonly wizard?: Wizard;
  readonly user?: string;
  /** Of whoever acts. */
  readonly language?: string;
  /** "Run after installation"; in an upgrade it runs when it ran before. */
  readonly start?: boolean;
}

interface Installed {
  readonly name: string;
  version: string;
  readonly user: Identity;
  wasOn: boolean;
  broken: boolean;
}

export class PackageCenter {
  readonly machine: Machine;
  readonly mariaDb: MariaDb;
  readonly #options: Required<CenterOptions>;
  #installed: Installed | undefined;
  #scripts: ScriptRun[] = [];
  #message = '';
  #language = 'enu';
  #nextUser = FIRST_USER;

  constructor(machine: Machine, mariaDb: MariaDb, options: CenterOptions = {}) {
    this.machine = machine;
    this.mariaDb = mariaDb;
    this.#options = {
      device: DS918,
      habits: { sharesAppear: 'before postinst' },
      varInPreupgrade: true,
      ...options,
    };
  }

  get installed(): Readonly<Installed> | undefined {
    return this.#installed;
  }

  install(file: string, operation: Operation = {}): Promise<Outcome> {
    this.#language = operation.language ?? 'enu';
    return this.#operation('install_failed', async () => {
      if (this.#installed !== undefined) return this.#upgrade(file, operation);
      const { wizard = {}, user = 'admin', start = true } = operation;
      const staging = this.#staging();
      try {
        const { info, identity, workers } = this.#opened(file, staging, wizard);
        const name = info.package ?? '';
        const version = info.version ?? '';
        await workers.preinst();
        const step = { name, version, status: 'INSTALL', user, wizard, identity };
        if (
          (await this.#script(`${staging}/scripts/preinst`, step, {
            SYNOPKG_PKGINST_TEMP_DIR: `${staging}/package`,
          })) !== 0
        ) {
          throw new PackageError(272, 'failed to run preinst script');
        }
        this.#place(name, identity, staging, workers.own);
        this.#installed = { name, version, user: identity, wasOn: false, broken: false };
        await workers.postinst();
        await this.#postinst(step, 'postinst');
        if (!start || this.#installed.broken) return this.#installed.broken ? 'broken' : 'installed';
        return await this.#start(step, workers, 'installed_and_started');
      } finally {
        rmSync(this.machine.path(staging), { recursive: true, force: true });
      }
    });
  }

  /** The file of the same version, over itself. */
  repair(file: string, operation: Operation = {}): Promise<Outcome> {
    return this.install(file, operation);
  }

  start(user = 'admin'): Promise<Outcome> {
    return this.#operation('start_failed', async () =>
      this.#start(this.#step('START', user), this.#workers(), 'started'),
    );
  }

  stop(user = 'admin'): Promise<Outcome> {
    return this.#operation('stop_failed', async () => {
      await this.#stop(this.#step('STOP', user));
      return 'stopped';
    });
  }

  /** The code of the status script. */
  async status(): Promise<number> {
    const before = this.#scripts;
    const code = await this.#inTarget('start-stop-status', this.#step('', ''), 'status');
    this.#scripts = before;
    return code;
  }

  /** An unknown verb, or one that only some versions of DSM use. */
  async verb(name: string): Promise<number> {
    return this.#inTarget('start-stop-status', this.#step('', ''), name);
  }

  uninstall(operation: Operation = {}): Promise<Outcome> {
    this.#language = operation.language ?? 'enu';
    return this.#operation('uninstall_failed', async () => {
      const { wizard = {}, user = 'admin' } = operation;
      const step = { ...this.#step('UNINSTALL', user), wizard };
      const { name } = step;
      const workers = this.#workers(wizard);
      const ran = this.#installed?.wasOn === true;
      if (ran) await this.#stop(step);
      if ((await this.#inTarget('preuninst', step)) !== 0) {
        // Not asked for, and seen: the package is started again.
        if (ran)
          await this.#start({ ...step, status: 'START', wizard: {} }, this.#workers(), 'started').catch(
            () => undefined,
          );
        throw new PackageError(272, 'failed to run preuninst script');
      }
      const script = this.#copyOf(`/var/packages/${name}/scripts`);
      rmSync(this.machine.path(`var/packages/${name}/shares`), { recursive: true, force: true });
      for (const folder of REPLACED)
        rmSync(this.machine.path(`${VOLUME}/${folder}/${name}`), { recursive: true, force: true });
      await this.#script(`${script}/postuninst`, step);
      rmSync(this.machine.path(dirname(script)), { recursive: true, force: true });
      await workers.postuninst();
      rmSync(this.machine.path(`var/packages/${name}`), { recursive: true, force: true });
      rmSync(this.#uiLink(name), { force: true });
      this.#installed = undefined;
      return 'uninstalled';
    });
  }

  /** Power button: `stop` with an empty STATUS and no prestop, then everything ends. */
  async shutDown(): Promise<void> {
    if (this.#installed?.wasOn === true)
      await this.#inTarget('start-stop-status', this.#step('', ''), 'stop');
    if (this.mariaDb.isOn) await this.mariaDb.stop();
    await this.machine.powerCut();
  }

  /** Packages that were on are started after those on which they depend. Resolves with the outcome of `start`. */
  async boot(options: { readonly mariaDb?: boolean } = {}): Promise<Outcome> {
    await this.machine.powerOn();
    if (options.mariaDb !== false) await this.mariaDb.start();
    return this.#operation('start_failed', async () => {
      if (this.#installed?.wasOn !== true) return 'stopped';
      const step = this.#step('', '');
      await this.#inTarget('start-stop-status', step, 'prestart');
      const code = await this.#inTarget('start-stop-status', step, 'start');
      if (code !== 0) throw new PackageError(272, 'Failed to run script, script=[start]');
      return 'started';
    });
  }

  async #upgrade(file: string, { wizard = {}, user = 'admin' }: Operation): Promise<string> {
    const old = this.#installed;
    if (old === undefined) throw new Error('there is nothing to upgrade');
    const staging = this.#staging();
    const { name } = old;
    try {
      const { info, identity, workers } = this.#opened(file, staging, wizard);
      const version = info.version ?? '';
      const ran = old.wasOn;
      const oldStep = { ...this.#step('UPGRADE', user), version };
      const older = {
        SYNOPKG_OLD_PKGVER: old.version,
        SYNOPKG_TEMP_UPGRADE_FOLDER: `${VOLUME}/@tmp/synopkg.tmp/${name}`,
      };
      if (ran) await this.#stop(oldStep, older);
      const backToOld = async (code: number, why: string) => {
        if (ran)
          await this.#start({ ...oldStep, version: old.version }, this.#workers(), 'started').catch(
            () => undefined,
          );
        throw new PackageError(code, why);
      };
      const step = { name, version, status: 'UPGRADE', user, wizard, identity };
      const temporary = { ...older, SYNOPKG_PKGINST_TEMP_DIR: `${staging}/package` };
      const folders = this.#options.varInPreupgrade ? this.#foldersEnv(name) : {};
      if ((await this.#script(`${staging}/scripts/preupgrade`, step, { ...folders, ...temporary })) !== 0) {
        await backToOld(277, 'failed to run preupgrade script');
      }
      if ((await this.#inTarget('preuninst', { ...oldStep, wizard }, undefined, older)) !== 0)
        await backToOld(272, 'failed to run preuninst script');
      const scripts = this.#copyOf(`/var/packages/${name}/scripts`);
      for (const folder of REPLACED)
        rmSync(this.machine.path(`${VOLUME}/${folder}/${name}`), { recursive: true, force: true });
      await this.#script(
        `${scripts}/postuninst`,
        { ...oldStep, wizard },
        { ...this.#foldersEnv(name), ...older },
      );
      rmSync(this.machine.path(dirname(scripts)), { recursive: true, force: true });
      await workers.preinst();
      if ((await this.#script(`${staging}/scripts/preinst`, step, temporary)) !== 0)
        throw new PackageError(272, 'failed to run preinst script');
      this.#place(name, identity, staging, workers.own);
      old.version = version;
      old.wasOn = false;
      await workers.postinst();
      await this.#postinst(step, 'postinst', older);
      await this.#postinst(step, 'postupgrade', older);
      if (!ran || old.broken) return old.broken ? 'broken' : 'installed';
      return await this.#start(step, workers, 'installed_and_started', older);
    } finally {
      rmSync(this.machine.path(staging), { recursive: true, force: true });
    }
  }

  async #operation(failedStage: string, work: () => Promise<string>): Promise<Outcome> {
    this.#scripts = [];
    this.#message = '';
    try {
      const stage = await work();
      return { success: stage !== 'broken', stage, message: this.#message, scripts: this.#scripts };
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      const { code, message: description } = error;
      const stage = code === 277 ? 'install_failed_and_started' : failedStage;
      return {
        success: false,
        stage,
        error: { code, description },
        message: this.#message,
        scripts: this.#scripts,
      };
    }
  }

  async #start(
    step: Step,
    workers: Workers,
    stage: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    workers.enable();
    rmSync(this.#uiLink(step.name), { force: true });
    symlinkSync(`/var/packages/${step.name}/target/ui`, this.#uiLink(step.name));
    // The wizard's values do not come so far.
    const bare = { ...step, wizard: {} };
    if ((await this.#inTarget('start-stop-status', bare, 'prestart', env)) !== 0)
      throw new PackageError(272, 'start refused by prestart');
    if ((await this.#inTarget('start-stop-status', bare, 'start', env)) !== 0) {
      throw new PackageError(272, 'Failed to run script, script=[start]');
    }
    if (this.#installed !== undefined) this.#installed.wasOn = true;
    return stage;
  }

  async #stop(step: Step, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const bare = { ...step, wizard: {} };
    if ((await this.#inTarget('start-stop-status', bare, 'prestop', env)) !== 0)
      throw new PackageError(273, 'stop refused by prestop');
    if ((await this.#inTarget('start-stop-status', bare, 'stop', env)) !== 0)
      throw new PackageError(273, 'Failed to run script, script=[stop]');
    if (this.#installed !== undefined) this.#installed.wasOn = false;
  }

  async #postinst(step: Step, script: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    if ((await this.#inTarget(script, step, undefined, env)) !== 0 && this.#installed !== undefined)
      this.#installed.broken = true;
  }

  /** A script of the installed package, with the folders that it has by now. */
  #inTarget(
    script: string,
    step: Step,
    verb?: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    return this.#script(
      `/var/packages/${step.name}/scripts/${script}`,
      step,
      { ...this.#foldersEnv(step.name), ...env },
      verb,
    );
  }

  async #script(
    path: string,
    step: Step,
    more: Readonly<Record<string, string>> = {},
    verb?: string,
  ): Promise<number> {
    const { device } = this.#options;
    const log = `${VOLUME}/@tmp/synopkg/message.${this.#scripts.length}`;
    mkdirSync(dirname(this.machine.path(log)), { recursive: true });
    writeFileSync(this.machine.path(log), '');
    chownSync(this.machine.path(log), step.identity.uid, step.identity.gid);
    const env = {
      SYNOPKG_PKGNAME: step.name,
      SYNOPKG_PKGVER: step.version,
      SYNOPKG_PKG_STATUS: step.status,
      SYNOPKG_USERNAME: step.user,
      SYNOPKG_PKGDEST_VOL: VOLUME,
      SYNOPKG_TEMP_LOGFILE: log,
      SYNOPKG_DSM_LANGUAGE: this.#language,
      SYNOPKG_DSM_VERSION_MAJOR: '7',
      SYNOPKG_DSM_VERSION_MINOR: '2',
      SYNOPKG_DSM_VERSION_BUILD: `${device.osVersion[2]}`,
      SYNOPKG_DSM_ARCH: device.platform,
      ...step.wizard,
      ...more,
    };
    const { code, stderr } = await this.machine.run([path, ...(verb === undefined ? [] : [verb])], {
      as: step.identity,
      env,
    });
    const message = readFileSync(this.machine.path(log), 'utf8').trim();
    rmSync(this.machine.path(log));
    const type = verb ?? path.slice(path.lastIndexOf('/') + 1);
    this.#scripts.push({ type, code, message, env, stderr });
    if (message !== '') this.#message = message;
    return code;
  }

  #foldersEnv(name: string): Record<string, string> {
    const real = (folder: string) => `${VOLUME}/${folder}/${name}`;
    return {
      SYNOPKG_PKGDEST: real('@appstore'),
      SYNOPKG_PKGVAR: real('@appdata'),
      SYNOPKG_PKGTMP: real('@apptemp'),
      SYNOPKG_PKGHOME: real('@apphome'),
      SYNOPKG_PKGPORT: '',
    };
  }

  #step(status: string, user: string): Step {
    const installed = this.#installed;
    if (installed === undefined) throw new PackageError(255, 'no such package');
    return {
      name: installed.name,
      version: installed.version,
      status,
      user,
      wizard: {},
      identity: installed.user,
    };
  }

  #staging(): string {
    mkdirSync(this.machine.path(`${VOLUME}/@tmp/synopkg`), { recursive: true });
    const folder = mkdtempSync(this.machine.path(`${VOLUME}/@tmp/synopkg/install.`));
    execFileSync('chmod', ['755', folder]);
    return folder.slice(this.machine.path('/').length - 1);
  }

  /** The package unpacked and looked at, its user made, the values of the wizard in its resources. */
  #opened(file: string, staging: string, wizard: Wizard) {
    const folder = this.machine.path(staging);
    const info = openPackage(file, folder, this.#options.device, new Set(['MariaDB10']));
    const { username, groups } = privilegeOf(folder);
    const known = this.machine.userNamed(username);
    if (known === undefined) this.#nextUser += 1;
    const identity = known ?? this.machine.addUser(username, this.#nextUser, this.#nextUser, groups);
    mkdirSync(`${folder}/package`);
    unpackTarget(folder, `${folder}/package`);
    execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, `${folder}/package`]);
    return {
      info,
      identity,
      workers: this.#workersOf(`${folder}/conf/resource`, info.package ?? '', identity, wizard),
    };
  }

  /** Without a dialog DSM goes by what it kept. */
  #workers(wizard?: Wizard): Workers {
    const { name, identity } = this.#step('', '');
    const conf = this.machine.path(`var/packages/${name}/conf`);
    const file = wizard === undefined ? `${conf}/resource.own` : `${conf}/resource`;
    return this.#workersOf(file, name, identity, wizard ?? {});
  }

  #workersOf(file: string, name: string, user: Identity, wizard: Wizard): Workers {
    const text = readFileSync(file, 'utf8');
    return new Workers(
      { machine: this.machine, mariaDb: this.mariaDb, name, user, habits: this.#options.habits },
      text,
      wizard,
    );
  }

  /** The folders of the package, what was unpacked in its place, and the copies that DSM keeps of the rest. */
  #place(name: string, identity: Identity, staging: string, own: string): void {
    for (const folder of KEPT)
      folderOf(this.machine, `${VOLUME}/${folder}/${name}`, identity, folder === '@apphome' ? 0o700 : 0o755);
    for (const folder of REPLACED) {
      rmSync(this.machine.path(`${VOLUME}/${folder}/${name}`), { recursive: true, force: true });
      mkdirSync(this.machine.path(`${VOLUME}/${folder}`), { recursive: true });
    }
    renameSync(this.machine.path(`${staging}/package`), this.machine.path(`${VOLUME}/@appstore/${name}`));
    folderOf(this.machine, `${VOLUME}/@apptemp/${name}`, identity);
    const home = this.machine.path(`var/packages/${name}`);
    mkdirSync(home, { recursive: true });
    for (const part of ['INFO', 'scripts', 'conf', 'WIZARD_UIFILES']) {
      rmSync(`${home}/${part}`, { recursive: true, force: true });
      cpSync(this.machine.path(`${staging}/${part}`), `${home}/${part}`, { recursive: true });
    }
    for (const [link, folder] of Object.entries(LINKS)) {
      if (!existsSync(`${home}/${link}`)) rmSync(`${home}/${link}`, { force: true });
      rmSync(`${home}/${link}`, { force: true });
      symlinkSync(`${VOLUME}/${folder}/${name}`, `${home}/${link}`);
    }
    writeFileSync(`${home}/conf/resource.own`, own);
  }

  #copyOf(scripts: string): string {
    const folder = this.#staging();
    cpSync(this.machine.path(scripts), this.machine.path(`${folder}/scripts`), { recursive: true });
    return `${folder}/scripts`;
  }

  #uiLink(name: string): string {
    return this.machine.path(`usr/syno/synoman/webman/3rdparty/${name}`);
  }
}

interface Step {
  readonly name: string;
  readonly version: string;
  readonly status: string;
  readonly user: string;
  readonly wizard: Wizard;
  readonly identity: Identity;
}
