// The queue: what an attempt's end means, retries, cancelling, stopping, room for others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { JobFailure } from '../../../src/jobs/job-failure.ts';
import type { JobContext } from '../../../src/jobs/job-kind.ts';
import { JobQueue } from '../../../src/jobs/job-queue.ts';
import { delayMs, FOR_A_WEEK } from '../../../src/jobs/retry-policy.ts';
import { kindOf, startQueue } from '../../support/job-queue.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
let catalog: Catalog;
before(async () => {
  folder = await tempFolder('jobs');
  catalog = await openCatalog(`sqlite:${folder.path}/catalog.sqlite`);
});
after(async () => {
  await catalog.close();
  await folder[Symbol.asyncDispose]();
});

const asked = (kind: string) => ({ kind, payload: null, title: {} });
/** Work that goes on until it is interrupted. */
const untilAborted = ({ signal }: JobContext) =>
  new Promise<undefined>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('an attempt', () => {
  test('that resolves is the last; progress is seen while it runs and after', async (t) => {
    const going = Promise.withResolvers<void>();
    const kind = kindOf('resolves', async (_, { progress }) => {
      progress(2, 3);
      await going.promise;
      progress(3, 3);
      return undefined;
    });
    const { queue, settled } = await startQueue(t, { store: catalog.jobs, kinds: [kind] });
    const started = once(queue.runner, 'started');
    const { id } = await queue.enqueue(asked('resolves'));
    await started;
    assert.deepEqual((await queue.get(id))?.progress, { done: 2, total: 3 });
    const end = settled(id);
    going.resolve();
    assert.equal((await end).state, 'done');
    const view = await queue.get(id);
    assert.deepEqual(
      [view?.state, view?.progress, view?.cancellable],
      ['done', { done: 3, total: 3 }, false],
    );
  });

  test('that fails is repeated after 10, 20, 40, 60, 60 … seconds, and given up after its time', async (t) => {
    let attempts = 0;
    const kind = kindOf('fails', () => {
      attempts += 1;
      return Promise.reject(new Error(`no ${attempts}`));
    });
    const { queue, settled, later, now } = await startQueue(t, { store: catalog.jobs, kinds: [kind] });
    let end = settled();
    const { id } = await queue.enqueue(asked('fails'));
    for (const delayS of [10, 20, 40, 60, 60]) {
      const outcome = await end;
      assert.equal(outcome.state, 'waiting');
      const waitS = (Date.parse('dueAt' in outcome ? outcome.dueAt : '') - now().getTime()) / 1000;
      assert.ok(waitS > delayS - 2 && waitS <= delayS, `${waitS} for ${delayS}`);
      end = settled();
      later(delayS * 1000);
    }
    assert.equal((await queue.get(id))?.state, 'waiting');
    later(3_600_000);
    const last = await settled();
    assert.equal(last.state, 'failed');
    assert.match((await queue.get(id))?.error ?? '', /^given up after \d+ attempts: no \d+$/);
  });

  test('that meets what will not change is the last', async (t) => {
    const kind = kindOf('final', () => Promise.reject(new JobFailure('no such peer', { isFinal: true })));
    const { queue, settled } = await startQueue(t, { store: catalog.jobs, kinds: [kind] });
    const end = settled();
    const { id } = await queue.enqueue(asked('final'));
    assert.deepEqual(await end, { state: 'failed', error: 'no such peer' });
    const again = settled();
    assert.equal((await queue.restart(id))?.state, 'waiting');
    assert.equal((await again).state, 'failed');
  });

  test('finds the checkpoint of the one before', async (t) => {
    const found: unknown[] = [];
    const kind = kindOf('checkpoint', async ({ checkpoint }, context) => {
      found.push(checkpoint);
      if (checkpoint !== null) return undefined;
      await context.checkpoint({ position: 4 });
      throw new Error('cut off');
    });
    const { queue, settled, later } = await startQueue(t, { store: catalog.jobs, kinds: [kind] });
    let end = settled();
    await queue.enqueue(asked('checkpoint'));
    await end;
    end = settled();
    later(10_000);
    assert.equal((await end).state, 'done');
    assert.deepEqual(found, [null, { position: 4 }]);
  });

  test('may ask for the next one itself', async (t) => {
    let runs = 0;
    const kind = kindOf('again', async () => {
      runs += 1;
      return runs === 1 ? { againAt: new Date(now().getTime() + 60_000) } : undefined;
    });
    const { queue, settled, later, now } = await startQueue(t, { store: catalog.jobs, kinds: [kind] });
    let end = settled();
    await queue.enqueue(asked('again'));
    assert.equal((await end).state, 'waiting');
    end = settled();
    later(60_000);
    assert.equal((await end).state, 'done');
  });
});

describe('an end from outside', () => {
  test('cancelled while it runs: the work is told, and it stays cancelled', async (t) => {
    const { queue, settled } = await startQueue(t, {
      store: catalog.jobs,
      kinds: [kindOf('cancelled', (_, context) => untilAborted(context))],
    });
    const started = once(queue.runner, 'started');
    const { id } = await queue.enqueue(asked('cancelled'));
    await started;
    const end = settled();
    assert.equal((await queue.cancel(id))?.cancellable, false);
    assert.equal((await end).state, 'cancelled');
  });

  test('the program stops: the job waits and goes on at the next start', async (t) => {
    const kinds = [kindOf('stopped', (_, context) => untilAborted(context))];
    const first = new JobQueue({ store: catalog.jobs, kinds, now: () => new Date(), isBusy: () => false });
    await first.start();
    const started = once(first.runner, 'started');
    const { id } = await first.enqueue(asked('stopped'));
    await started;
    await first.stop();
    assert.deepEqual([(await first.get(id))?.state, (await first.get(id))?.error], ['waiting', '']);
    const end = kindOf('stopped', async () => undefined);
    const second = new JobQueue({
      store: catalog.jobs,
      kinds: [end],
      now: () => new Date(),
      isBusy: () => false,
    });
    t.after(() => second.stop());
    const done = once(second.runner, 'settled');
    await second.start();
    assert.equal((await done)[1].state, 'done');
  });

  test('the lease went to another: the work is told, and its end changes nothing', async (t) => {
    const { queue } = await startQueue(t, {
      store: catalog.jobs,
      kinds: [kindOf('lost', (_, context) => untilAborted(context))],
      leaseMs: 60,
    });
    const started = once(queue.runner, 'started');
    const { id } = await queue.enqueue(asked('lost'));
    await started;
    const lost = queue.runner.running(id)?.finished;
    const lease = { kinds: ['lost'], token: 'other', leaseMs: 600_000 };
    const { job } = await catalog.jobs.lease({
      ...lease,
      now: new Date(Date.now() + 3_600_000).toISOString(),
    });
    assert.equal(job?.id, id);
    assert.equal(await lost, undefined);
    assert.equal((await queue.get(id))?.state, 'running');
  });
});

describe('room', () => {
  test('three at a time, one of most kinds', async (t) => {
    const running: string[] = [];
    const gate = Promise.withResolvers<void>();
    const kinds = ['r1', 'r2', 'r3', 'r4'].map((name) =>
      kindOf(name, async () => {
        running.push(name);
        await gate.promise;
        return undefined;
      }),
    );
    const { queue } = await startQueue(t, { store: catalog.jobs, kinds });
    const done: string[] = [];
    const all = Promise.withResolvers<void>();
    queue.runner.on('settled', (job) => {
      if (done.push(job.kind) === 8) all.resolve();
    });
    for (const { kind } of [...kinds, ...kinds]) await queue.enqueue(asked(kind));
    while (running.length < 3) await once(queue.runner, 'started');
    assert.equal(queue.runner.runningJobs, 3);
    assert.equal(new Set(running).size, 3);
    gate.resolve();
    await all.promise;
    assert.equal(queue.runner.runningJobs, 0);
  });

  test('work gives way between its steps while the archive is used, and not otherwise', async (t) => {
    let isBusy = true;
    const rests: number[] = [];
    const kind = kindOf('polite', async (_, { giveWay }) => {
      for (const busy of [true, false]) {
        isBusy = busy;
        await giveWay();
        const start = performance.now();
        const cpu = process.hrtime.bigint();
        while (process.hrtime.bigint() - cpu < 20_000_000n);
        await giveWay();
        rests.push(performance.now() - start - 20);
      }
      return undefined;
    });
    const { queue, settled } = await startQueue(t, {
      store: catalog.jobs,
      kinds: [kind],
      isBusy: () => isBusy,
    });
    const end = settled();
    await queue.enqueue(asked('polite'));
    await end;
    assert.ok((rests[0] ?? 0) >= 39 && (rests[0] ?? 0) > (rests[1] ?? 0), `${rests}`);
  });
});

test('delays double up to their limit', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 40].map((attempts) => delayMs(FOR_A_WEEK, attempts) / 1000),
    [10, 20, 40, 80, 3600],
  );
});
