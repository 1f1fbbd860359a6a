// The same bytes again, after those that are here were damaged, or before they are on the disk: whoever is told that they
// are here deletes his own, so they have to be.
import assert from 'node:assert/strict';
import { copyFile, mkdir, open, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { OpenFile } from '../../../src/util/open-file.ts';
import { fileHashes, filesIn } from '../../support/archive-state.ts';
import { madeInstance } from '../../support/byte-instances.ts';
import { flipByte } from '../../support/damage.ts';
import { openArchive } from '../../support/open-archive.ts';
import { hashOf, pathOf } from '../../support/recorded-receptions.ts';
import { powerCutFilesystem } from '../../support/small-filesystem.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const pixels = (value: Buffer) => ({ tag: 0x7fe00010, vr: 'OW', value });
const large = () => madeInstance({ elements: [pixels(Buffer.concat(Array(4).fill(NOISE)))] });

const DAMAGES: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
  'a flipped byte': (file) => flipByte(file, -1),
  'a missing end': (file) => truncate(file, 1000),
};

describe('the same bytes again', () => {
  for (const [size, make] of [
    ['small', madeInstance],
    ['large', large],
  ] as const) {
    for (const [damage, inflict] of Object.entries(DAMAGES)) {
      test(`${size}, when the file has ${damage}: they take its place, and it is kept in quarantine/`, async () => {
        await using folder = await tempFolder('damaged-duplicate');
        await using opened = await openArchive(folder.path);
        const instance = make();
        const file = join(folder.path, 'archive', pathOf(instance));
        await opened.store(instance);
        await inflict(file);
        await opened.acknowledge(instance);
        await opened.archive.counts();
        const { claimed, actual } = fileHashes(file);
        assert.deepEqual([claimed, actual], [hashOf(instance), hashOf(instance)]);
        const aside = filesIn(folder.path, 'quarantine');
        assert.equal(aside.length, 1);
        assert.ok(aside[0]?.startsWith(`${instance.sopInstanceUid}.`));
        assert.deepEqual(filesIn(folder.path, 'superseded'), []);
        assert.deepEqual(await Array.fromAsync(verifyArchive(opened.storage, opened.catalog)), []);
        assert.deepEqual(await opened.catalog.superseded(instance.sopInstanceUid), []);
      });
    }
  }

  for (const [what, from] of [
    ['head', 0],
    ['data set', 300_000],
  ] as const) {
    test(`large and small, when the disk cannot read the ${what} any more (injected: EIO): they take its place`, async (t) => {
      await using folder = await tempFolder('unreadable-duplicate');
      await using opened = await openArchive(folder.path);
      for (const instance of [large(), madeInstance({ elements: [pixels(NOISE)] })]) {
        const file = join(folder.path, 'archive', pathOf(instance));
        await opened.store(instance);
        const { ino } = await stat(file);
        const read = OpenFile.prototype.read;
        const broken = t.mock.method(OpenFile.prototype, 'read', function (
          this: OpenFile,
          buffers,
          position,
        ) {
          const end = position + buffers.reduce((sum, { length }) => sum + length, 0);
          const isBroken = this.stat().ino === ino && end > from;
          if (isBroken)
            return Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }));
          return read.call(this, buffers, position);
        } satisfies typeof read);
        await opened.acknowledge(instance);
        await opened.archive.counts();
        broken.mock.restore();
        assert.equal(fileHashes(file).actual, hashOf(instance));
        assert.notEqual((await stat(file)).ino, ino);
        assert.equal(
          await opened.archive.prove((await opened.catalog.locate(instance.sopInstanceUid))!),
          'intact',
        );
      }
    });
  }

  test('large, when somebody else has just given the file its name: it survives power loss all the same', async (t) => {
    await using folder = await tempFolder('unflushed-duplicate');
    const instance = large();
    {
      await using elsewhere = await openArchive(folder.path);
      await elsewhere.store(instance);
    }
    await using disk = await powerCutFilesystem(96);
    // Its commits would put on the disk whatever else waits there.
    const catalogFile = relative(disk.path, join(folder.path, 'beside.sqlite'));
    await using opened = await openArchive(disk.path, undefined, catalogFile);
    // So does the first reception, with which the durable record begins.
    await opened.store(large());
    const file = join(disk.path, 'archive', pathOf(instance));
    const make = () => copyFile(join(folder.path, 'archive', pathOf(instance)), file);
    await mkdir(dirname(file), { recursive: true });
    await make();
    const { exclusively } = StorageArea.prototype;
    // By then what has come is flushed, and with it whatever else the file system had to write.
    t.mock.method(opened.storage, 'exclusively', async (work: () => Promise<unknown>) => {
      await rm(file);
      await using directory = await open(dirname(file));
      await directory.sync();
      await make();
      return exclusively.call(opened.storage, work);
    });
    await opened.acknowledge(instance);
    await using left = await disk.cutPower();
    assert.equal(fileHashes(join(left.path, 'archive', pathOf(instance))).actual, hashOf(instance));
  });
});
