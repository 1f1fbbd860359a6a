// Contract of every engine: jobs are kept, leased by one, and never lost.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import type { Job, JobStore, NewJob } from '../../../src/catalog/job-store.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import type { EngineUnderTest } from './harness.ts';

const START = Date.parse('2026-01-01T08:00:00.000Z');
const LEASE_MS = 30_000;
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

/** Each test has a kind of its own, so that one catalogue serves them all. */
let kind = '';
const keyOf = (name: string) => `${kind} ${name}`;
const nameOf = ({ key }: Pick<Job, 'key'>) => key.slice(kind.length + 1);

function newJob(name: string, changes: Partial<NewJob> = {}): NewJob {
  const made = { kind, key: keyOf(name), priority: 5, title: { peer: 'WS' }, payload: { n: 1 } };
  return { ...made, dueAt: at(0), now: at(0), ...changes };
}

const lease = async (jobs: JobStore, token: string, seconds: number, kinds = [kind]) =>
  jobs.lease({ kinds, token: keyOf(token), leaseMs: LEASE_MS, now: at(seconds) });

async function leased(jobs: JobStore, token: string, seconds: number): Promise<Job> {
  const { job } = await lease(jobs, token, seconds);
  assert.ok(job !== undefined, `nothing to lease at ${seconds} s`);
  return job;
}

/** The server's clock has the last word on leases: tests of times allow for its distance. */
const TOLERANCE_S = 2;

export function jobsSuite(engine: EngineUnderTest): void {
  describe(`jobs (${engine.name})`, () => {
    let catalog: Catalog;
    let jobs: JobStore;
    const cleanUps: (() => void)[] = [];
    before(async () => {
      catalog = await openCatalog(await engine.fresh({ after: (cleanUp) => cleanUps.push(cleanUp) }));
      jobs = catalog.jobs;
    });
    after(async () => {
      await catalog.close();
      for (const cleanUp of cleanUps) cleanUp();
    });
    beforeEach((t) => {
      kind = t.name.slice(0, 40);
    });

    test('a key names one job, however often it is asked for', async () => {
      const first = await jobs.enqueue(newJob('a'));
      const again = await jobs.enqueue(newJob('a', { payload: { n: 2 } }));
      assert.equal(again.id, first.id);
      assert.deepEqual(again.payload, { n: 1 });
      assert.equal((await jobs.list({ kinds: [kind], limit: 10 })).length, 1);
    });

    test('a job is leased once, with what it was given', async () => {
      await jobs.enqueue(newJob('a', { title: { peer: 'WS', study: 'Müller^李' } }));
      const job = await leased(jobs, 'one', 10);
      assert.deepEqual(
        [job.kind, job.state, job.attempts, job.payload, job.title.study],
        [kind, 'running', 1, { n: 1 }, 'Müller^李'],
      );
      assert.equal((await lease(jobs, 'two', 10)).job, undefined);
    });

    test('urgent goes before early, early before late; what is not due and other kinds wait', async () => {
      await jobs.enqueue(newJob('late', { dueAt: at(5) }));
      await jobs.enqueue(newJob('early', { dueAt: at(1) }));
      await jobs.enqueue(newJob('urgent', { dueAt: at(6), priority: 1 }));
      await jobs.enqueue(newJob('other', { kind: 'another' }));
      await jobs.enqueue(newJob('tomorrow', { dueAt: at(86_400), priority: 0 }));
      const order = [];
      for (const token of ['1', '2', '3']) order.push(nameOf(await leased(jobs, token, 20)));
      assert.deepEqual(order, ['urgent', 'early', 'late']);
      const { job, nextAt } = await lease(jobs, '4', 20);
      assert.equal(job, undefined);
      assert.ok(nextAt !== undefined && nextAt <= at(20 + LEASE_MS / 1000 + TOLERANCE_S), nextAt);
    });

    test('a lease that is not renewed is another’s after its term, and not before', async () => {
      await jobs.enqueue(newJob('a'));
      const { id } = await leased(jobs, 'dead', 10);
      assert.equal((await lease(jobs, 'next', 10 + LEASE_MS / 1000 - TOLERANCE_S)).job, undefined);
      const taken = await leased(jobs, 'next', 10 + LEASE_MS / 1000 + TOLERANCE_S);
      assert.deepEqual([taken.id, taken.attempts, taken.losses], [id, 2, 1]);
      const renewed = await jobs.renew({ id, token: keyOf('dead'), leaseMs: LEASE_MS, now: at(45) });
      assert.equal(renewed, 'lost');
      assert.equal(
        await jobs.settle({ id, token: keyOf('dead'), outcome: { state: 'done' }, now: at(45) }),
        false,
      );
      assert.equal((await jobs.get(id))?.state, 'running');
    });

    test('a renewed lease holds; progress and checkpoint are kept', async () => {
      await jobs.enqueue(newJob('a'));
      const { id } = await leased(jobs, 'one', 0 + TOLERANCE_S);
      const progress = { done: 3, total: 7 };
      const renewal = {
        id,
        token: keyOf('one'),
        leaseMs: LEASE_MS,
        now: at(25),
        progress,
        checkpoint: ['1.2', '1.3'],
      };
      assert.equal(await jobs.renew(renewal), 'held');
      assert.equal((await lease(jobs, 'two', 40)).job, undefined);
      const taken = await leased(jobs, 'two', 60);
      assert.deepEqual([taken.checkpoint, taken.done, taken.total], [['1.2', '1.3'], 3, 7]);
    });

    test('a daemon that ends again and again with the same job leaves it alone for longer and longer', async () => {
      await jobs.enqueue(newJob('a'));
      for (let n = 0; n <= 3; n += 1) await leased(jobs, `${n}`, 10 + n * 40);
      assert.equal((await lease(jobs, '4', 10 + 4 * 40)).job, undefined);
      assert.equal((await jobs.list({ kinds: [kind], limit: 1 }))[0]?.state, 'waiting');
      assert.equal((await leased(jobs, '5', 10 + 4 * 40 + 60)).losses, 4);
    });

    test('done, failed, waiting once more: as it was settled', async () => {
      for (const key of ['done', 'failed', 'again']) await jobs.enqueue(newJob(key, { kind: keyOf(key) }));
      const settle = async (of: string, outcome: Parameters<JobStore['settle']>[0]['outcome']) => {
        const { job } = await lease(jobs, of, 10, [keyOf(of)]);
        const id = job?.id ?? 0;
        assert.equal(await jobs.settle({ id, token: keyOf(of), outcome, now: at(11) }), true);
        // The answer to the first was lost: the same again is no other attempt.
        assert.equal(await jobs.settle({ id, token: keyOf(of), outcome, now: at(11) }), true);
        return jobs.get(id);
      };
      assert.equal((await settle('done', { state: 'done' }))?.state, 'done');
      const failed = await settle('failed', { state: 'failed', error: 'x'.repeat(5000) });
      assert.deepEqual([failed?.state, failed?.error.length], ['failed', 1000]);
      const waiting = await settle('again', { state: 'waiting', dueAt: at(100), error: 'away' });
      assert.deepEqual(
        [waiting?.state, waiting?.dueAt, waiting?.error, waiting?.attempts],
        ['waiting', at(100), 'away', 1],
      );
      assert.equal((await lease(jobs, 'soon', 50, [keyOf('again')])).job, undefined);
      assert.equal((await lease(jobs, 'then', 110, [keyOf('again')])).job?.attempts, 2);
    });

    test('asked for again: one that waits comes forward, one that runs runs once more, one that ended begins anew', async () => {
      const again = (seconds: number) =>
        jobs.enqueue(newJob('a', { again: true, dueAt: at(seconds), now: at(seconds) }));
      await again(500);
      assert.equal((await again(5)).dueAt, at(5));
      const { id } = await leased(jobs, 'one', 10);
      assert.equal((await again(20)).state, 'running');
      await jobs.settle({ id, token: keyOf('one'), outcome: { state: 'done' }, now: at(21) });
      await leased(jobs, 'two', 25);
      await jobs.settle({ id, token: keyOf('two'), outcome: { state: 'done' }, now: at(26) });
      assert.equal((await lease(jobs, 'three', 27)).job, undefined);
      assert.equal((await again(30)).state, 'waiting');
      const { attempts } = await leased(jobs, 'four', 35);
      assert.equal(attempts, 1);
    });

    test('asked for again, a job does not get around the pause after a failure', async () => {
      await jobs.enqueue(newJob('a'));
      const { id } = await leased(jobs, 'one', 10);
      const outcome = { state: 'waiting', dueAt: at(600), error: 'away' } as const;
      await jobs.settle({ id, token: keyOf('one'), outcome, now: at(11) });
      await jobs.enqueue(newJob('a', { again: true, dueAt: at(20), now: at(20) }));
      assert.equal((await lease(jobs, 'two', 30)).job, undefined);
      await jobs.restart({ id, now: at(40) });
      assert.equal((await leased(jobs, 'three', 50)).id, id);
    });

    test('cancel ends what waits, and is told to who runs it', async () => {
      const { id: waiting } = await jobs.enqueue(newJob('waiting', { dueAt: at(1000) }));
      const { id: running } = await jobs.enqueue(newJob('running'));
      await leased(jobs, 'one', 10);
      assert.equal((await jobs.cancel({ id: waiting, now: at(11) }))?.state, 'cancelled');
      assert.equal((await jobs.cancel({ id: running, now: at(11) }))?.isCancelling, true);
      assert.equal(
        await jobs.renew({ id: running, token: keyOf('one'), leaseMs: LEASE_MS, now: at(12) }),
        'cancelling',
      );
      await jobs.settle({ id: running, token: keyOf('one'), outcome: { state: 'cancelled' }, now: at(13) });
      assert.equal((await jobs.get(running))?.state, 'cancelled');
      assert.equal(await jobs.cancel({ id: 4711, now: at(14) }), undefined);
      assert.equal((await jobs.restart({ id: running, now: at(15) }))?.state, 'waiting');
    });

    test('the list goes back in pages, by state and kind; the tally counts', async () => {
      const other = keyOf('other');
      const kinds = [kind, other];
      for (let n = 0; n < 5; n += 1) await jobs.enqueue(newJob(`${n}`, n === 2 ? { kind: other } : {}));
      const [newest, next] = await jobs.list({ kinds, limit: 2 });
      assert.deepEqual(
        [newest, next].map((job) => job && nameOf(job)),
        ['4', '3'],
      );
      const older = await jobs.list({ kinds, limit: 5, before: next?.id ?? 0 });
      assert.deepEqual(older.map(nameOf), ['2', '1', '0']);
      assert.deepEqual((await jobs.list({ limit: 5, kinds: [other], states: ['waiting'] })).map(nameOf), [
        '2',
      ]);
      assert.deepEqual(await jobs.list({ kinds, limit: 5, states: ['done'] }), []);
      const tally = (await jobs.tally(null)).filter((row) => kinds.includes(row.kind));
      assert.deepEqual(
        new Map(tally.map((row) => [row.kind, row.jobs])),
        new Map([
          [kind, 4],
          [other, 1],
        ]),
      );
      assert.ok(tally.every(({ state }) => state === 'waiting'));
    });

    test('what ended long ago is forgotten, what is open never', async () => {
      await jobs.enqueue(newJob('open'));
      await jobs.enqueue(newJob('ended', { priority: 1 }));
      const { id } = await leased(jobs, 'one', 10);
      await jobs.settle({ id, token: keyOf('one'), outcome: { state: 'done' }, now: at(20) });
      await jobs.sweep({ before: at(19) });
      assert.equal((await jobs.list({ kinds: [kind], limit: 5 })).length, 2);
      await jobs.sweep({ before: at(21) });
      assert.deepEqual((await jobs.list({ kinds: [kind], limit: 5 })).map(nameOf), ['open']);
    });

    test('two who lease at the same time never get the same job', async () => {
      const keys = Array.from({ length: 24 }, (_, n) => `${n}`);
      await Promise.all(keys.map((key) => jobs.enqueue(newJob(key))));
      const got = await Promise.all(keys.map((key) => leased(jobs, `token ${key}`, 10)));
      assert.equal(new Set(got.map(({ id }) => id)).size, keys.length);
    });

    test('jobs outlast the catalogue’s end', async (t) => {
      const url = await engine.fresh(t);
      const first = await openCatalog(url);
      const { id } = await first.jobs.enqueue(newJob('a', { payload: { list: ['x', null, 2.5] } }));
      await first.close();
      const second = await openCatalog(url);
      t.after(() => second.close());
      assert.deepEqual((await second.jobs.get(id))?.payload, { list: ['x', null, 2.5] });
    });
  });
}
