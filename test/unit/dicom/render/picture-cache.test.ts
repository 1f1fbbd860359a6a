// Pictures made lately: made once for all who wait, kept up to so many bytes, given up when nobody waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PictureCache } from '../../../../src/dicom/render/picture-cache.ts';

const task = { path: '', dataSetOffset: 0, transferSyntaxUid: '', size: 64 };
const never = new AbortController().signal;

/** A cache whose pictures are made when the test says so. */
function cacheOf(maxBytes: number) {
  const making: { resolve(bytes: Uint8Array): void; reject(error: Error): void; signal: AbortSignal }[] = [];
  const cache = new PictureCache({
    maxBytes,
    make: (_, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      making.push({ resolve, reject, signal });
      return promise;
    },
  });
  return { cache, making };
}

test('who asks for what is being made waits for the same', async () => {
  const { cache, making } = cacheOf(100);
  const both = Promise.all([cache.get('a', task, never), cache.get('a', task, never)]);
  assert.equal(making.length, 1);
  making[0]!.resolve(new Uint8Array(10));
  const [one, other] = await both;
  assert.equal(one, other);
  assert.equal(await cache.get('a', task, never), one);
  assert.equal(making.length, 1);
});

test('the making is given up when the last one leaves, not before', async () => {
  const { cache, making } = cacheOf(100);
  const aborts = [new AbortController(), new AbortController()];
  const both = Promise.allSettled(aborts.map(({ signal }) => cache.get('a', task, signal)));
  aborts[0]!.abort();
  assert.equal(making[0]!.signal.aborted, false);
  aborts[1]!.abort();
  assert.equal(making[0]!.signal.aborted, true);
  making[0]!.reject(new Error('given up'));
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  // Whoever comes later gets a new one.
  const later = cache.get('a', task, never);
  making[1]!.resolve(new Uint8Array(1));
  assert.equal((await later).length, 1);
});

test('the one used longest ago makes room', async () => {
  const { cache, making } = cacheOf(25);
  const put = async (key: string) => {
    const picture = cache.get(key, task, never);
    making.at(-1)!.resolve(new Uint8Array(10));
    await picture;
  };
  await put('a');
  await put('b');
  await cache.get('a', task, never);
  await put('c');
  const before = making.length;
  await cache.get('a', task, never);
  await cache.get('c', task, never);
  assert.equal(making.length, before);
  await put('b');
  assert.equal(making.length, before + 1);
});
