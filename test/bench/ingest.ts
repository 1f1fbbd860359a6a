// Ingest speed: the same sender to each contestant in turn, round after round.
import { MariadbServer } from '../support/mariadb-server.ts';
import { newUidRoot, type ShapeName } from '../support/synthetic-instances.ts';
import {
  type BenchContext,
  CONTESTANTS,
  type Contestant,
  type ContestantName,
  settleDisk,
  startContestants,
} from './contestants.ts';
import { type Measure, median } from './measures.ts';
import { type SendResult, send } from './store-sender.ts';

interface IngestPlan {
  readonly name: string;
  readonly shape: ShapeName;
  readonly associations: number;
  readonly instancesPerAssociation: number;
  /** Enough that what compiles as it runs has been compiled: a daemon is measured as it is after its first busy hour. */
  readonly warmUpInstances: number;
  readonly unit: 'instances/s' | 'MB/s';
  readonly required: Partial<Record<ContestantName, number>>;
  /** All of them unless it says so. */
  readonly contestants?: readonly ContestantName[];
  /** Ours and Orthanc keep their index on the same MariaDB server. */
  readonly onMariadb?: boolean;
}

const ROUNDS = 3;
const INSTANCES_PER_STUDY = 200;

/** The rows of the table that speak of ingest; the key is the part's name. */
export const INGEST_PLANS = {
  'ingest-small': {
    name: 'ingest, 5 KB instances, one association',
    shape: '5 KB',
    associations: 1,
    instancesPerAssociation: 2000,
    warmUpInstances: 3000,
    unit: 'instances/s',
    required: { orthanc: 1.5 },
  },
  'ingest-small-4': {
    name: 'ingest, 5 KB instances, four associations',
    shape: '5 KB',
    associations: 4,
    instancesPerAssociation: 1000,
    warmUpInstances: 1500,
    unit: 'instances/s',
    required: { orthanc: 3 },
  },
  'ingest-ct': {
    name: 'ingest, 0.5 MB CT, one association',
    shape: '0.5 MB CT',
    associations: 1,
    instancesPerAssociation: 300,
    warmUpInstances: 600,
    unit: 'MB/s',
    required: { orthanc: 4 },
  },
  'ingest-xa': {
    name: 'ingest, 200 MB XA runs, one association',
    shape: '200 MB XA',
    associations: 1,
    instancesPerAssociation: 3,
    warmUpInstances: 1,
    unit: 'MB/s',
    required: { orthanc: 3, storescp: 1 },
    // The floor holds a data set as a whole.
    contestants: ['ours', 'orthanc', 'storescp'],
  },
  'ingest-mysql-small': {
    name: 'ingest on MariaDB, 5 KB instances, one association',
    shape: '5 KB',
    associations: 1,
    instancesPerAssociation: 1000,
    warmUpInstances: 3000,
    unit: 'instances/s',
    required: { orthanc: 3 },
    contestants: ['ours', 'orthanc', 'floor'],
    onMariadb: true,
  },
  'ingest-mysql-ct': {
    name: 'ingest on MariaDB, 0.5 MB CT, one association',
    shape: '0.5 MB CT',
    associations: 1,
    instancesPerAssociation: 200,
    warmUpInstances: 600,
    unit: 'MB/s',
    required: { orthanc: 4 },
    contestants: ['ours', 'orthanc', 'floor'],
    onMariadb: true,
  },
} as const satisfies Record<string, IngestPlan>;

export async function measureIngest(
  part: keyof typeof INGEST_PLANS,
  context: BenchContext,
): Promise<Measure[]> {
  const plan: IngestPlan = INGEST_PLANS[part];
  await using server = plan.onMariadb === true ? await MariadbServer.start() : undefined;
  const names = plan.contestants ?? CONTESTANTS;
  const contestants = await startContestants(context, names, { parallel: plan.associations > 1, server });
  const rates = new Map<ContestantName, number[]>();
  try {
    for (const contestant of contestants) await sendTo(contestant, plan, plan.warmUpInstances, 0);
    for (let round = 1; round <= ROUNDS; round++) {
      for (const contestant of contestants) {
        await settleDisk();
        const result = await sendTo(contestant, plan, plan.instancesPerAssociation, round);
        const rate = rateOf(plan, result);
        rates.set(contestant.name, [...(rates.get(contestant.name) ?? []), rate]);
        const load = ((100 * result.senderCpuSeconds) / result.seconds).toFixed(0);
        context.log(
          `${part} round ${round} ${contestant.name}: ${rate.toFixed(0)} ${plan.unit}, sender ${load} % of a core`,
        );
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const values = Object.fromEntries([...rates].map(([name, all]) => [name, median(all)]));
  return [{ part, name: plan.name, unit: plan.unit, better: 'higher', values, required: plan.required }];
}

function sendTo(
  contestant: Contestant,
  plan: IngestPlan,
  instancesPerAssociation: number,
  round: number,
): Promise<SendResult> {
  const { aeTitle, host, port } = contestant;
  return send({
    peer: { aeTitle, host, port },
    shape: plan.shape,
    associations: plan.associations,
    instancesPerAssociation,
    instancesPerStudy: INSTANCES_PER_STUDY,
    firstStudy: round * 1000,
    uidRoot: newUidRoot(),
  });
}

function rateOf(plan: IngestPlan, result: SendResult): number {
  return plan.unit === 'MB/s' ? result.bytes / 1e6 / result.seconds : result.instances / result.seconds;
}
