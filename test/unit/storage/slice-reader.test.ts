// Slices of any size become chunks, byte for byte.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SliceReader } from '../../../src/storage/slice-reader.ts';
import type { ByteSource } from '../../../src/util/byte-source.ts';

/** One read per inner array. */
function sourceOf(reads: readonly (readonly Buffer[])[]): ByteSource {
  let index = 0;
  return { read: async () => reads[index++] };
}

async function readAll(reader: SliceReader, chunkBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  while (!reader.ended) {
    const chunk = Buffer.alloc(chunkBytes);
    parts.push(chunk.subarray(0, await reader.fill(chunk, 0)));
  }
  return Buffer.concat(parts);
}

describe('a slice reader', () => {
  test('gives back what came, however it was cut', async () => {
    const slices = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(slices, fc.integer({ min: 1, max: 64 }), async (reads, chunkBytes) => {
        const buffers = reads.map((read) => read.map((bytes) => Buffer.from(bytes)));
        const got = await readAll(new SliceReader(sourceOf(buffers)), chunkBytes);
        assert.deepEqual(got, Buffer.concat(buffers.flat()));
      }),
    );
  });

  test('fills from where it is told and leaves the rest alone', async () => {
    const chunk = Buffer.alloc(8, '-');
    const reader = new SliceReader(sourceOf([[Buffer.from('ab')], [Buffer.from('c')]]));
    assert.equal(await reader.fill(chunk, 3), 6);
    assert.equal(chunk.toString(), '---abc--');
    assert.equal(reader.ended, true);
  });

  test('stops at a full chunk without asking the source for more', async () => {
    let reads = 0;
    const reader = new SliceReader({
      read: async () => {
        reads += 1;
        return [Buffer.alloc(10)];
      },
    });
    assert.equal(await reader.fill(Buffer.alloc(10), 0), 10);
    assert.equal(reads, 1);
    assert.equal(reader.ended, false);
  });

  test('passes the failure of the source on', async () => {
    const failure = new Error('association aborted');
    const reader = new SliceReader({ read: () => Promise.reject(failure) });
    await assert.rejects(reader.fill(Buffer.alloc(4), 0), failure);
  });
});
