// The queue between socket and disk: order, back-pressure, and every way it can end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteQueue, byteSourceOf, collect } from '../../../src/util/byte-source.ts';

describe('byte queue', () => {
  test('slices come out in order, uncopied, all that is there at once', async () => {
    const queue = new ByteQueue();
    const slices = [Buffer.from('a'), Buffer.from('b')];
    for (const slice of slices) void queue.push(slice);
    const read = await queue.read();
    assert.equal(read?.[0], slices[0]);
    assert.equal(read?.[1], slices[1]);
  });

  test('a reader that came first is woken by the first slice', async () => {
    const queue = new ByteQueue();
    const read = queue.read();
    void queue.push(Buffer.from('late'));
    assert.equal(String((await read)?.[0]), 'late');
  });

  test('a writer waits above the mark until the reader has taken everything', async () => {
    const queue = new ByteQueue(10);
    assert.equal(queue.push(Buffer.alloc(9)), undefined);
    const room = queue.push(Buffer.alloc(1));
    assert.ok(room instanceof Promise);
    await queue.read();
    await room;
  });

  test('the end is undefined, after what was pushed', async () => {
    const queue = new ByteQueue();
    void queue.push(Buffer.from('x'));
    queue.end();
    assert.equal((await queue.read())?.length, 1);
    assert.equal(await queue.read(), undefined);
  });

  test('a failure rejects the reader and lets the writer go', async () => {
    const queue = new ByteQueue(1);
    const room = queue.push(Buffer.alloc(5));
    queue.fail(new Error('gone'));
    await room;
    await assert.rejects(async () => queue.read(), /gone/);
    assert.equal(queue.push(Buffer.alloc(5)), undefined);
  });

  test('a drained queue never makes the writer wait and holds nothing', async () => {
    const queue = new ByteQueue(1);
    const room = queue.push(Buffer.alloc(5));
    queue.drain();
    await room;
    assert.equal(queue.push(Buffer.alloc(1 << 20)), undefined);
    assert.equal(await queue.read(), undefined);
  });

  test('collect refuses more than its bound', async () => {
    assert.equal(String(await collect(byteSourceOf(Buffer.from('ab'), Buffer.from('c')), 3)), 'abc');
    await assert.rejects(collect(byteSourceOf(Buffer.alloc(3), Buffer.alloc(1)), 3), { code: 'too-long' });
  });
});
