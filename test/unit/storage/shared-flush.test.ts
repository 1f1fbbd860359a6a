// One flush for all who wait, but never one that began too early.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedFlush } from '../../../src/storage/shared-flush.ts';

/** A flush whose runs end one by one, on demand. */
function controlled() {
  const runs: { end: () => void; fail: (error: Error) => void }[] = [];
  const flushes = new SharedFlush(
    () => new Promise<void>((resolve, reject) => runs.push({ end: resolve, fail: reject })),
  );
  return { runs, flushes };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a shared flush', () => {
  test('begins at once when none is under way', () => {
    const { runs, flushes } = controlled();
    void flushes.request();
    assert.equal(runs.length, 1);
  });

  test('that began before a request does not count for it', async () => {
    const { runs, flushes } = controlled();
    const first = flushes.request();
    let isSecondDone = false;
    const second = flushes.request().then(() => {
      isSecondDone = true;
    });
    runs[0]!.end();
    await first;
    await turn();
    assert.equal(isSecondDone, false);
    assert.equal(runs.length, 2);
    runs[1]!.end();
    await second;
  });

  test('serves everybody who came while the one before was under way', async () => {
    const { runs, flushes } = controlled();
    const all = [flushes.request(), flushes.request(), flushes.request(), flushes.request()];
    runs[0]!.end();
    await turn();
    assert.equal(runs.length, 2);
    runs[1]!.end();
    await Promise.all(all);
    assert.equal(runs.length, 2);
  });

  test('never runs twice at once', async () => {
    let running = 0;
    let most = 0;
    const flushes = new SharedFlush(async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    });
    const requests: Promise<void>[] = [];
    for (let round = 0; round < 50; round += 1) {
      requests.push(flushes.request());
      if (round % 3 === 0) await turn();
      requests.push(flushes.request());
    }
    await Promise.all(requests);
    assert.equal(most, 1);
  });

  test('fails for those who asked for it, and is not repeated in silence', async () => {
    const { runs, flushes } = controlled();
    const first = flushes.request();
    const waiting = [flushes.request(), flushes.request()];
    runs[0]!.fail(new Error('disk'));
    await assert.rejects(first, /disk/);
    await turn();
    assert.equal(runs.length, 2);
    runs[1]!.fail(new Error('disk again'));
    for (const request of waiting) await assert.rejects(request, /disk again/);
    await turn();
    assert.equal(runs.length, 2);
  });
});
