// Large instances go to the disk directly where the volume takes that, and the ordinary way where it does not.
import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHUNK_BYTES } from '../../../src/storage/chunk-pool.ts';
import { alignedBuffer, blocksAround, wholeBlocks } from '../../../src/storage/direct-write.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { indirectFilesystem } from '../../support/small-filesystem.ts';
import { assertWhole, filesIn, openedArea, patterned, testHead } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('aligned memory is taken by a descriptor that takes nothing else, also in the middle of a slab', async () => {
  await using folder = await tempFolder('direct');
  const slab = alignedBuffer(3 * CHUNK_BYTES);
  await using file = await open(
    join(folder.path, 'direct'),
    constants.O_RDWR | constants.O_CREAT | constants.O_DIRECT,
  );
  const { bytesWritten } = await file.write(slab, CHUNK_BYTES, CHUNK_BYTES, 0);
  assert.equal(bytesWritten, CHUNK_BYTES);
  await assert.rejects(file.write(slab, 1, CHUNK_BYTES, 0), { code: 'EINVAL' });
});

test('lengths in blocks', () => {
  assert.deepEqual([0, 1, 4095, 4096, 4097].map(wholeBlocks), [0, 0, 0, 4096, 4096]);
  assert.deepEqual([0, 1, 4095, 4096, 4097].map(blocksAround), [0, 4096, 4096, 4096, 8192]);
});

test('a volume that refuses direct writing is written to the ordinary way, and nothing is left of the attempt', async () => {
  await using disk = await indirectFilesystem();
  await assert.rejects(
    open(join(disk.path, 'direct'), constants.O_WRONLY | constants.O_CREAT | constants.O_DIRECT),
    { code: 'EINVAL' },
  );
  await using opened = await openedArea(join(disk.path, 'archive'));
  assert.deepEqual(await filesIn(join(disk.path, 'archive/incoming')), []);
  const data = patterned(2 * CHUNK_BYTES + 4321, 7);
  const spooled = await opened.area.spool(testHead(), byteSourceOf(data));
  await spooled.place('studies/a/1');
  await assertWhole(join(disk.path, 'archive/studies/a/1'), data);
});

test('the head of a data set that is longer than what is kept in memory is read from the file', async () => {
  await using folder = await tempFolder('direct');
  await using opened = await openedArea(join(folder.path, 'archive'));
  const data = patterned(3 * CHUNK_BYTES + 99, 8);
  const spooled = await opened.area.spool(testHead(), byteSourceOf(data));
  for (const bytes of [1, 60_000, 70_001, CHUNK_BYTES + 5, data.length, data.length + 1]) {
    assert.ok((await spooled.head(bytes)).equals(data.subarray(0, bytes)), `${bytes} bytes`);
  }
  await spooled.discard();
});
