// The catalogues of `PART=catalog`: one filled with a generated archive, one empty, in the same engine on the same disk.
//   STUDIES=N               of ten instances each; a million unless said otherwise
//   CATALOG_FOLDER=FOLDER   keeps what was filled there, for the next run
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fillCatalog } from '../support/catalog-filler.ts';
import type { ArchiveShape } from '../support/catalog-generator.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import type { BenchContext } from './contestants.ts';

export type EngineName = 'SQLite' | 'MariaDB';

export interface FilledCatalog extends AsyncDisposable {
  readonly engine: EngineName;
  readonly shape: ArchiveShape;
  /** The catalogue with the archive in it. */
  readonly full: string;
  /** An empty one beside it. */
  readonly empty: string;
  /** Processor time of the database's own process. */
  serverCpuMs(): number;
}

/** Two series of five instances; some 83 studies a day, so that a day is what a range of dates asks for. */
function shapeOf(studies: number): ArchiveShape {
  return { studies, days: Math.max(1, Math.round(0.012 * studies)) };
}

/** Of a server that only loads, and whose data is thrown away if it does not come to the end. */
const LOADING: readonly string[] = [
  '--innodb-buffer-pool-size=4G',
  '--innodb-log-file-size=2G',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-sort-buffer-size=64M',
  // Statistics come once, at the end: while one statement loads a table they cannot be made, and are tried again and again.
  '--innodb-stats-auto-recalc=0',
];

export async function filledCatalog(engine: EngineName, context: BenchContext): Promise<FilledCatalog> {
  const shape = shapeOf(Number(process.env.STUDIES ?? 1_000_000));
  const kept = process.env.CATALOG_FOLDER;
  const folder = kept === undefined ? context.folder : resolve(kept);
  await mkdir(folder, { recursive: true });
  return engine === 'SQLite' ? inSqlite(folder, shape, context) : inMariadb(folder, shape, context);
}

async function inSqlite(folder: string, shape: ArchiveShape, context: BenchContext): Promise<FilledCatalog> {
  const file = join(folder, `${shape.studies}.sqlite`);
  const full = `sqlite:${file}`;
  if (!existsSync(filledMark(file))) {
    await rm(file, { force: true });
    await fill(file, full, shape, context);
  }
  return {
    engine: 'SQLite',
    shape,
    full,
    empty: `sqlite:${join(context.folder, 'empty.sqlite')}`,
    serverCpuMs: () => 0,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function inMariadb(folder: string, shape: ArchiveShape, context: BenchContext): Promise<FilledCatalog> {
  const place = join(folder, `${shape.studies}.mariadb`);
  await mkdir(place, { recursive: true });
  const name = join(place, 'vault_full');
  if (!existsSync(filledMark(name))) {
    const loading = await MariadbServer.start({ folder: place, args: LOADING });
    await loading.asRoot(async (root) => {
      await root.query('drop database if exists vault_full');
      await root.query('create database vault_full');
    });
    await fill(name, loading.url('vault_full'), shape, context);
    await loading.stop();
  }
  const server = await MariadbServer.start({ folder: place, args: ['--innodb-buffer-pool-size=1G'] });
  await server.asRoot(async (root) => {
    await root.query('drop database if exists vault_empty');
    await root.query('create database vault_empty');
  });
  return {
    engine: 'MariaDB',
    shape,
    full: server.url('vault_full'),
    empty: server.url('vault_empty'),
    serverCpuMs: () => server.cpuMs(),
    [Symbol.asyncDispose]: async () => void (await server.stop()),
  };
}

/** There when the catalogue is whole. */
function filledMark(name: string): string {
  return `${name}.filled`;
}

async function fill(name: string, url: string, shape: ArchiveShape, context: BenchContext): Promise<void> {
  const start = performance.now();
  let told = start;
  await fillCatalog(url, shape, (studies) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    context.log(`filled: ${studies} of ${shape.studies} studies`);
  });
  await writeFile(filledMark(name), '');
  context.log(`filled in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
