// `make bench`: measures our daemon against Orthanc and DCMTK in one run.
//   PART=ingest-ct     only the parts whose names begin so, comma separated
//   PART=catalog       a million studies in the catalogue, see filled-catalog.ts; only when asked for. PAGE=1 writes the
//                      figures and the plans of all statements into docs/catalogue.md
//   AGAINST=orthanc    only these contestants beside ours; AGAINST= measures ours alone
//   PROFILE=FOLDER     CPU profiles of our daemon go there
//   --doc              writes docs/benchmark.md from the last result
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureAbuse } from './abuse.ts';
import { measureApp } from './app.ts';
import { measureCatalog } from './catalog.ts';
import { type BenchContext, CONTESTANTS } from './contestants.ts';
import { INGEST_PLANS, measureIngest } from './ingest.ts';
import { describeMachine } from './machine.ts';
import type { Measure } from './measures.ts';
import { measureMemory } from './memory.ts';
import { measureRebuild, measureVerify } from './offline.ts';
import { measureQuery } from './query.ts';
import { type BenchResult, renderDocument, renderTable } from './report.ts';
import { measureRetrieve, RETRIEVE_PLANS } from './retrieve.ts';
import { measureScrub } from './scrub.ts';

type Part = (context: BenchContext) => Promise<Measure[]>;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RESULT_FILE = join(ROOT, 'bench-result.json');
const DOCUMENT = join(ROOT, 'docs/benchmark.md');

const PARTS: ReadonlyMap<string, Part> = new Map([
  ...keysOf(INGEST_PLANS).map((part): [string, Part] => [part, (context) => measureIngest(part, context)]),
  ['memory', (context) => measureMemory('memory', context)],
  ...keysOf(RETRIEVE_PLANS).map((part): [string, Part] => [
    part,
    (context) => measureRetrieve(part, context),
  ]),
  ['query', (context) => measureQuery('query', context)],
  ['scrub', (context) => measureScrub('scrub', context)],
  ['app', (context) => measureApp('app', context)],
  ['abuse', (context) => measureAbuse('abuse', context)],
  ['verify', (context) => measureVerify('verify', context)],
  ['rebuild', (context) => measureRebuild('rebuild', context)],
]);

/** These take too long to be measured unasked. */
const ON_REQUEST: ReadonlyMap<string, Part> = new Map([
  ['catalog-sqlite', (context: BenchContext) => measureCatalog('catalog-sqlite', 'SQLite', context)],
  ['catalog-mariadb', (context: BenchContext) => measureCatalog('catalog-mariadb', 'MariaDB', context)],
]);

if (process.argv.includes('--doc')) {
  const result = JSON.parse(await readFile(RESULT_FILE, 'utf8')) as BenchResult;
  await writeFile(DOCUMENT, renderDocument(result, await readFile(DOCUMENT, 'utf8')));
} else process.exitCode = await bench();

async function bench(): Promise<number> {
  const wanted = (process.env.PART ?? '').split(',');
  const parts = [
    ...[...PARTS].filter(([name]) => wanted.some((prefix) => name.startsWith(prefix))),
    ...[...ON_REQUEST].filter(([name]) => wanted.some((prefix) => prefix !== '' && name.startsWith(prefix))),
  ];
  if (parts.length === 0) {
    const names = [...PARTS.keys(), ...ON_REQUEST.keys()];
    console.error(`PART=${process.env.PART}: the parts are ${names.join(' ')}`);
    return 2;
  }
  // Beside the project, not in /tmp: that may be memory, and memory would flatter whoever flushes.
  const folder = join(ROOT, `bench-${process.pid}.tmp`);
  const removeAndGo = (): void => {
    void rm(folder, { recursive: true, force: true }).finally(() => process.exit(130));
  };
  process.once('SIGINT', removeAndGo).once('SIGTERM', removeAndGo);
  try {
    await mkdir(folder);
    const machine = await describeMachine(folder);
    const measures: Measure[] = [];
    for (const [name, measure] of parts) {
      measures.push(...(await measure(contextOf(join(folder, name)))));
      await rm(join(folder, name), { recursive: true, force: true });
    }
    console.log(renderTable(measures));
    const result: BenchResult = { date: new Date().toISOString(), machine, measures };
    await writeFile(RESULT_FILE, `${JSON.stringify(result, undefined, 2)}\n`);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function contextOf(folder: string): BenchContext {
  const against = (process.env.AGAINST ?? CONTESTANTS.join()).split(',');
  return {
    folder,
    contestants: CONTESTANTS.filter((name) => name === 'ours' || against.includes(name)),
    profileFolder: process.env.PROFILE,
    log: (line) => console.log(line),
  };
}

function keysOf<T extends object>(record: T): (keyof T & string)[] {
  return Object.keys(record) as (keyof T & string)[];
}
