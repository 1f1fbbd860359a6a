// No symbolic link is followed (design §3), wherever somebody with access to the volume puts one.
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { assertWhole, patterned, storageFault, temporaryArea, testHead } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const PATH = 'studies/2024/01/1.2/1.3/1.4.dcm';

describe('a symbolic link at the name itself', () => {
  for (const target of ['/etc/passwd', '/nowhere/to/be/found']) {
    test(`to ${target} is neither read nor written through`, async () => {
      await using site = await temporaryArea();
      await mkdir(join(site.root, 'studies/a'), { recursive: true });
      await symlink(target, join(site.root, 'studies/a/1'));
      await assert.rejects(site.area.open('studies/a/1'), storageFault('bad-path'));
      const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
      await assert.rejects(spooled.place('studies/a/1'), storageFault('exists'));
      await spooled.discard();
      assert.ok((await lstat(join(site.root, 'studies/a/1'))).isSymbolicLink());
    });
  }

  test('is replaced itself, and its target stays', async () => {
    await using site = await temporaryArea();
    await using victim = await tempFolder('victim');
    await writeFile(join(victim.path, 'file'), 'precious');
    await mkdir(join(site.root, 'studies/a'), { recursive: true });
    await symlink(join(victim.path, 'file'), join(site.root, 'studies/a/1'));
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    await spooled.replace('studies/a/1', 'superseded/1');
    await assertWhole(join(site.root, 'studies/a/1'), patterned(10, 1));
    assert.ok((await lstat(join(site.root, 'superseded/1'))).isSymbolicLink());
    assert.equal(await readFile(join(victim.path, 'file'), 'utf8'), 'precious');
  });
});

describe('a symbolic link on the way', () => {
  for (const place of ['studies/2024', 'studies/2024/01', 'studies/2024/01/1.2', 'studies/2024/01/1.2/1.3']) {
    test(`at ${place} is refused for storing, reading and moving`, async () => {
      await using site = await temporaryArea();
      await using victim = await tempFolder('victim');
      await mkdir(join(site.root, place, '..'), { recursive: true });
      await symlink(victim.path, join(site.root, place));
      const rest = PATH.slice(place.length + 1);
      await mkdir(join(victim.path, rest, '..'), { recursive: true });
      await writeFile(join(victim.path, rest), 'precious');

      await assert.rejects(site.area.open(PATH), storageFault('bad-path'));
      const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)));
      await assert.rejects(spooled.place(PATH), storageFault('bad-path'));
      await assert.rejects(spooled.replace(PATH, 'superseded/1'), storageFault('bad-path'));
      await spooled.discard();
      await assert.rejects(site.area.move(PATH, 'trash/1'), storageFault('bad-path'));
      assert.equal(await readFile(join(victim.path, rest), 'utf8'), 'precious');
    });
  }

  test('that took the place of a directory in use is refused, and nothing is written behind it', async () => {
    await using site = await temporaryArea();
    await using victim = await tempFolder('victim');
    await (await site.area.spool(testHead(), byteSourceOf(patterned(10, 1)))).place('studies/a/1');
    await rm(join(site.root, 'studies/a'), { recursive: true });
    await symlink(victim.path, join(site.root, 'studies/a'));
    const spooled = await site.area.spool(testHead(), byteSourceOf(patterned(10, 2)));
    await assert.rejects(spooled.place('studies/a/2'), storageFault('bad-path'));
    await spooled.discard();
    assert.deepEqual(await readdir(victim.path), []);
  });
});
