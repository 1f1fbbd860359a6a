// Retrieve speed: C-MOVE of a whole study, warm in the cache, to a destination that drops it (PS3.4 §C.4.2).
import { ByteAssociation, EXPLICIT_LE } from '../support/byte-association.ts';
import { identifier, move, queryContexts, TAG } from '../support/byte-services.ts';
import { newUidRoot, type ShapeName, syntheticStudy } from '../support/synthetic-instances.ts';
import { startBareScp } from './bare-scp.ts';
import {
  type BenchContext,
  type Contestant,
  type ContestantName,
  REQUESTOR_AE_TITLE,
  settleDisk,
  startContestants,
} from './contestants.ts';
import { type Measure, median } from './measures.ts';
import { send } from './store-sender.ts';

const ROUNDS = 5;
const PATIENCE_MS = 120_000;
const FLAT_MB = 64;

export const RETRIEVE_PLANS = {
  'retrieve-ct': { name: 'C-MOVE, 400 CT instances of 0.5 MB', shape: '0.5 MB CT', instances: 400 },
  'retrieve-xa': { name: 'C-MOVE, three 200 MB XA runs', shape: '200 MB XA', instances: 3 },
} as const satisfies Record<string, { name: string; shape: ShapeName; instances: number }>;

export async function measureRetrieve(
  part: keyof typeof RETRIEVE_PLANS,
  context: BenchContext,
): Promise<Measure[]> {
  const plan = RETRIEVE_PLANS[part];
  await using destination = await startBareScp({ maxPduBytes: 131_072 });
  const contestants = await startContestants(context, ['ours', 'orthanc'], { destination });
  const rates = new Map<ContestantName, number[]>();
  const growth = new Map<ContestantName, number>();
  try {
    const studyInstanceUid = new Map<ContestantName, string>();
    let bytes = 0;
    for (const contestant of contestants) {
      const uidRoot = newUidRoot();
      bytes = await fill(contestant, plan, uidRoot);
      studyInstanceUid.set(contestant.name, syntheticStudy(0, uidRoot).studyInstanceUid);
    }
    await settleDisk();
    for (let round = 0; round <= ROUNDS; round++) {
      for (const contestant of contestants) {
        const { nowBytes } = contestant.process.memory();
        contestant.process.resetPeakMemory();
        const seconds = await timeMove(
          contestant,
          destination.aeTitle,
          studyInstanceUid.get(contestant.name) ?? '',
          plan.instances,
        );
        const rate = bytes / 1e6 / seconds;
        context.log(`${part} round ${round} ${contestant.name}: ${rate.toFixed(0)} MB/s`);
        // Round 0 warms the cache and the code.
        if (round === 0) continue;
        rates.set(contestant.name, [...(rates.get(contestant.name) ?? []), rate]);
        const grown = (contestant.process.memory().peakBytes - nowBytes) / 1e6;
        growth.set(contestant.name, Math.max(growth.get(contestant.name) ?? 0, grown));
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const values = Object.fromEntries([...rates].map(([name, all]) => [name, median(all)]));
  return [
    { part, name: plan.name, unit: 'MB/s', better: 'higher', values, required: { orthanc: 1.2 } },
    {
      part,
      name: `${plan.name}: growth of resident memory`,
      unit: 'MB',
      better: 'lower',
      values: Object.fromEntries(growth),
      limit: FLAT_MB,
    },
  ];
}

async function fill(
  { aeTitle, host, port }: Contestant,
  plan: (typeof RETRIEVE_PLANS)[keyof typeof RETRIEVE_PLANS],
  uidRoot: string,
): Promise<number> {
  const { bytes } = await send({
    peer: { aeTitle, host, port },
    shape: plan.shape,
    associations: 1,
    instancesPerAssociation: plan.instances,
    instancesPerStudy: plan.instances,
    firstStudy: 0,
    uidRoot,
  });
  return bytes;
}

async function timeMove(
  contestant: Contestant,
  destination: string,
  studyInstanceUid: string,
  instances: number,
): Promise<number> {
  const association = await ByteAssociation.request({
    port: contestant.port,
    callingAeTitle: REQUESTOR_AE_TITLE,
    calledAeTitle: contestant.aeTitle,
    contexts: queryContexts('move', ['study'], [EXPLICIT_LE]),
  });
  const keys = identifier('STUDY', [{ tag: TAG.StudyInstanceUID, vr: 'UI', value: studyInstanceUid }]);
  const start = performance.now();
  const result = await move(association, 'study', destination, keys, PATIENCE_MS);
  const seconds = (performance.now() - start) / 1000;
  if (result.status !== 0 || result.completed !== instances) {
    throw new Error(`${contestant.name}: C-MOVE-RSP ${JSON.stringify(result.final)}`);
  }
  await association.release();
  return seconds;
}
