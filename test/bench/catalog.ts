// A catalogue of ten million instances through the running daemon: how soon queries are answered, whether memory stays
// where it is, what ingest and the start lose against an empty catalogue. Only when asked for: `PART=catalog`.
import { openCatalog } from '../../src/catalog/open.ts';
import { openEngine } from '../../src/catalog/open-engine.ts';
import { ByteAssociation, EXPLICIT_LE } from '../support/byte-association.ts';
import { type ElementSpec, encodeElements } from '../support/byte-elements.ts';
import { identifier, MODELS, queryContexts, requestOf, TAG } from '../support/byte-services.ts';
import { pn, type StudyFacts, studyFacts, text } from '../support/catalog-generator.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { exercise, plansOf, recorded, type Statements } from '../support/recorded-engine.ts';
import { newUidRoot } from '../support/synthetic-instances.ts';
import { writeFigures, writePlans } from './catalog-page.ts';
import { type BenchContext, REQUESTOR_AE_TITLE, settleDisk } from './contestants.ts';
import { type EngineName, type FilledCatalog, filledCatalog } from './filled-catalog.ts';
import { type Measure, median, percentile } from './measures.ts';
import { send } from './store-sender.ts';

/** Enough that what compiles as it runs has been compiled: a daemon is measured as it is after its first busy hour. */
const WARM_UP = 200;
const QUERIES = 200;
const MEMORY_EVERY_MS = 20;
const ROUNDS = 5;
const INGESTED = 600;
const UNBOUNDED_MATCHES = 50_000;
const PENDING = 0xff00;
const CANCEL = 0x0fff;

type Keys = readonly (readonly [tag: number, vr: string, value: string])[];

const QUERY_KINDS: readonly { name: string; limitMs: number; keys(facts: StudyFacts, n: number): Keys }[] = [
  { name: 'PatientID', limitMs: 20, keys: ({ patientId }) => [[TAG.PatientID, 'LO', patientId]] },
  { name: 'AccessionNumber', limitMs: 20, keys: ({ accession }) => [[TAG.AccessionNumber, 'SH', accession]] },
  { name: 'StudyInstanceUID', limitMs: 20, keys: ({ uid }) => [[TAG.StudyInstanceUID, 'UI', uid]] },
  {
    name: 'name prefix',
    limitMs: 20,
    keys: ({ name }) => [[TAG.PatientName, 'PN', `${latin(name).slice(0, -1)}*`]],
  },
  { name: 'date', limitMs: 20, keys: ({ date }) => [[TAG.StudyDate, 'DA', `${date}-${date}`]] },
  {
    name: 'date + modality',
    limitMs: 20,
    keys: ({ date, modality }) => [
      [TAG.StudyDate, 'DA', `${date}-${date}`],
      [TAG.ModalitiesInStudy, 'CS', modality],
    ],
  },
  {
    name: 'name containing',
    limitMs: 200,
    keys: ({ name }) => [[TAG.PatientName, 'PN', `*${latin(name).split('^')[1]?.slice(0, -1)}*`]],
  },
];

const RETURN_KEYS: readonly (readonly [number, string])[] = [
  [TAG.StudyDate, 'DA'],
  [TAG.StudyTime, 'TM'],
  [TAG.AccessionNumber, 'SH'],
  [TAG.ModalitiesInStudy, 'CS'],
  [TAG.StudyDescription, 'LO'],
  [TAG.PatientName, 'PN'],
  [TAG.PatientID, 'LO'],
  [TAG.PatientBirthDate, 'DA'],
  [TAG.StudyInstanceUID, 'UI'],
];

export async function measureCatalog(
  part: string,
  engine: EngineName,
  context: BenchContext,
): Promise<Measure[]> {
  await using catalog = await filledCatalog(engine, context);
  const measures: Measure[] = [];
  const add = (name: string, unit: string, value: number, limit?: number): void => {
    context.log(`${part} ${name}: ${value.toPrecision(3)} ${unit}`);
    const bound = limit === undefined ? {} : { limit };
    measures.push({
      part,
      name: `${engine}: ${name}`,
      unit,
      better: 'lower',
      values: { ours: value },
      ...bound,
    });
  };
  await settleDisk();
  const empty = await startDaemon({ dataDir: `${context.folder}/empty`, args: ['--catalog', catalog.empty] });
  const started = performance.now();
  const full = await startDaemon({ dataDir: `${context.folder}/full`, args: ['--catalog', catalog.full] });
  add('start to ready', 'ms', performance.now() - started, 3000);
  try {
    await idle();
    add(
      'resident memory idle, against an empty catalogue',
      '×',
      full.memory().nowBytes / empty.memory().nowBytes,
      1.2,
    );
    const memory = { full: [] as number[], empty: [] as number[] };
    const responses = await sampled(
      full,
      memory.full,
      async () => (await measureQueries(full, catalog, add)) + (await measureUnbounded(full, add)),
    );
    await sampled(full, memory.full, () =>
      sampled(empty, memory.empty, () => measureIngest(full, empty, add)),
    );
    await sampled(empty, memory.empty, () => answerAsMuch(empty, responses));
    for (const [name, samples] of Object.entries(memory)) {
      const [half, most] = [50, 95].map((percent) => (percentile(samples, percent) / 1e6).toFixed(0));
      context.log(
        `${part} resident memory under load, ${name}: ${half} MB in the median, 95 of 100 below ${most}`,
      );
    }
    add(
      'resident memory under load (95 of 100 samples are below), against an empty one',
      '×',
      percentile(memory.full, 95) / percentile(memory.empty, 95),
      1.2,
    );
  } finally {
    await Promise.all([full.stop(), empty.stop()]);
  }
  await measureStudyList(catalog, add);
  if (process.env.PAGE !== undefined) await writePage(catalog, measures);
  return measures;
}

/** Looks at the daemon's memory again and again: the one highest moment tells when garbage was collected. */
async function sampled<T>(daemon: Daemon, samples: number[], work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => samples.push(daemon.memory().nowBytes), MEMORY_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

type Add = (name: string, unit: string, value: number, limit?: number) => void;

/** Whatever a start still does is done. */
function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2000));
}

/** How many responses that took. */
async function measureQueries(daemon: Daemon, catalog: FilledCatalog, add: Add): Promise<number> {
  const { shape } = catalog;
  let responses = 0;
  const cpuMs = (): number => daemon.process.cpuMs() + catalog.serverCpuMs();
  const association = await associate(daemon);
  for (const { name, limitMs, keys } of QUERY_KINDS) {
    let cpuBefore = 0;
    const times: number[] = [];
    const counts: number[] = [];
    for (let query = 0; query < WARM_UP + QUERIES; query++) {
      if (query === WARM_UP) cpuBefore = cpuMs();
      const facts = studyFacts(shape, (query * 7919) % shape.studies);
      const start = performance.now();
      let count = 0;
      for await (const _ of find(association, keys(facts, query))) count += 1;
      if (count === 0) throw new Error(`${name}: study ${facts.uid} is not found`);
      responses += count;
      if (query < WARM_UP) continue;
      times.push(performance.now() - start);
      counts.push(count);
    }
    const found = `${median(counts)} matches (median), ${Math.max(...counts)} at most`;
    add(`query by ${name}, ${found}: p50`, 'ms', percentile(times, 50));
    add(`query by ${name}: processor time`, 'ms', (cpuMs() - cpuBefore) / QUERIES);
    add(`query by ${name}: p99`, 'ms', percentile(times, 99), limitMs);
  }
  await association.release();
  return responses;
}

/** Every study there is: the first response, the end after C-CANCEL, memory while they are read. */
async function measureUnbounded(daemon: Daemon, add: Add): Promise<number> {
  let responses = 0;
  const firsts: number[] = [];
  const ends: number[] = [];
  const association = await associate(daemon);
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const start = performance.now();
    let cancelled = 0;
    let count = 0;
    for await (const cancel of find(association, [])) {
      count += 1;
      responses += 1;
      if (count === 1) firsts.push(performance.now() - start);
      if (count !== 500) continue;
      cancelled = performance.now();
      await cancel();
    }
    ends.push(performance.now() - cancelled);
  }
  add('first response of a query without keys (slowest of 10)', 'ms', Math.max(...firsts), 50);
  add('C-CANCEL to the last response (slowest of 10)', 'ms', Math.max(...ends), 100);
  const before = daemon.memory().nowBytes;
  let count = 0;
  let most = before;
  for await (const cancel of find(association, [])) {
    count += 1;
    if (count % 5000 === 0) most = Math.max(most, daemon.memory().nowBytes);
    if (count === UNBOUNDED_MATCHES) await cancel();
  }
  add(`growth of resident memory over ${UNBOUNDED_MATCHES} responses`, 'MB', (most - before) / 1e6, 64);
  await association.release();
  return responses + count;
}

/** What a daemon that has little to find gets to do in answering, so that both have done the same: as many responses,
 *  in more queries. */
async function answerAsMuch(daemon: Daemon, responses: number): Promise<void> {
  const association = await associate(daemon);
  for (let left = responses; left > 0; ) {
    const before = left;
    for await (const _ of find(association, [])) left -= 1;
    if (left === before) throw new Error('the archive that was empty has received nothing');
  }
  await association.release();
}

/** By turns, so that both see the same disk. */
async function measureIngest(full: Daemon, empty: Daemon, add: Add): Promise<void> {
  const seconds = new Map<Daemon, number[]>([
    [full, []],
    [empty, []],
  ]);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [daemon, all] of seconds) {
      const { aeTitle, host, port } = daemon;
      const sent = await send({
        peer: { aeTitle, host, port },
        shape: '5 KB',
        associations: 1,
        instancesPerAssociation: INGESTED,
        instancesPerStudy: 20,
        firstStudy: 0,
        uidRoot: newUidRoot(),
      });
      if (round > 0) all.push(sent.seconds / sent.instances);
    }
  }
  const of = (daemon: Daemon): number => median(seconds.get(daemon) ?? []);
  add('ingest, instances/s', '1/s', 1 / of(full));
  add('ingest, time for an instance against an empty catalogue', '×', of(full) / of(empty), 1 / 0.85);
}

async function measureStudyList(filled: FilledCatalog, add: Add): Promise<void> {
  const { full, shape } = filled;
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 + filled.serverCpuMs();
  };
  const catalog = await openCatalog(full);
  try {
    const facts = (query: number): StudyFacts => studyFacts(shape, (query * 7919) % shape.studies);
    const lists = {
      'all studies': () => ({}),
      'a surname': (query: number) => ({ '00100010': pn(`${facts(query).name.split('^')[0]}*`) }),
      'a name containing': (query: number) => ({ '00100010': pn(`*${facts(query).name.slice(-2)}*`) }),
      'Patient ID prefix': (query: number) => ({
        '00100020': text('LO', `${facts(query).patientId.slice(0, -3)}*`),
      }),
      'a modality': (query: number) => ({ '00080061': text('CS', facts(query).modality) }),
      'a year': (query: number) => ({
        '00080020': text('DA', `${facts(query).date.slice(0, 4)}0101-${facts(query).date.slice(0, 4)}1231`),
      }),
      'a description that contains a word': () => ({ '00081030': text('LO', '*angio*') }),
      'a description that nobody has': () => ({ '00081030': text('LO', '*nothing*') }),
    };
    for (const [name, identifierOf] of Object.entries(lists)) {
      const times: number[] = [];
      const cpuBefore = cpuMs();
      for (let query = 0; query < 20; query++) {
        for (let page = 0, after: string | undefined; page < 3; page++) {
          const start = performance.now();
          const given = after === undefined ? {} : { after };
          const { next } = await catalog.studyPage({ identifier: identifierOf(query), limit: 50, ...given });
          times.push(performance.now() - start);
          if (next === undefined) break;
          after = next;
        }
      }
      add(`study list, page of 50, ${name}: processor time`, 'ms', (cpuMs() - cpuBefore) / times.length);
      add(`study list, page of 50, ${name}: p99`, 'ms', percentile(times, 99), 100);
    }
  } finally {
    await catalog.close();
  }
}

/** The plans last: what they need to see is added to the catalogue. */
async function writePage(catalog: FilledCatalog, measures: readonly Measure[]): Promise<void> {
  await writeFigures(catalog, measures);
  const engine = await openEngine(catalog.full);
  try {
    const statements: Statements = new Map();
    await exercise(recorded(engine, statements), catalog.shape);
    await writePlans(catalog, await plansOf(engine, statements));
  } finally {
    await engine.close();
  }
}

function associate({ aeTitle, port }: Daemon): Promise<ByteAssociation> {
  return ByteAssociation.request({
    port,
    callingAeTitle: REQUESTOR_AE_TITLE,
    calledAeTitle: aeTitle,
    contexts: queryContexts('find', ['study'], [EXPLICIT_LE]),
  });
}

/** One turn per response; what it yields cancels the rest. */
async function* find(association: ByteAssociation, keys: Keys): AsyncGenerator<() => Promise<void>> {
  const { id } = association.contextFor(MODELS.study.find);
  const request = requestOf(association, MODELS.study.find, 0x0020);
  const given = new Map(keys.map(([tag, vr, value]) => [tag, { tag, vr, value }]));
  const elements: ElementSpec[] = RETURN_KEYS.map(([tag, vr]) => given.get(tag) ?? { tag, vr, value: '' });
  await association.send(id, request, encodeElements(identifier('STUDY', elements), true));
  const cancel = () =>
    association.send(id, {
      CommandField: CANCEL,
      MessageIDBeingRespondedTo: Number(request.MessageID),
      CommandDataSetType: 0x0101,
    });
  for (;;) {
    const { command } = await association.receive();
    const status = Number(command.Status);
    if (status === PENDING || status === PENDING + 1) yield cancel;
    else if (status === 0 || status === 0xfe00) return;
    else throw new Error(`C-FIND-RSP ${JSON.stringify(command)}`);
  }
}

function latin(name: string): string {
  return name.split('=')[0] ?? '';
}
