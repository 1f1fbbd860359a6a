// What reading everything again costs those who send: the same ingest to one daemon by turns, without a check and while
// one is under way, with the rules that a daemon has when nobody has changed anything.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startDaemon } from '../support/daemon.ts';
import { httpAsk } from '../support/http-site.ts';
import { newUidRoot } from '../support/synthetic-instances.ts';
import { type BenchContext, settleDisk } from './contestants.ts';
import { type Measure, median } from './measures.ts';
import { send } from './store-sender.ts';

const TURNS = 4;
const INSTANCES = 300;
/** A check that reads so many goes on for longer than the ingest takes. */
const STORED_BEFORE = 400;
const PATIENCE_MS = 120_000;

interface Integrity {
  readonly running?: { readonly bytes: number };
  readonly runs: readonly { readonly outcome: string }[];
}

export async function measureScrub(part: string, context: BenchContext): Promise<Measure[]> {
  await mkdir(context.folder, { recursive: true });
  const daemon = await startDaemon({ dataDir: join(context.folder, 'ours') });
  const { aeTitle, host, port, httpPort } = daemon;
  const ask = async () => (await httpAsk(httpPort, '/api/integrity')).json as unknown as Integrity;
  const ingest = async (instancesPerAssociation: number, firstStudy: number) => {
    const work = {
      shape: '0.5 MB CT',
      associations: 1,
      instancesPerAssociation,
      instancesPerStudy: 200,
    } as const;
    const result = await send({ peer: { aeTitle, host, port }, ...work, firstStudy, uidRoot: newUidRoot() });
    return result.bytes / 1e6 / result.seconds;
  };
  const until = async (isSo: (integrity: Integrity) => boolean) => {
    for (const deadline = Date.now() + PATIENCE_MS; !isSo(await ask()); ) {
      if (Date.now() > deadline) throw new Error('the check does not go on');
      await pause(50);
    }
  };
  const ratios: number[] = [];
  try {
    await ingest(STORED_BEFORE, 0);
    const alone = (turn: number) => ingest(INSTANCES, turn * 1000);
    const beside = async (turn: number) => {
      await httpAsk(httpPort, '/api/integrity/runs', { method: 'POST' });
      await until(({ running }) => (running?.bytes ?? 0) > 0);
      const rate = await ingest(INSTANCES, turn * 1000 + 500);
      if ((await ask()).running === undefined) throw new Error('the check ended before the ingest');
      await until(({ running }) => running === undefined);
      return rate;
    };
    for (let turn = 1; turn <= TURNS; turn += 1) {
      const rates = new Map<typeof alone, number>();
      // Each goes first every other time.
      for (const half of turn % 2 === 0 ? [alone, beside] : [beside, alone]) {
        await settleDisk();
        rates.set(half, await half(turn));
      }
      const [without = 0, during = 0] = [rates.get(alone), rates.get(beside)];
      ratios.push(during / without);
      context.log(
        `${part} turn ${turn}: ${without.toFixed(0)} MB/s alone, ${during.toFixed(0)} beside a check`,
      );
    }
  } finally {
    await daemon.stop();
  }
  const slower = 100 * (1 - median(ratios));
  const name = 'ingest slows down while everything is read again, 0.5 MB CT';
  return [{ part, name, unit: '%', better: 'lower', values: { ours: slower }, limit: 10 }];
}
