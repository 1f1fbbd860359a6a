// Receiving an instance into incoming/ (design §3, §4): bytes exact, memory flat, nothing left on failure.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CHUNK_BYTES } from '../../../src/storage/chunk-pool.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import {
  assertWhole,
  endlessSource,
  filesIn,
  HEAD_BYTES,
  patterned,
  sha256Of,
  slicedSource,
  storageFault,
  temporaryArea,
  testHead,
} from '../../support/storage-area.ts';

const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';

describe('a spooled instance', () => {
  const sizes = {
    'of no bytes': 0,
    'of one byte': 1,
    'of 5 KB': 5000,
    'one byte short of a chunk': CHUNK_BYTES - HEAD_BYTES - 1,
    'of exactly one chunk': CHUNK_BYTES - HEAD_BYTES,
    'one byte over a chunk': CHUNK_BYTES - HEAD_BYTES + 1,
    'of exactly two chunks': 2 * CHUNK_BYTES - HEAD_BYTES,
    'of many chunks and a rest': 9 * CHUNK_BYTES + 12_345,
  };
  for (const [name, bytes] of Object.entries(sizes)) {
    test(`${name} is placed with sealed head, hash and count`, async () => {
      await using site = await temporaryArea();
      const data = patterned(bytes, 7);
      const spooled = await site.area.spool(testHead(), slicedSource(data, 65_536));
      assert.equal(spooled.sha256, sha256Of(data));
      assert.deepEqual(
        [spooled.dataSetBytes, spooled.dataSetOffset, spooled.fileBytes],
        [bytes, HEAD_BYTES, bytes + HEAD_BYTES],
      );
      await spooled.place(PATH);
      await assertWhole(join(site.root, PATH), data);
    });
  }

  test('comes out the same however the source cuts it', async () => {
    await using site = await temporaryArea();
    const data = patterned(CHUNK_BYTES + 4321, 3);
    for (const sliceBytes of [977, 16_372, CHUNK_BYTES, data.length]) {
      const spooled = await site.area.spool(testHead(), slicedSource(data, sliceBytes));
      const path = `studies/a/${sliceBytes}`;
      await spooled.place(path);
      await assertWhole(join(site.root, path), data);
    }
  });

  test('of one-byte slices does not hold them', async () => {
    await using site = await temporaryArea();
    const data = patterned(100_000, 5);
    const slices = Array.from(data, (_, index) => data.subarray(index, index + 1));
    const spooled = await site.area.spool(testHead(), byteSourceOf(...slices));
    assert.equal(spooled.sha256, sha256Of(data));
    await spooled.discard();
  });

  test('does not touch what the source gave', async () => {
    await using site = await temporaryArea();
    const data = patterned(3 * CHUNK_BYTES, 5);
    const before = sha256Of(data);
    const spooled = await site.area.spool(testHead(), byteSourceOf(data));
    await spooled.place(PATH);
    assert.equal(sha256Of(data), before);
  });

  test('is readable for its group only', async () => {
    await using site = await temporaryArea();
    await (await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)))).place(PATH);
    assert.equal((await stat(join(site.root, PATH))).mode & 0o007, 0);
  });
});

describe('the head of the data set', () => {
  for (const [name, bytes] of [
    ['small', 5000],
    ['large', 2 * CHUNK_BYTES],
  ] as const) {
    test(`of a ${name} instance is had before and after the flush`, async () => {
      await using site = await temporaryArea();
      const data = patterned(bytes, 9);
      const spooled = await site.area.spool(testHead(), slicedSource(data, 65_536));
      assert.deepEqual(await spooled.head(132), data.subarray(0, 132));
      await spooled.flush();
      assert.deepEqual(await spooled.head(bytes + 1), data);
      await spooled.discard();
    });
  }
});

test('the memory of a held instance serves no other before it is let go', async () => {
  await using site = await temporaryArea();
  const data = patterned(5000, 1);
  const spooled = await site.area.spool(testHead(), byteSourceOf(data));
  const head = await spooled.head(5000);
  await spooled.hold(PATH);
  const next = await site.area.spool(testHead(), byteSourceOf(patterned(5000, 2)));
  assert.deepEqual(head, data);
  assert.equal(spooled.sha256, sha256Of(data));
  await spooled.discard();
  await next.discard();
});

describe('nothing is written', () => {
  test('for a small instance that is discarded before its flush', async () => {
    await using site = await temporaryArea();
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(5000, 1)));
    for (const name of await filesIn(join(site.root, 'incoming'))) {
      assert.equal((await stat(join(site.root, 'incoming', name))).size, 0);
    }
    await spooled.discard();
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });
});

describe('nothing is left in incoming/', () => {
  const failure = new Error('the association was aborted');
  for (const [name, bytes] of Object.entries({
    'at once': 0,
    'within the first chunk': 1000,
    'after several chunks': 5 * CHUNK_BYTES + 99,
  })) {
    test(`when the source fails ${name}, and its own error comes through`, async () => {
      await using site = await temporaryArea();
      await assert.rejects(site.area.spool(testHead(), endlessSource(bytes, failure)), failure);
      assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
    });
  }

  test('after place, replace and discard, large or small', async () => {
    await using site = await temporaryArea();
    for (const bytes of [500, CHUNK_BYTES * 2]) {
      const data = patterned(bytes, 1);
      const spool = () => site.area.spool(testHead(), byteSourceOf(data));
      await (await spool()).place(`studies/a/${bytes}`);
      await (await spool()).replace(`studies/a/${bytes}`, `superseded/a/${bytes}`);
      const unwanted = await spool();
      await unwanted.flush();
      await unwanted.discard();
      await unwanted.discard();
    }
    assert.deepEqual(await filesIn(join(site.root, 'incoming')), []);
  });
});

describe('spooling', () => {
  test('of eight large instances at once keeps memory flat', async () => {
    await using site = await temporaryArea();
    const bytes = 48 << 20;
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 5);
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const spooled = await site.area.spool(testHead(), endlessSource(bytes));
        await spooled.place(`studies/a/${index}`);
      }),
    );
    clearInterval(watch);
    assert.ok(most - before < 80 << 20, `${(most - before) >> 20} MiB more`);
  });

  test('of a file head that does not fit is refused by name', async () => {
    await using site = await temporaryArea();
    await assert.rejects(
      site.area.spool(testHead(CHUNK_BYTES), byteSourceOf(Buffer.alloc(1))),
      storageFault('too-large'),
    );
  });

  test('of many instances at once mixes nothing', async () => {
    await using site = await temporaryArea();
    const sizes = Array.from({ length: 24 }, (_, index) =>
      index % 2 === 0 ? 3000 + index : CHUNK_BYTES + index,
    );
    await Promise.all(
      sizes.map(async (bytes, index) => {
        const spooled = await site.area.spool(testHead(), slicedSource(patterned(bytes, index), 20_000));
        await spooled.place(`studies/a/${index}`);
      }),
    );
    for (const [index, bytes] of sizes.entries()) {
      await assertWhole(join(site.root, `studies/a/${index}`), patterned(bytes, index));
    }
  });
});

test('a file placed through the area is what any reader finds', async () => {
  await using site = await temporaryArea();
  const data = patterned(777, 4);
  const spooled = await site.area.spool(testHead(), byteSourceOf(data));
  await spooled.place(PATH);
  const content = await readFile(join(site.root, PATH));
  assert.equal(content.subarray(0, 7).toString(), 'sha256=');
  assert.deepEqual(content.subarray(HEAD_BYTES), data);
});
