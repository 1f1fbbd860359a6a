// What the checks in the simulator share: packages of several versions, a NAS with MariaDB, what the wizards answer.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { freePort, RunningProcess } from '../support/running-process.ts';
import { Machine } from './machine.ts';
import { MariaDb, ROOT_PASSWORD } from './maria-db.ts';
import { type CenterOptions, PackageCenter } from './package-center.ts';
import type { Wizard } from './workers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const OUT = join(ROOT, 'node_modules', '.cache', 'spk', `check-${process.pid}`);
export const OLD = '0.1.0-0001';
export const NEW = '0.2.0-0002';

process.once('exit', () => rmSync(OUT, { recursive: true, force: true }));

/** Built once for each run; little compression, the same everything else. */
export function packageOf(version: string): string {
  const file = join(OUT, `AngioVault-x86_64-${version}.spk`);
  if (!existsSync(file)) {
    mkdirSync(OUT, { recursive: true });
    const build = ['spk/build/main.ts', '--version', version, '--compression', '0', '--out', OUT];
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...build], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return file;
}

/** The package with a part of it spoilt. */
export function changedPackage(
  file: string,
  change: {
    readonly gzip?: boolean;
    /** A member that is missing. */
    readonly remove?: string;
    /** A program of which nothing can be run. */
    readonly spoil?: string;
    /** Another text for each of its JavaScript files. */
    readonly program?: (text: string) => string;
    readonly info?: (text: string) => string;
  },
): string {
  const folder = mkdtempSync(join(OUT, 'changed-'));
  execFileSync('tar', ['-xf', file, '-C', folder]);
  if (change.remove !== undefined) rmSync(join(folder, change.remove));
  if (change.info !== undefined) {
    const info = join(folder, 'INFO');
    writeFileSync(info, change.info(readFileSync(info, 'utf8')));
  }
  const { spoil, program } = change;
  if (spoil !== undefined || program !== undefined) {
    const inner = `${folder}.inner`;
    mkdirSync(inner);
    execFileSync('tar', ['-xf', join(folder, 'package.tgz'), '-C', inner]);
    if (spoil !== undefined) {
      const other = Buffer.from('\x7fELF of another processor', 'latin1');
      writeFileSync(join(inner, spoil), other, { mode: 0o755 });
    }
    for (const file of program === undefined ? [] : globSync(join(inner, 'app', '*.js'))) {
      writeFileSync(file, program?.(readFileSync(file, 'utf8')) ?? '');
    }
    execFileSync('tar', ['-czf', join(folder, 'package.tgz'), '-C', inner, '.']);
    rmSync(inner, { recursive: true });
  }
  chmodSync(folder, 0o755);
  const result = `${folder}.spk`;
  execFileSync('tar', [change.gzip === true ? '-czf' : '-cf', result, '--format=ustar', '-C', folder, '.']);
  rmSync(folder, { recursive: true });
  return result;
}

export interface Nas extends AsyncDisposable {
  readonly machine: Machine;
  readonly mariaDb: MariaDb;
  readonly center: PackageCenter;
  /** The DICOM port that the wizard is told. */
  readonly port: number;
  readonly wizard: Wizard;
}

export async function makeNas(options: CenterOptions = {}): Promise<Nas> {
  const machine = await Machine.make();
  try {
    const mariaDb = await MariaDb.install(machine);
    const port = await freePort();
    return {
      machine,
      mariaDb,
      center: new PackageCenter(machine, mariaDb, options),
      port,
      wizard: {
        wizard_mariadb_root_password: ROOT_PASSWORD,
        wizard_database_password: 'Kathe-ter/2026',
        wizard_share: 'angio',
        wizard_ae_title: 'VAULT',
        wizard_port: `${port}`,
        wizard_create_db: 'true',
        wizard_grant_user: 'true',
      },
      [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
    };
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the upgrade's dialog answers when nobody changes anything. */
export const UPGRADE: Wizard = {
  wizard_share: 'angio',
  wizard_create_db: 'false',
  wizard_grant_user: 'false',
  wizard_drop_database: 'false',
};

/** Where the archive of the NAS is called, and where its files are. */
export function addressOf({ machine, port }: Nas) {
  return { port, dataDir: machine.path('volume1/angio') };
}

/** Whether the archive answers C-ECHO. */
export async function echoes({ port }: Nas): Promise<boolean> {
  const echo = new RunningProcess('echoscu', ['-to', '3', '-aec', 'VAULT', '127.0.0.1', `${port}`]);
  return (await echo.ended).code === 0;
}

/** Asks again until it is so. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
