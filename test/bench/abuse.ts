// What a flood of HTTP requests costs the machines that send images: the same ingest while it comes to the daemon and
// while it comes to a port that nobody has, by turns. The attacker would be another machine, here it takes its share of
// this one: that share is in both.
import { mkdir } from 'node:fs/promises';
import { Account } from '../../src/http/account.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/running-process.ts';
import { newUidRoot } from '../support/synthetic-instances.ts';
import { type BenchContext, settleDisk } from './contestants.ts';
import { type FloodResult, startFlood, stopFlood } from './http-flood.ts';
import { type Measure, median } from './measures.ts';
import { send } from './store-sender.ts';

const ROUNDS = 3;
const INSTANCES = 150;
const FLOOD_MS = 30_000;

export async function measureAbuse(part: string, context: BenchContext): Promise<Measure[]> {
  await mkdir(context.folder, { recursive: true });
  // Without an account whoever sits at the machine is no stranger.
  await (await Account.open(context.folder)).set('admin', 'a long enough password');
  const daemon = await startDaemon({ dataDir: context.folder });
  const elsewhere: Spent[] = [];
  const flooded: Spent[] = [];
  try {
    await ingest(daemon);
    for (let round = 1; round <= ROUNDS; round++) {
      elsewhere.push((await duringFlood(daemon, await freePort())).spent);
      const { spent, answered, dropped } = await duringFlood(daemon, daemon.httpPort);
      flooded.push(spent);
      const words = [elsewhere, flooded].map((all) => all.at(-1)).map(wordsOf);
      context.log(
        `${part} round ${round}: ${words.join('; flooded ')}; ${answered} answered, ${dropped} not`,
      );
    }
  } finally {
    await daemon.stop();
  }
  const ratioOf = (key: keyof Spent) =>
    median(flooded.map((spent) => spent[key])) / median(elsewhere.map((spent) => spent[key]));
  const about = 'ingest, 0.5 MB CT, while 10,000 HTTP connections flood it, against a port beside it';
  return [
    {
      part,
      name: `${about}: time`,
      unit: '×',
      better: 'lower',
      values: { ours: ratioOf('seconds') },
      limit: 1 / 0.9,
    },
    {
      part,
      name: `${about}: processor time`,
      unit: '×',
      better: 'lower',
      values: { ours: ratioOf('cpuMs') },
    },
  ];
}

async function duringFlood(daemon: Daemon, port: number): Promise<FloodResult & { spent: Spent }> {
  const flood = startFlood(port);
  await flood.waitForOutput(/flooding/, FLOOD_MS);
  const spent = await ingest(daemon);
  return { spent, ...(await stopFlood(flood)) };
}

interface Spent {
  readonly seconds: number;
  /** Of the daemon. */
  readonly cpuMs: number;
}

const wordsOf = (spent: Spent | undefined) =>
  spent === undefined ? '' : `${spent.seconds.toFixed(2)} s, ${spent.cpuMs.toFixed(0)} ms of processor`;

async function ingest({ aeTitle, host, port, process }: Daemon): Promise<Spent> {
  await settleDisk();
  const before = process.cpuMs();
  const sent = await send({
    ...{ peer: { aeTitle, host, port }, shape: '0.5 MB CT', associations: 1 },
    ...{ instancesPerAssociation: INSTANCES, instancesPerStudy: 50, firstStudy: 0, uidRoot: newUidRoot() },
  });
  return { seconds: sent.seconds, cpuMs: process.cpuMs() - before };
}
