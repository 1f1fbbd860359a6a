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
  await fillOnce(file, full, shape, context);
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
  const server = await MariadbServer.start({ folder: place, args: ['--innodb-buffer-pool-size=1G'] });
  for (const name of ['vault_full', 'vault_empty']) {
    await server.asRoot(async (root) => {
      if (name === 'vault_empty') await root.query(`drop database if exists ${name}`);
      await root.query(`create database if not exists ${name}`);
    });
  }
  await fillOnce(join(place, 'vault_full'), server.url('vault_full'), shape, context);
  return {
    engine: 'MariaDB',
    shape,
    full: server.url('vault_full'),
    empty: server.url('vault_empty'),
    serverCpuMs: () => server.cpuMs(),
    [Symbol.asyncDispose]: async () => void (await server.stop()),
  };
}

async function fillOnce(
  name: string,
  url: string,
  shape: ArchiveShape,
  context: BenchContext,
): Promise<void> {
  const whole = `${name}.filled`;
  if (existsSync(whole)) return;
  if (url.startsWith('sqlite:')) await rm(name, { force: true });
  const start = performance.now();
  let told = start;
  await fillCatalog(url, shape, (studies) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    context.log(`filled: ${studies} of ${shape.studies} studies`);
  });
  await writeFile(whole, '');
  context.log(`filled in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
