// A NAS in a folder: DSM's paths below a root of its own, with its own processes, /proc, /run and noexec /tmp. Its disk
// is the folder and survives a power cut; everything that runs in it dies with its first process.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

export interface Identity {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly as: Identity;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

export const ROOT_USER: Identity = { name: 'root', uid: 0, gid: 0 };
/** What DSM gives scripts; nothing of /usr/local. */
export const DSM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';

/** The machine's own programs, seen through read-only mounts. */
const BORROWED = ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'usr/share'];
const LINKS = { bin: 'usr/bin', sbin: 'usr/sbin', lib: 'usr/lib', lib64: 'usr/lib64' };
const OWN = [
  'dev',
  'etc',
  'proc',
  'run',
  'tmp',
  'root',
  'volume1',
  'var/packages',
  'var/log/packages',
  'usr/local/etc/services.d',
  'usr/syno/bin',
  'usr/syno/synoman/webman/modules',
  'usr/syno/synoman/webman/3rdparty',
];

/** The first process: makes the mounts, then lives, and buries the orphans. */
const INIT = `
set -e
mount --make-rprivate /
for folder in ${BORROWED.join(' ')}; do
  mount --bind "/$folder" "$1/$folder"
  mount -o remount,bind,ro "$1/$folder"
done
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o noexec,nosuid,mode=1777 tmpfs "$1/tmp"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
echo up
exec perl -e '$SIG{CHLD} = "IGNORE"; sleep while 1'
`;

export class Machine implements AsyncDisposable {
  readonly #folder: TempFolder;
  readonly #users: Identity[] = [];
  readonly #groups = new Map<string, { gid: number; members: string[] }>();
  #init: ChildProcess | undefined;

  private constructor(folder: TempFolder) {
    this.#folder = folder;
  }

  static async make(): Promise<Machine> {
    const machine = new Machine(await tempFolder('dsm'));
    chmodSync(machine.path('/'), 0o755);
    for (const path of [...BORROWED, ...OWN]) mkdirSync(machine.path(path), { recursive: true });
    for (const [link, to] of Object.entries(LINKS)) symlinkSync(to, machine.path(link));
    writeFileSync(machine.path('etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
    writeFileSync(machine.path('etc/hosts'), '127.0.0.1 localhost\n');
    writeFileSync(machine.path('etc/VERSION'), 'majorversion="7"\nminorversion="2"\nbuildnumber="64570"\n');
    machine.addGroup('administrators', 101);
    machine.addUser('root', 0, 0);
    await machine.powerOn();
    return machine;
  }

  /** The path on the host of a path of the NAS. */
  path(inside: string): string {
    return join(this.#folder.path, inside);
  }

  /** The same while the machine is on, for what lies on its own mounts, such as /run. */
  reach(inside: string): string {
    if (this.#init === undefined) throw new Error('the machine is off');
    return join(`/proc/${this.#firstProcess(this.#init)}/root`, this.path(inside));
  }

  addGroup(name: string, gid: number, members: readonly string[] = []): void {
    this.#groups.set(name, { gid, members: [...members] });
    this.#writeUsers();
  }

  addUser(name: string, uid: number, gid: number, groups: readonly string[] = []): Identity {
    const user = { name, uid, gid };
    if (!this.#users.some((known) => known.name === name)) this.#users.push(user);
    if (![...this.#groups.values()].some((group) => group.gid === gid))
      this.#groups.set(name, { gid, members: [] });
    for (const group of groups) this.#groups.get(group)?.members.push(name);
    this.#writeUsers();
    return user;
  }

  userNamed(name: string): Identity | undefined {
    return this.#users.find((user) => user.name === name);
  }

  userOf(uid: number): Identity {
    const user = this.#users.find((known) => known.uid === uid);
    if (user === undefined) throw new Error(`nobody has the user number ${uid}`);
    return user;
  }

  chmod(inside: string, mode: number): void {
    chmodSync(this.path(inside), mode);
  }

  get isOn(): boolean {
    return this.#init !== undefined;
  }

  async powerOn(): Promise<void> {
    const init = spawn(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', INIT, 'init', this.#folder.path],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    await new Promise<void>((resolve, reject) => {
      init.stdout?.once('data', () => resolve());
      init.once('exit', () => reject(new Error('the machine does not start; it needs root and namespaces')));
    });
    this.#init = init;
  }

  /** `kill -9` of everything at once; what reached the disk stays. */
  async powerCut(): Promise<void> {
    const init = this.#init;
    if (init === undefined) return;
    this.#init = undefined;
    const gone = new Promise((resolve) => init.once('exit', resolve));
    process.kill(this.#firstProcess(init), 'SIGKILL');
    await gone;
  }

  /** Starts a program inside; its environment is exactly what is given, and PATH. */
  spawn(command: readonly string[], { as, env = {} }: RunOptions): ChildProcess {
    const init = this.#init;
    if (init === undefined) throw new Error('the machine is off');
    const variables = Object.entries({ PATH: DSM_PATH, ...env }).map(([name, value]) => `${name}=${value}`);
    const enter = ['--mount', '--pid', '--target', `${this.#firstProcess(init)}`];
    const groups = [...this.#groups.values()]
      .filter(({ members }) => members.includes(as.name))
      .map(({ gid }) => gid);
    const chroot = [
      'chroot',
      `--userspec=${as.uid}:${as.gid}`,
      `--groups=${[as.gid, ...groups].join(',')}`,
      this.#folder.path,
    ];
    return spawn('nsenter', [...enter, ...chroot, '/usr/bin/env', '-i', ...variables, ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: '/',
    });
  }

  /** Runs it to its end, which comes when nobody holds its output any more. */
  async run(command: readonly string[], options: RunOptions): Promise<Finished> {
    const child = this.spawn(command, options);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // Whoever does not read it closes it.
    child.stdin?.on('error', () => undefined);
    if (options.input !== undefined) child.stdin?.end(options.input);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(
          new Error(
            `${command.join(' ')} did not end, or something it started holds its output\n${stdout}${stderr}`,
          ),
        );
      }, options.timeoutMs ?? 150_000);
      child.once('exit', () => child.stdin?.destroy());
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? 255, stdout, stderr });
      });
    });
  }

  /** Command lines of what runs under that user. */
  processesOf({ uid }: Identity): string[] {
    const init = this.#init;
    if (init === undefined) return [];
    const listing = execFileSync('ps', ['-e', '-o', 'pidns=,uid=,pid=,args=', '-ww'], { encoding: 'utf8' });
    const namespace = execFileSync('ps', ['-o', 'pidns=', '-p', `${this.#firstProcess(init)}`], {
      encoding: 'utf8',
    }).trim();
    return listing
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([ns, user]) => ns === namespace && user === `${uid}`)
      .map(([, , pid, ...args]) => `${pid} ${args.join(' ')}`)
      .filter((line) => !line.endsWith('<defunct>'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerCut();
    await this.#folder[Symbol.asyncDispose]();
  }

  /** The child of unshare, as the host numbers it. */
  #firstProcess(init: ChildProcess): number {
    return Number(readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, 'latin1').trim());
  }

  #writeUsers(): void {
    const users = this.#users.map(
      ({ name, uid, gid }) => `${name}:x:${uid}:${gid}::/var/services/homes/${name}:/sbin/nologin`,
    );
    const groups = [...this.#groups].map(
      ([name, { gid, members }]) => `${name}:x:${gid}:${members.join(',')}`,
    );
    writeFileSync(this.path('etc/passwd'), `${users.join('\n')}\n`);
    writeFileSync(this.path('etc/group'), `${groups.join('\n')}\n`);
  }
}

/** Makes a folder that belongs to somebody. */
export function folderOf(machine: Machine, inside: string, { uid, gid }: Identity, mode = 0o755): void {
  mkdirSync(machine.path(inside), { recursive: true, mode });
  chownSync(machine.path(inside), uid, gid);
}
