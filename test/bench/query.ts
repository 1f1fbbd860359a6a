// Query speed at 50,000 studies: one association that stays open, the time from the request's write to the
// final response, answers counted and compared (PS3.4 §C.4.1).
import { ByteAssociation, EXPLICIT_LE } from '../support/byte-association.ts';
import { type ElementSpec, encodeElements } from '../support/byte-elements.ts';
import { identifier, MODELS, queryContexts, requestOf, TAG } from '../support/byte-services.ts';
import { newUidRoot, syntheticStudy } from '../support/synthetic-instances.ts';
import {
  type BenchContext,
  type Contestant,
  type ContestantName,
  REQUESTOR_AE_TITLE,
  settleDisk,
  startContestants,
} from './contestants.ts';
import { type Measure, percentile } from './measures.ts';
import { send } from './store-sender.ts';

const STUDIES = 50_000;
const ASSOCIATIONS = 4;
const ROUNDS = 3;
const QUERIES_PER_ROUND = 60;
const ROUND_MS = 4000;
const PENDING = new Set([0xff00, 0xff01]);

type Keys = ReadonlyMap<number, string>;

/** Each kind asks for what belongs to study number `index`, so that there is always something to find. */
const KINDS: readonly { name: string; required: number; keys(index: number, uidRoot: string): Keys }[] = [
  {
    name: 'PatientID',
    required: 20,
    keys: (index, root) => new Map([[TAG.PatientID, syntheticStudy(index, root).patientId]]),
  },
  {
    name: 'StudyInstanceUID',
    required: 20,
    keys: (index, root) => new Map([[TAG.StudyInstanceUID, syntheticStudy(index, root).studyInstanceUid]]),
  },
  {
    name: 'name prefix',
    required: 5,
    keys: (index, root) => {
      const { patientName } = syntheticStudy(index, root);
      return new Map([[TAG.PatientName, `${patientName.slice(0, patientName.indexOf('^') + 3)}*`]]);
    },
  },
  {
    name: 'name containing',
    required: 5,
    keys: (index, root) => {
      const { patientName } = syntheticStudy(index, root);
      return new Map([[TAG.PatientName, `*${patientName.slice(patientName.indexOf('^') + 1)}*`]]);
    },
  },
  {
    name: 'date range',
    required: 5,
    keys: (index, root) => {
      const first = syntheticStudy(index, root).studyDate;
      return new Map([[TAG.StudyDate, `${first}-${daysAfter(first, 2)}`]]);
    },
  },
];

const RETURN_KEYS: readonly (readonly [number, string])[] = [
  [TAG.StudyDate, 'DA'],
  [TAG.StudyTime, 'TM'],
  [TAG.AccessionNumber, 'SH'],
  [TAG.StudyDescription, 'LO'],
  [TAG.PatientName, 'PN'],
  [TAG.PatientID, 'LO'],
  [TAG.PatientBirthDate, 'DA'],
  [TAG.StudyInstanceUID, 'UI'],
  [TAG.StudyID, 'SH'],
];

export async function measureQuery(part: string, context: BenchContext): Promise<Measure[]> {
  const contestants = await startContestants(context, ['ours', 'orthanc']);
  const uidRoot = newUidRoot();
  try {
    for (const contestant of contestants) {
      const { aeTitle, host, port } = contestant;
      const filled = await send({
        peer: { aeTitle, host, port },
        shape: 'tiny',
        associations: ASSOCIATIONS,
        instancesPerAssociation: STUDIES / ASSOCIATIONS,
        instancesPerStudy: 1,
        firstStudy: 0,
        uidRoot,
      });
      context.log(`${part} ${contestant.name}: ${STUDIES} studies in ${filled.seconds.toFixed(0)} s`);
    }
    await settleDisk();
    const measures: Measure[] = [];
    for (const kind of KINDS)
      measures.push(...(await measureKind(part, context, contestants, kind, uidRoot)));
    return measures;
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
}

async function measureKind(
  part: string,
  context: BenchContext,
  contestants: readonly Contestant[],
  kind: (typeof KINDS)[number],
  uidRoot: string,
): Promise<Measure[]> {
  const times = new Map<ContestantName, number[]>();
  const matches = new Map<number, number>();
  const associations = await Promise.all(contestants.map(associate));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [nth, association] of associations.entries()) {
      const name = contestants[nth]!.name;
      const start = performance.now();
      for (let query = 0; query < QUERIES_PER_ROUND && performance.now() - start < ROUND_MS; query++) {
        const index = ((round * QUERIES_PER_ROUND + query) * 277) % STUDIES;
        const keys = identifier('STUDY', elementsOf(kind.keys(index, uidRoot)));
        const { milliseconds, count } = await timeFind(association, keys);
        const expected = matches.get(index) ?? Math.max(1, count);
        if (count !== expected) {
          throw new Error(`${kind.name}, study ${index}: ${name} finds ${count}, not ${expected}`);
        }
        matches.set(index, count);
        // Round 0 is there to warm up.
        if (round > 0) times.set(name, [...(times.get(name) ?? []), milliseconds]);
      }
    }
  }
  for (const association of associations) await association.release();
  const counts = [...matches.values()];
  context.log(
    `${part} ${kind.name}: ${percentile(counts, 50)} matches (median), ${Math.max(...counts)} at most`,
  );
  const at = (rank: number) =>
    Object.fromEntries([...times].map(([name, all]) => [name, percentile(all, rank)]));
  const name = `query, ${kind.name}, about ${percentile(counts, 50)} of ${STUDIES} studies`;
  return [
    {
      part,
      name: `${name}: p50`,
      unit: 'ms',
      better: 'lower',
      values: at(50),
      required: { orthanc: kind.required },
    },
    { part, name: `${name}: p99`, unit: 'ms', better: 'lower', values: at(99) },
  ];
}

function associate(contestant: Contestant): Promise<ByteAssociation> {
  return ByteAssociation.request({
    port: contestant.port,
    callingAeTitle: REQUESTOR_AE_TITLE,
    calledAeTitle: contestant.aeTitle,
    contexts: queryContexts('find', ['study'], [EXPLICIT_LE]),
  });
}

function elementsOf(keys: Keys): ElementSpec[] {
  return RETURN_KEYS.map(([tag, vr]) => ({ tag, vr, value: keys.get(tag) ?? '' }));
}

async function timeFind(
  association: ByteAssociation,
  keys: readonly ElementSpec[],
): Promise<{ milliseconds: number; count: number }> {
  const { id } = association.contextFor(MODELS.study.find);
  const command = requestOf(association, MODELS.study.find, 0x0020);
  const dataSet = encodeElements(keys, true);
  const start = performance.now();
  await association.send(id, command, dataSet);
  for (let count = 0; ; count++) {
    const { command: response } = await association.receive();
    if (PENDING.has(Number(response.Status))) continue;
    if (response.Status !== 0) throw new Error(`C-FIND-RSP ${JSON.stringify(response)}`);
    return { milliseconds: performance.now() - start, count };
  }
}

function daysAfter(date: string, days: number): string {
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6)].map(Number);
  return new Date(Date.UTC(year!, month! - 1, day! + days)).toISOString().slice(0, 10).replaceAll('-', '');
}
