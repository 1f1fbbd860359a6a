// The thread for pictures: what a caller sees when it is late, dies, or too many wait.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { RenderError } from '../../../../src/dicom/render/errors.ts';
import type { RenderTask } from '../../../../src/dicom/render/render-messages.ts';
import { RenderPool } from '../../../../src/dicom/render/render-pool.ts';
import { elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import { removeStored, store } from '../transcode/support.ts';

after(removeStored);

const REAL = new URL('../../../../src/dicom/render/render-worker.ts', import.meta.url);
const never = new AbortController().signal;

function poolOf(script: URL, options: { deadlineMs?: number; maxWaiting?: number } = {}): RenderPool {
  return new RenderPool({ script, idleMs: 50, deadlineMs: 60_000, maxWaiting: 8, ...options });
}

/** A thread that answers a task by its path: with a picture of so many bytes, by hanging, or by dying. */
const OBEDIENT = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    let served = 0;
    parentPort.on('message', ({ path }) => {
      served += 1;
      if (path === 'hang') for (;;);
      if (path === 'die') process.exit(1);
      if (path === 'refuse') parentPort.postMessage({ type: 'error', code: 'render-unsupported', message: 'no' });
      else if (path === 'bad') parentPort.postMessage({ type: 'error', code: 'render-malformed', message: 'bad' });
      else parentPort.postMessage({ type: 'png', bytes: new Uint8Array([served]) });
    });`)}`,
);

const task = (path: string): RenderTask => ({
  path,
  dataSetOffset: 0,
  transferSyntaxUid: '1.2.840.10008.1.2.1',
  size: 64,
});
const refusal = (code: string) => (error: RenderError) => {
  assert.equal(error.code, code);
  return true;
};

describe('the thread', () => {
  test('serves one task after the other, and again after it found nothing to show', async () => {
    const pool = poolOf(OBEDIENT);
    const all = await Promise.all([pool.render(task(''), never), pool.render(task(''), never)]);
    assert.deepEqual(
      all.map(([served]) => served),
      [1, 2],
    );
    await assert.rejects(pool.render(task('refuse'), never), refusal('render-unsupported'));
    assert.deepEqual([...(await pool.render(task(''), never))], [4]);
  });

  for (const [path, code] of [
    ['bad', 'render-malformed'],
    ['die', 'render-failed'],
  ] as const) {
    test(`is another one after '${path}'`, async () => {
      const pool = poolOf(OBEDIENT);
      await assert.rejects(pool.render(task(path), never), refusal(code));
      assert.deepEqual([...(await pool.render(task(''), never))], [1]);
    });
  }

  test('is ended when it hangs, and the next in the queue is served', async () => {
    // Long enough for the thread of the next one to begin.
    const pool = poolOf(OBEDIENT, { deadlineMs: 5000 });
    const hung = pool.render(task('hang'), never);
    const next = pool.render(task(''), never);
    await assert.rejects(hung, refusal('render-limit'));
    assert.deepEqual([...(await next)], [1]);
  });
});

describe('the queue', () => {
  test('refuses what is more than it holds', async () => {
    const pool = poolOf(OBEDIENT, { maxWaiting: 2 });
    const taken = [1, 2, 3].map(() => pool.render(task(''), never));
    await assert.rejects(pool.render(task(''), never), refusal('render-busy'));
    assert.equal((await Promise.all(taken)).length, 3);
  });

  test('drops what nobody wants any more, before its turn', async () => {
    const pool = poolOf(OBEDIENT);
    const abort = new AbortController();
    const first = pool.render(task(''), never);
    const dropped = pool.render(task('hang'), abort.signal);
    const last = pool.render(task(''), never);
    abort.abort();
    await assert.rejects(dropped, refusal('render-aborted'));
    assert.deepEqual([...(await first), ...(await last)], [1, 2]);
  });

  test('does not begin for a signal that has aborted', async () => {
    await assert.rejects(
      poolOf(OBEDIENT).render(task('hang'), AbortSignal.abort()),
      refusal('render-aborted'),
    );
  });
});

describe('the real thread', () => {
  test('gives a PNG, and a reason when there is none', async () => {
    const pool = poolOf(REAL);
    const head = encodeElements(
      [
        { tag: 0x00280002, vr: 'US', value: 1 },
        { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
        { tag: 0x00280010, vr: 'US', value: 2 },
        { tag: 0x00280011, vr: 'US', value: 2 },
        { tag: 0x00280100, vr: 'US', value: 8 },
      ],
      true,
    );
    const pixels = Buffer.concat([elementHeader(0x7fe00010, 'OW', 4, true), Buffer.of(0, 85, 170, 255)]);
    const path = await store(Buffer.concat([head, pixels]));
    const png = await pool.render(task(path), never);
    assert.equal(Buffer.from(png).toString('latin1', 1, 4), 'PNG');
    await assert.rejects(pool.render(task(await store(head)), never), refusal('render-unsupported'));
    await assert.rejects(pool.render(task(`${path}.gone`), never), refusal('render-failed'));
  });
});
