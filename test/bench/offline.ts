// `verify` against sha256sum over the same files, and the rate of `rebuild` in both engines; files warm in the cache.
//   INSTANCES=N   small ones; 20,000 unless said otherwise
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runAngiovault, startDaemon } from '../support/daemon.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { RunningProcess } from '../support/running-process.ts';
import { newUidRoot, type ShapeName } from '../support/synthetic-instances.ts';
import type { BenchContext } from './contestants.ts';
import { type Measure, median } from './measures.ts';
import { send } from './store-sender.ts';

const ROUNDS = 3;
const ASSOCIATIONS = 4;
const SMALL = Number(process.env.INSTANCES ?? 20_000);
/** Of the rate of sha256sum, `verify` has to reach so much. */
const OF_SHA256SUM = 0.8;
const REBUILT_PER_SECOND = 2000;

const ARCHIVES = [
  { name: '5 KB instances', shape: '5 KB', instances: SMALL },
  { name: '0.5 MB CT', shape: '0.5 MB CT', instances: 1000 },
  { name: '200 MB XA runs', shape: '200 MB XA', instances: 4 },
] as const satisfies readonly { name: string; shape: ShapeName; instances: number }[];

export async function measureVerify(part: string, context: BenchContext): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const { name, shape, instances } of ARCHIVES) {
    const dataDir = await filled(join(context.folder, shape.replaceAll(' ', '-')), shape, instances);
    const sums = `find ${dataDir}/archive/studies -type f -print0 | xargs -0 sha256sum`;
    const times = { ours: [] as number[], sha256sum: [] as number[] };
    // What a start costs is no part of the rate.
    const start = Math.min(...(await repeated(() => angiovault('verify', dataDir, ['--study', '1.2.3']))));
    for (let round = 0; round <= ROUNDS; round += 1) {
      const reading = await timed(new RunningProcess('/bin/sh', ['-c', sums]));
      const verifying = (await angiovault('verify', dataDir, [])) - start;
      if (round === 0) continue;
      times.sha256sum.push(reading);
      times.ours.push(verifying);
      const rates = [verifying, reading].map((seconds) => (instances / seconds).toFixed(1));
      context.log(`${part} round ${round} ${name}: ours ${rates[0]} files/s, sha256sum ${rates[1]} files/s`);
    }
    const ratio = median(times.ours) / median(times.sha256sum);
    const words = `verify, ${instances} ${name}: time, sha256sum = 1`;
    const measure = { part, name: words, unit: '×', better: 'lower', limit: 1 / OF_SHA256SUM } as const;
    measures.push({ ...measure, values: { ours: ratio } });
  }
  return measures;
}

export async function measureRebuild(part: string, context: BenchContext): Promise<Measure[]> {
  await using server = await MariadbServer.start();
  const dataDir = await filled(join(context.folder, 'small'), '5 KB', SMALL);
  const nothing = join(context.folder, 'nothing');
  await mkdir(nothing, { recursive: true });
  let catalogs = 0;
  const engines = {
    SQLite: async () => `sqlite:${context.folder}/rebuilt-${catalogs++}.sqlite`,
    MariaDB: async () => server.url(await server.freshDatabase()),
  };
  const measures: Measure[] = [];
  for (const [engine, address] of Object.entries(engines)) {
    const rates: number[] = [];
    const rebuilding = async (folder: string) =>
      angiovault('rebuild', folder, ['--catalog', await address()]);
    // What a start and a new catalogue cost is no part of the rate.
    const start = Math.min(...(await repeated(() => rebuilding(nothing))));
    for (let round = 1; round <= ROUNDS; round += 1) {
      const seconds = (await rebuilding(dataDir)) - start;
      rates.push(SMALL / seconds);
      context.log(`${part} round ${round} ${engine}: ${(SMALL / seconds).toFixed(0)} instances/s`);
    }
    const ms = 1000 / median(rates);
    const name = `rebuild, ${SMALL} instances of 5 KB, ${engine}: an instance`;
    const limit = 1000 / REBUILT_PER_SECOND;
    measures.push({ part, name, unit: 'ms', better: 'lower', values: { ours: ms }, limit });
  }
  return measures;
}

/** A data folder whose archive holds so many instances. */
async function filled(dataDir: string, shape: ShapeName, instances: number): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const daemon = await startDaemon({ dataDir });
  const { aeTitle, host, port } = daemon;
  await send({
    peer: { aeTitle, host, port },
    shape,
    associations: ASSOCIATIONS,
    instancesPerAssociation: instances / ASSOCIATIONS,
    instancesPerStudy: 200,
    firstStudy: 0,
    uidRoot: newUidRoot(),
  });
  await daemon.stop();
  return dataDir;
}

async function repeated(measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await measure());
  return times;
}

function angiovault(command: string, dataDir: string, args: readonly string[]): Promise<number> {
  return timed(runAngiovault(command, ['--data', dataDir, ...args]));
}

/** Seconds. */
async function timed(running: RunningProcess): Promise<number> {
  const start = performance.now();
  const { code } = await running.ended;
  if (code !== 0) throw new Error(`${running.name} failed: ${running.stdout}${running.stderr}`);
  return (performance.now() - start) / 1000;
}
