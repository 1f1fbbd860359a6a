// A daemon's queue alone, as a process of its own: its jobs add a line to a file, once at the start and once at the end,
// with a checkpoint in between. Killed by the test.

import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openCatalog } from '../../src/catalog/open.ts';
import { JobQueue } from '../../src/jobs/job-queue.ts';
import { kindOf } from './job-queue.ts';

const [url = '', file = ''] = process.argv.slice(2);
const catalog = await openCatalog(url);
const work = kindOf(
  'work',
  async ({ key, attempts, checkpoint }, context) => {
    if (checkpoint === null) {
      appendFileSync(file, `begun ${key} ${attempts}\n`);
      await pause(20 + Math.random() * 60);
      await context.checkpoint('half');
    }
    await pause(20 + Math.random() * 60);
    // The effect: what counts is which keys are there.
    appendFileSync(file, `done ${key} ${attempts}\n`);
    return undefined;
  },
  { atOnce: 3 },
);
const queue = new JobQueue({
  ...{ store: catalog.jobs, kinds: [work], now: () => new Date(), isBusy: () => false },
  ...{ leaseMs: 1500, pollMs: 100 },
});
await queue.start();
process.stdout.write('ready\n');
