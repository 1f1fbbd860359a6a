// Memory that a socket brought goes with its last user, and never before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import { ByteQueue } from '../../../src/util/byte-source.ts';
import { hold, lend, release } from '../../../src/util/received-memory.ts';

/** As a socket makes them: memory of its own. */
function chunkOf(text: string): Buffer {
  const chunk = Buffer.from(new ArrayBuffer(text.length));
  chunk.write(text, 'latin1');
  lend(chunk);
  return chunk;
}

/** P-DATA-TF with one PDV of a data set (PS3.8 §9.3.5), as text. */
function pData(value: string): string {
  const header = Buffer.alloc(12);
  header[0] = 4; // PDU type
  header.writeUInt32BE(value.length + 6, 2); // PDU length
  header.writeUInt32BE(value.length + 2, 6); // PDV length
  header[10] = 1; // presentation context
  header[11] = 2; // last fragment of a data set
  return header.toString('latin1') + value;
}

describe('received memory', () => {
  test('goes with its last user', () => {
    const chunk = chunkOf('abcdef');
    const [front, back] = [chunk.subarray(0, 3), chunk.subarray(3)];
    hold(front);
    hold(back);
    release(chunk);
    release(front);
    assert.equal(back.toString(), 'def');
    release(back);
    assert.deepEqual([chunk.length, front.length, back.length], [0, 0, 0]);
  });

  test('that was not lent is never touched', () => {
    const own = Buffer.from('mine');
    hold(own);
    release(own);
    release(own);
    assert.equal(own.toString(), 'mine');
  });

  test('that is a part of a larger piece is not lent: its neighbours stay', () => {
    const both = Buffer.from(new ArrayBuffer(4));
    both.write('abcd');
    const part = both.subarray(0, 2);
    lend(part);
    release(part);
    assert.equal(both.toString(), 'abcd');
  });
});

describe('a chunk that the decoder got', () => {
  test('goes when it has been decoded and nobody holds a slice of it', () => {
    const decoder = new PduDecoder();
    const chunk = chunkOf(pData('dropped'));
    decoder.push(chunk);
    assert.equal(decoder.next()?.type, 'P-DATA-TF');
    assert.ok(chunk.length > 0, 'the slice is being looked at');
    assert.equal(decoder.next(), undefined);
    assert.equal(chunk.length, 0);
  });

  test('stays for the data set that has not been read, although another one in it has', async () => {
    const decoder = new PduDecoder();
    const chunk = chunkOf(pData('first') + pData('second'));
    decoder.push(chunk);
    const queues = [new ByteQueue(), new ByteQueue()] as const;
    for (const queue of queues) {
      const pdv = decoder.next();
      assert.ok(pdv?.type === 'P-DATA-TF');
      void queue.push(pdv.data);
    }
    assert.equal(decoder.next(), undefined);
    const [second] = (await queues[1].read()) ?? [];
    assert.equal(second?.toString(), 'second');
    queues[1].release(second);
    const [first] = (await queues[0].read()) ?? [];
    assert.equal(first?.toString(), 'first');
    queues[0].release(first);
    assert.equal(chunk.length, 0);
  });

  test('stays when it was read by somebody who does not say that he has done with it', async () => {
    const decoder = new PduDecoder();
    decoder.push(chunkOf(pData('kept')));
    const queue = new ByteQueue();
    const pdv = decoder.next();
    assert.ok(pdv?.type === 'P-DATA-TF');
    void queue.push(pdv.data);
    decoder.next();
    const [slice] = (await queue.read()) ?? [];
    assert.equal(slice?.toString(), 'kept');
  });

  test('goes with a data set that nobody wants any more', () => {
    const decoder = new PduDecoder();
    const chunk = chunkOf(pData('unwanted'));
    decoder.push(chunk);
    const queue = new ByteQueue();
    const pdv = decoder.next();
    assert.ok(pdv?.type === 'P-DATA-TF');
    void queue.push(pdv.data);
    decoder.next();
    queue.drain();
    assert.equal(chunk.length, 0);
  });

  test('is copied when another one comes before its end', () => {
    const decoder = new PduDecoder();
    const bytes = pData('in two halves');
    const halves = [chunkOf(bytes.slice(0, 4)), chunkOf(bytes.slice(4))];
    for (const half of halves) decoder.push(half);
    const pdv = decoder.next();
    assert.ok(pdv?.type === 'P-DATA-TF');
    assert.equal(pdv.data.toString(), 'in two halves');
    assert.deepEqual(
      halves.map(({ length }) => length),
      [0, 0],
    );
  });
});

test('bytes that were released behind a reader’s back are a failure, not a shorter data set', async () => {
  const chunk = chunkOf('lost');
  const queue = new ByteQueue();
  void queue.push(chunk);
  release(chunk);
  release(chunk);
  await assert.rejects(async () => queue.read(), /released before they were read/);
});
