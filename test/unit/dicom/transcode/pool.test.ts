// Threads, credit, abort, crash and hang: what a consumer of transcode sees, and that nothing outlives it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { transcode } from '../../../../src/dicom/transcode/transcode.ts';
import { TranscodePool } from '../../../../src/dicom/transcode/transcode-pool.ts';
import type { TranscodeTask } from '../../../../src/dicom/transcode/worker-messages.ts';
import { elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import { EXPLICIT, IMPLICIT, readAll, refusal, removeStored, store } from './support.ts';

after(removeStored);

const REAL = new URL('../../../../src/dicom/transcode/transcode-worker.ts', import.meta.url);
const never = new AbortController().signal;
const PIXELS = 40 * 1024 * 1024;

/** A pool whose threads end soon. */
function poolOf(script: URL, options: { idleMs?: number; stallMs?: number } = {}): TranscodePool {
  return new TranscodePool({ script, workers: 1, idleMs: 50, stallMs: 60_000, ...options });
}

/** A worker that does as `body` says. */
async function scriptOf(body: string): Promise<URL> {
  const path = `${await store(Buffer.alloc(0))}.mjs`;
  await writeFile(path, `import { parentPort } from 'node:worker_threads';\n${body}`);
  return new URL(`file://${path}`);
}

async function largeInstance(): Promise<{ path: string; dataSet: Buffer }> {
  const head = encodeElements([{ tag: 0x00080018, vr: 'UI', value: '1.2.3' }], true);
  const value = Buffer.alloc(PIXELS);
  for (let index = 0; index < PIXELS; index += 4096) value.writeUInt32LE(index, index);
  const dataSet = Buffer.concat([head, elementHeader(0x7fe00010, 'OW', PIXELS, true), value]);
  return { path: await store(dataSet), dataSet };
}

const large = await largeInstance();
const task: TranscodeTask = { path: large.path, dataSetOffset: 0, from: EXPLICIT, to: IMPLICIT };
const small = encodeElements([{ tag: 0x00080018, vr: 'UI', value: '1.2.3' }], true);
const smallTask: TranscodeTask = { ...task, path: await store(small) };
const smallResult = encodeElements([{ tag: 0x00080018, vr: 'UI', value: '1.2.3' }], false);

describe('transcode', () => {
  test('yields the data set, and undefined for ever after', async () => {
    const input = { path: smallTask.path, dataSetOffset: 0, transferSyntaxUid: EXPLICIT };
    const source = transcode(input, IMPLICIT, never);
    assert.deepEqual(await readAll(source), smallResult);
    assert.equal(await source.read(), undefined);
  });

  test('refuses by name what canTranscode denies', async () => {
    const input = { path: smallTask.path, dataSetOffset: 0, transferSyntaxUid: '1.2.840.10008.1.2.4.50' };
    const source = transcode(input, EXPLICIT, never);
    await assert.rejects(
      async () => source.read(),
      refusal('unsupported', /JPEG Baseline.*cannot be sent as Explicit VR/),
    );
  });

  test('does not keep the process alive when it is done', async () => {
    const program = `
      import { transcode } from ${JSON.stringify(new URL('./transcode.ts', REAL).href)};
      const input = { path: ${JSON.stringify(smallTask.path)}, dataSetOffset: 0, transferSyntaxUid: '${EXPLICIT}' };
      const source = transcode(input, '${IMPLICIT}', new AbortController().signal);
      let bytes = 0;
      for (let read; (read = await source.read()); ) for (const part of read) bytes += part.length;
      console.log(bytes);`;
    const path = `${await store(Buffer.alloc(0))}.mjs`;
    await writeFile(path, program);
    // Well below the half minute that an idle thread waits for more.
    const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 20_000 });
    assert.equal(stdout.trim(), String(smallResult.length));
  });
});

describe('flow control', () => {
  test('however large the instance, 2 MiB at most wait for the consumer', async () => {
    const source = poolOf(REAL).transcode(task, never);
    const parts: Buffer[] = [];
    for (let read = await source.read(); read !== undefined; read = await source.read()) {
      const bytes = read.reduce((sum, part) => sum + part.length, 0);
      assert.ok(bytes <= 8 * 256 * 1024, `${bytes} bytes at once`);
      parts.push(...read);
      // Lets the worker run ahead as far as it may.
      if (parts.length % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const out = Buffer.concat(parts);
    assert.equal(out.length, large.dataSet.length - 4);
    assert.ok(out.subarray(-PIXELS).equals(large.dataSet.subarray(-PIXELS)));
  });

  test('a job waits until a worker is free, and is served in turn', async () => {
    const pool = poolOf(REAL);
    const first = pool.transcode(task, never);
    await first.read();
    const order: string[] = [];
    const others = ['second', 'third'].map(async (name) => {
      assert.deepEqual(await readAll(pool.transcode(smallTask, never)), smallResult);
      order.push(name);
    });
    await readAll(first).then(() => order.push('first'));
    await Promise.all(others);
    assert.deepEqual(order, ['first', 'second', 'third']);
  });

  test('a worker serves one job after the other; one that was idle for too long is replaced', async () => {
    for (const idleMs of [60_000, 0]) {
      const pool = poolOf(REAL, { idleMs });
      for (let round = 0; round < 4; round += 1) {
        assert.deepEqual(await readAll(pool.transcode(smallTask, never)), smallResult);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });
});

describe('abort', () => {
  test('before the first read, nothing is started', async () => {
    const reason = new Error('association over');
    const source = poolOf(new URL('file:///nowhere.mjs')).transcode(task, AbortSignal.abort(reason));
    await assert.rejects(
      async () => source.read(),
      (error: Error) => error.cause === reason,
    );
  });

  test('in the middle: the read rejects, what waits is dropped, the next job gets a worker', async () => {
    const pool = poolOf(REAL);
    const abort = new AbortController();
    const source = pool.transcode(task, abort.signal);
    await source.read();
    abort.abort(new Error('association over'));
    await assert.rejects(async () => source.read(), refusal('aborted', /aborted/));
    await assert.rejects(async () => source.read(), refusal('aborted', /aborted/));
    assert.deepEqual(await readAll(pool.transcode(smallTask, never)), smallResult);
  });

  test('while a read is waiting for its turn', async () => {
    const pool = poolOf(REAL);
    const first = pool.transcode(task, never);
    await first.read();
    const abort = new AbortController();
    const waiting = Promise.resolve(pool.transcode(smallTask, abort.signal).read());
    abort.abort();
    await assert.rejects(waiting, refusal('aborted', /aborted/));
    await readAll(first);
  });
});

describe('a worker that fails', () => {
  test('an error after bytes went out rejects the read', async () => {
    const head = large.dataSet.subarray(0, large.dataSet.length - PIXELS - 12);
    const broken = Buffer.concat([
      head,
      elementHeader(0x00291010, 'UN', 4_000_000, true),
      Buffer.alloc(4_000_000),
      elementHeader(0x7fe00010, 'OW', 100, true),
    ]);
    const source = poolOf(REAL).transcode({ ...task, path: await store(broken) }, never);
    assert.ok((await source.read())!.length > 0);
    await assert.rejects(readAll(source), refusal('malformed', /PixelData of 100 bytes/));
  });

  test('a file that is not there', async () => {
    const source = poolOf(REAL).transcode({ ...task, path: `${task.path}.gone` }, never);
    await assert.rejects(async () => source.read(), refusal('failed', /ENOENT/));
  });

  test('ends, throws, or runs out of memory: the job fails, the next one gets another worker', async () => {
    const bodies = [
      'parentPort.on("message", () => process.exit(3));',
      'parentPort.on("message", () => { throw new Error("trap"); });',
      'parentPort.on("message", () => { const all = []; for (;;) all.push(new Array(1e6).fill({})); });',
    ];
    for (const body of bodies) {
      const pool = poolOf(await scriptOf(body));
      for (let round = 0; round < 2; round += 1) {
        await assert.rejects(
          async () => pool.transcode(task, never).read(),
          refusal('failed', /ended unexpectedly/),
        );
      }
    }
  });

  test('hangs: it is taken for dead after a while', async () => {
    const hung = await scriptOf('parentPort.on("message", () => { for (;;); });');
    const source = poolOf(hung, { stallMs: 100 }).transcode(task, never);
    await assert.rejects(async () => source.read(), refusal('failed', /hung for 100 ms/));
  });

  test('has sent all that it may: it is not taken for dead, the consumer takes its time', async () => {
    const eightChunks = `
      let sent = 0;
      parentPort.on('message', ({ credit }) => {
        for (; credit > 0; credit -= 1, sent += 1) parentPort.postMessage({ type: 'chunk', bytes: new Uint8Array(1) });
        if (sent > 16) parentPort.postMessage({ type: 'end' });
      });`;
    const source = poolOf(await scriptOf(eightChunks), { stallMs: 1_000 }).transcode(task, never);
    await source.read();
    // That nothing happens can only be waited for.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.ok((await readAll(source)).length > 8);
  });
});
