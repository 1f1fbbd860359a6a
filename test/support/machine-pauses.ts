// How long this machine keeps a thread waiting that has nothing to do: what a measurement of event-loop pauses has
// to be read against while other tests use the processors.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const IDLE_THREAD = `
  const { parentPort } = require('node:worker_threads');
  const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  parentPort.once('message', () => parentPort.postMessage(delay.max / 1e6));
`;

/** Watches an idle thread; `stop` resolves to its longest pause in milliseconds. */
export async function machinePauses(): Promise<{ stop(): Promise<number> }> {
  const worker = new Worker(IDLE_THREAD, { eval: true });
  await once(worker, 'online');
  return {
    stop: async () => {
      worker.postMessage('stop');
      const [longestMs] = await once(worker, 'message');
      await worker.terminate();
      return Number(longestMs);
    },
  };
}
