// Memory and responsiveness of our daemon under large objects: one of 1 GB, then eight of 250 MB at once.
import { newUidRoot, type ShapeName } from '../support/synthetic-instances.ts';
import { type BenchContext, type Contestant, startContestants } from './contestants.ts';
import type { Measure } from './measures.ts';
import { send } from './store-sender.ts';

const EVENT_LOOP_GAUGE = 'nodejs_eventloop_lag_max_seconds';
const PAUSE_LIMIT_MS = 100;

const LOADS: readonly { name: string; shape: ShapeName; associations: number; limitMb: number }[] = [
  { name: 'one 1 GB multi-frame instance', shape: '1 GB XA', associations: 1, limitMb: 200 },
  { name: 'eight 250 MB instances at once', shape: '250 MB XA', associations: 8, limitMb: 300 },
];

export async function measureMemory(part: string, context: BenchContext): Promise<Measure[]> {
  const [daemon] = await startContestants(context, ['ours']);
  if (daemon === undefined) return [];
  try {
    const measures: Measure[] = [];
    for (const load of LOADS) {
      // Reading the gauge begins its next interval.
      await daemon.metric(EVENT_LOOP_GAUGE);
      daemon.process.resetPeakMemory();
      const seconds = await sendTo(daemon, load.shape, load.associations);
      const pauseSeconds = await daemon.metric(EVENT_LOOP_GAUGE);
      const peakMb = daemon.process.memory().peakBytes / 1e6;
      context.log(`${part} ${load.name}: ${seconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`);
      measures.push({
        part,
        name: `peak resident memory, ${load.name}`,
        unit: 'MB',
        better: 'lower',
        values: { ours: peakMb },
        limit: load.limitMb,
      });
      if (pauseSeconds === undefined) throw new Error(`/metrics has no ${EVENT_LOOP_GAUGE}`);
      measures.push({
        part,
        name: `longest event loop pause, ${load.name}`,
        unit: 'ms',
        better: 'lower',
        values: { ours: 1000 * pauseSeconds },
        limit: PAUSE_LIMIT_MS,
      });
    }
    return measures;
  } finally {
    await daemon.stop();
  }
}

async function sendTo(
  { aeTitle, host, port }: Contestant,
  shape: ShapeName,
  associations: number,
): Promise<number> {
  const { seconds } = await send({
    peer: { aeTitle, host, port },
    shape,
    associations,
    instancesPerAssociation: 1,
    instancesPerStudy: 1,
    firstStudy: 0,
    uidRoot: newUidRoot(),
  });
  return seconds;
}
