// An SPK as Package Center reads it, with its reasons to refuse one (error codes of synopkg).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export class PackageError extends Error {
  readonly code: number;

  constructor(code: number, description: string) {
    super(description);
    this.code = code;
  }
}

export type Info = Readonly<Record<string, string>>;

const REQUIRED = ['package', 'version', 'os_min_ver', 'description', 'arch', 'maintainer'];
const SCRIPTS = [
  'preinst',
  'postinst',
  'preuninst',
  'postuninst',
  'preupgrade',
  'postupgrade',
  'start-stop-status',
];
const USTAR_AT = 257;

/** What a device takes: `x86_64` packages run on every Intel platform. */
export interface Device {
  readonly platform: string;
  readonly family: 'x86_64' | 'armv8';
  readonly osVersion: readonly [major: number, minor: number, build: number];
}

/** Unpacks the outer archive into `folder`, and says no to what Package Center would refuse. */
export function openPackage(
  file: string,
  folder: string,
  device: Device,
  installed: ReadonlySet<string>,
): Info {
  const head = readFileSync(file).subarray(0, 512);
  if (head.toString('latin1', USTAR_AT, USTAR_AT + 5) !== 'ustar')
    throw new PackageError(263, 'failed to sort spks / invalid format');
  execFileSync('tar', ['-xf', file, '-C', folder]);
  const info = infoOf(folder);
  checkInfo(info, device);
  for (const script of SCRIPTS) {
    if (!existsSync(join(folder, 'scripts', script))) throw new PackageError(261, `missing script ${script}`);
  }
  for (const icon of ['PACKAGE_ICON.PNG', 'PACKAGE_ICON_256.PNG']) {
    if (!existsSync(join(folder, icon))) throw new PackageError(263, `invalid format: no ${icon}`);
  }
  privilegeOf(folder);
  const inner = join(folder, 'package.tgz');
  if (
    info.checksum !== undefined &&
    createHash('md5').update(readFileSync(inner)).digest('hex') !== info.checksum
  ) {
    throw new PackageError(263, 'the package is damaged: its checksum is another one');
  }
  for (const dependency of (info.install_dep_packages ?? '').split(':').filter(Boolean)) {
    const name = dependency.split(/[<>=]/)[0] ?? '';
    if (!installed.has(name)) throw new PackageError(261, `needs the package ${name}`);
  }
  return info;
}

export function infoOf(folder: string): Info {
  const file = join(folder, 'INFO');
  if (!existsSync(file)) throw new PackageError(261, 'invalid package info content: no INFO');
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const { key, value } = /^(?<key>\w+)="(?<value>[^"]*)"$/.exec(line)?.groups ?? {};
      if (key === undefined || value === undefined)
        throw new PackageError(261, `invalid package info content: ${line}`);
      return [key, value];
    }),
  );
}

function checkInfo(info: Info, { platform, family, osVersion }: Device): void {
  for (const key of REQUIRED) {
    if (info[key] === undefined) throw new PackageError(261, `invalid package info content: no ${key}`);
  }
  if (/[:/><|=]/.test(info.package ?? '')) throw new PackageError(261, 'invalid package name');
  if (!/^\d+(?:[.\-_]\d+)*$/.test(info.version ?? '')) throw new PackageError(261, 'invalid version');
  const [, major, minor, build] = /^(\d+)\.(\d+)-(\d+)$/.exec(info.os_min_ver ?? '')?.map(Number) ?? [];
  if (major !== osVersion[0])
    throw new PackageError(261, 'package should have same major number of current os');
  const wanted = (minor ?? 0) * 1e6 + (build ?? 0);
  if (wanted < 40000 || wanted > osVersion[1] * 1e6 + osVersion[2]) throw new PackageError(261, 'os_min_ver');
  const architectures = (info.arch ?? '').split(' ');
  if (!['noarch', family, platform].some((known) => architectures.includes(known))) {
    throw new PackageError(261, `the package is not for ${platform}`);
  }
}

export interface Privilege {
  readonly username: string;
  readonly groupname: string;
  readonly groups: readonly string[];
}

/** conf/privilege of an unsigned package: run as the package's user, and nothing that would be more. */
export function privilegeOf(folder: string): Privilege {
  const invalid = (why: string) => new PackageError(319, `invalid privilege: ${why}`);
  const file = join(folder, 'conf', 'privilege');
  if (!existsSync(file)) throw invalid('missing');
  const privilege = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  if ((privilege.defaults as Record<string, unknown> | undefined)?.['run-as'] !== 'package')
    throw invalid('run-as');
  for (const key of ['ctrl-script', 'executable', 'capabilities']) {
    if (key in privilege || JSON.stringify(privilege).includes(`"${key}"`))
      throw invalid(`${key}: runs with root privileges`);
  }
  const name = infoOf(folder).package ?? '';
  const groups = [privilege['join-groupname']].flat().filter((group) => typeof group === 'string');
  if (groups.includes('administrators')) throw invalid('join-groupname: administrators');
  return {
    username: (privilege.username as string | undefined) ?? name,
    groupname: (privilege.groupname as string | undefined) ?? name,
    groups,
  };
}

/** Unpacks package.tgz; a file that would run as another user is refused. */
export function unpackTarget(folder: string, into: string): void {
  execFileSync('tar', ['-xf', join(folder, 'package.tgz'), '-C', into]);
  const files = readdirSync(into, { recursive: true, withFileTypes: true });
  for (const file of files) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    if ((statSync(path).mode & 0o6000) !== 0) throw new PackageError(313, `${file.name}: setuid`);
  }
}
