// The queue before the catalogue: what a query waits for, what it is told when the catalogue takes nothing, and when
// that is tried again.
import assert from 'node:assert/strict';
import { describe, mock, type TestContext, test } from 'node:test';
import { IngestQueue } from '../../../src/archive/ingest-queue.ts';
import type { LetGo } from '../../../src/archive/waiting.ts';
import type { InstanceRecord } from '../../../src/catalog/catalog.ts';
import { CatalogError } from '../../../src/catalog/errors.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';

const FULL = new CatalogError('catalog-full', 'database or disk is full');
const GONE = new CatalogError('catalog-unreachable', 'its thread ended');

interface Bench {
  readonly queue: IngestQueue;
  /** UIDs by attempt, the last one at the end. */
  readonly attempts: string[][];
  readonly faults: string[];
  /** Instances that were read again. */
  readonly readAgain: string[];
  applied(): number;
  push(instance: number): void;
}

/** A queue before a catalogue that answers as `trouble` says; time stands still unless a test lets it pass. */
async function queueBefore(
  t: TestContext,
  trouble: (attempt: number, batch: readonly string[]) => unknown,
  /** Of what is let go, this has gone from the volume. */
  lost: (uid: string) => boolean = () => false,
): Promise<Bench> {
  t.mock.method(performance, 'now', () => 0);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const attempts: string[][] = [];
  const faults: string[] = [];
  const readAgain: string[] = [];
  let applied = 0;
  let sequence = 0;
  let isQuiet = true;
  const ingest = async (batch: readonly InstanceRecord[]) => {
    if (isQuiet) return;
    const uids = batch.map(({ instance }) => instance.uid);
    attempts.push(uids);
    const error = trouble(attempts.length, uids);
    if (error !== undefined) throw error;
  };
  const queue = new IngestQueue({
    whilePlacing: (work) => work(),
    keepPlaced: async () => {},
    place: () => Promise.reject(new Error('nothing is held here')),
    readAgain: async (entries) =>
      entries.map(({ uids: { sopInstanceUid }, sequence }: LetGo) => {
        readAgain.push(sopInstanceUid);
        const record = instanceRecord(1, 1, sopInstanceUid.split('.').at(-1)!);
        return lost(sopInstanceUid) ? undefined : { outcome: 'stored', record, sequence };
      }),
    ingest,
    done: (sequences) => {
      applied = Math.max(applied, ...sequences);
    },
    onPlaced: () => undefined,
    onFault: (message) => faults.push(message),
  });
  // The first after a pause is not made to wait; what is looked at here are those that follow it.
  queue.push({ outcome: 'stored', record: instanceRecord(1, 1, 999), sequence });
  await queue.settled();
  isQuiet = false;
  return {
    queue,
    attempts,
    faults,
    readAgain,
    applied: () => applied,
    push: (instance) => {
      sequence += 1;
      queue.push({ outcome: 'stored', record: instanceRecord(1, 1, instance), sequence });
    },
  };
}

/** Lets everything happen that needs no time. */
async function calm(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await calm();
}

describe('an instance', () => {
  test('that comes after a pause is written at once, those that follow it are gathered', async (t) => {
    const { attempts, push } = await queueBefore(t, () => undefined);
    push(1);
    push(2);
    await calm();
    assert.deepEqual(attempts, []);
    for (const _ of [1, 2]) await pass(20);
    assert.deepEqual(attempts, [['1.2.826.1.1.1.1', '1.2.826.1.1.1.2']]);
    t.mock.method(performance, 'now', () => 1000);
    push(3);
    push(4);
    await calm();
    assert.deepEqual(attempts.slice(1), [['1.2.826.1.1.1.3']]);
    await pass(20);
    assert.deepEqual(attempts.slice(2), [['1.2.826.1.1.1.4']]);
  });

  test('of a stream that does not pause waits for 100 ms at most', async (t) => {
    const { attempts, push } = await queueBefore(t, () => undefined);
    for (let instance = 1; instance <= 10; instance += 1) {
      push(instance);
      await pass(10);
    }
    assert.deepEqual(attempts, [Array.from({ length: 10 }, (_, index) => `1.2.826.1.1.1.${index + 1}`)]);
  });
});

describe('a query', () => {
  test('waits until what was pushed before it is in the catalogue', async (t) => {
    const { queue, attempts, push, applied } = await queueBefore(t, () => undefined);
    push(1);
    push(2);
    await queue.settled();
    assert.deepEqual(attempts, [['1.2.826.1.1.1.1', '1.2.826.1.1.1.2']]);
    assert.equal(applied(), 2);
    assert.equal(queue.depth, 0);
  });

  test('tries again what failed before it came, without waiting for the timer', async (t) => {
    const { queue, attempts, push } = await queueBefore(t, (attempt) => (attempt <= 4 ? FULL : undefined));
    push(1);
    for (const pause of [40, 250, 1000, 5000, 100]) await pass(pause);
    assert.equal(attempts.length, 4, 'the next one by itself is 15 s away');
    await queue.settled();
    assert.equal(attempts.length, 5);
  });

  test('that comes during an attempt is not refused for the failure of that attempt', async (t) => {
    const { queue, attempts, push } = await queueBefore(t, (attempt) => (attempt === 1 ? FULL : undefined));
    push(1);
    mock.timers.tick(40);
    const settled = queue.settled();
    await calm();
    await pass(100);
    await settled;
    assert.equal(attempts.length, 2);
  });

  test('is refused when its own attempt fails, and told why', async (t) => {
    const { queue, push } = await queueBefore(t, (attempt) => (attempt === 1 ? FULL : GONE));
    push(1);
    await assert.rejects(queue.settled(), {
      code: 'catalog-unavailable',
      message: 'The catalogue has no room for what came last: free some space.',
    });
    const again = assert.rejects(queue.settled(), {
      code: 'catalog-unavailable',
      message: 'The catalogue does not answer at the moment.',
    });
    await calm();
    await pass(100);
    await again;
  });

  test('words of a refusal fit an Error Comment (PS3.7 §C, LO)', async (t) => {
    for (const error of [FULL, GONE]) {
      const { queue, push } = await queueBefore(t, () => error);
      push(1);
      await assert.rejects(queue.settled(), (refusal: Error) => refusal.message.length <= 64);
      mock.timers.reset();
    }
  });

  test('many queries together make one attempt in 100 ms', async (t) => {
    const { queue, attempts, push } = await queueBefore(t, () => FULL);
    push(1);
    await assert.rejects(queue.settled());
    assert.equal(attempts.length, 1);
    const queries = Array.from({ length: 50 }, () => assert.rejects(queue.settled()));
    await calm();
    await pass(99);
    assert.equal(attempts.length, 1);
    await pass(1);
    await Promise.all(queries);
    assert.equal(attempts.length, 2);
  });

  test('is answered without an attempt when the catalogue holds everything', async (t) => {
    const { queue, attempts, push } = await queueBefore(t, () => undefined);
    push(1);
    await queue.settled();
    await queue.settled();
    assert.equal(attempts.length, 1);
  });
});

describe('a catalogue that takes nothing', () => {
  test('is tried again by itself, less and less often, and told about once', async (t) => {
    const { attempts, faults, push, queue } = await queueBefore(t, (attempt) =>
      attempt <= 5 ? GONE : undefined,
    );
    push(1);
    await pass(40);
    for (const [failures, pause] of [250, 1000, 5000, 15_000, 15_000].entries()) {
      await pass(pause - 1);
      assert.equal(attempts.length, failures + 1);
      await pass(1);
    }
    assert.equal(attempts.length, 6);
    assert.equal(queue.depth, 0);
    assert.deepEqual(faults, [
      'The catalogue takes nothing; instances are kept in the durable record: its thread ended',
    ]);
  });

  test('is not tried for every instance that comes meanwhile', async (t) => {
    const { attempts, push, queue } = await queueBefore(t, () => GONE);
    push(0);
    await pass(40);
    for (let i = 1; i <= 600; i++) push(i);
    await calm();
    assert.equal(attempts.length, 1);
    assert.equal(queue.depth, 601);
  });

  test('gets everything in the order in which it came when it is back', async (t) => {
    const { attempts, push, queue } = await queueBefore(t, (attempt) => (attempt === 1 ? GONE : undefined));
    push(2);
    await pass(40);
    push(1);
    push(2);
    await pass(250);
    await queue.settled();
    assert.deepEqual(attempts.slice(1), [['1.2.826.1.1.1.2', '1.2.826.1.1.1.1'], ['1.2.826.1.1.1.2']]);
  });
});

describe('what comes when 4096 wait already', () => {
  const uidOf = (instance: number) => `1.2.826.1.1.1.${instance}`;
  const all = Array.from({ length: 5000 }, (_, index) => index + 1);

  async function away(t: TestContext, lost?: (uid: string) => boolean) {
    let isAway = true;
    const bench = await queueBefore(t, () => (isAway ? GONE : undefined), lost);
    bench.push(all[0]!);
    await pass(40);
    for (const instance of all.slice(1)) bench.push(instance);
    const comeBack = () => {
      isAway = false;
      bench.attempts.length = 0;
    };
    return { ...bench, comeBack };
  }

  test('is let go, read again when its turn comes, and brought in once, in order', async (t) => {
    const { queue, attempts, readAgain, applied, comeBack } = await away(t);
    assert.equal(queue.depth, all.length);
    assert.deepEqual(readAgain, []);
    comeBack();
    await pass(250);
    await queue.settled();
    assert.deepEqual(attempts.flat(), all.map(uidOf));
    assert.deepEqual(readAgain, all.slice(4096).map(uidOf));
    assert.equal(applied(), all.length);
    assert.equal(queue.depth, 0);
  });

  test('and has gone from the volume when it is read again keeps nothing else out, and is named', async (t) => {
    const { queue, attempts, faults, comeBack } = await away(t, (uid) => uid === uidOf(4500));
    comeBack();
    await pass(250);
    await queue.settled();
    assert.deepEqual(attempts.flat(), all.filter((instance) => instance !== 4500).map(uidOf));
    assert.equal(queue.depth, 0);
    assert.match(faults.join(), /1\.4500\.dcm was received while the catalogue took nothing, and is not on/);
  });

  test('does not keep the program from stopping: what there is no time for stays in the durable record', async (t) => {
    const { queue, attempts, faults, applied, comeBack } = await away(t);
    comeBack();
    let now = 0;
    t.mock.method(performance, 'now', () => (now += 1000));
    const closed = queue.close();
    await calm();
    await pass(100);
    await closed;
    await pass(60_000);
    assert.equal(applied(), attempts.flat().length);
    assert.equal(queue.depth, all.length - applied());
    assert.ok(queue.depth > 0);
    assert.match(faults.join(), /Stopping with \d+ instances kept in the durable record/);
  });
});

describe('a record that the catalogue refuses', () => {
  test('keeps no neighbour out, and is named', async (t) => {
    const refused = new CatalogError('catalog-request', 'no date');
    const { queue, push, faults, applied } = await queueBefore(t, (_, batch) =>
      batch.includes('1.2.826.1.1.1.2') ? refused : undefined,
    );
    for (const instance of [1, 2, 3]) push(instance);
    await queue.settled();
    assert.equal(queue.depth, 0);
    assert.equal(applied(), 3);
    assert.match(faults.join(), /1\.2\.826\.1\.1\.1\.2\.dcm is stored but the catalogue refuses it: no date/);
  });

  test('ends an earlier failure: the catalogue has answered', async (t) => {
    const refused = new CatalogError('catalog-request', 'no date');
    const { queue, push } = await queueBefore(t, (attempt) =>
      attempt === 1 ? GONE : attempt <= 3 ? refused : undefined,
    );
    push(1);
    await pass(40);
    await pass(250);
    push(2);
    await queue.settled();
    assert.equal(queue.depth, 0);
  });
});
