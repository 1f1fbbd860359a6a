// Reading what is stored, and listing it: plain files inside the area only.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import type { OpenFile } from '../../../src/util/open-file.ts';
import { HEAD_BYTES, patterned, storageFault, temporaryArea, testHead } from '../../support/storage-area.ts';

async function place(area: StorageArea, path: string, seed: number): Promise<void> {
  await (await area.spool(testHead(), byteSourceOf(patterned(500, seed)))).place(path);
}

/** The data set bytes of a file made by `place`. */
async function dataSetOf(file: OpenFile): Promise<Buffer> {
  const bytes = Buffer.alloc(HEAD_BYTES + 501);
  return bytes.subarray(HEAD_BYTES, await file.read([bytes], 0));
}

async function walked(area: StorageArea): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, kind, bytes } of area.walk()) found.push(`${kind} ${path} ${bytes}`);
  return found.sort();
}

describe('open', () => {
  test('gives the bytes that were placed', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    using file = await site.area.open('studies/a/1');
    assert.deepEqual(await dataSetOf(file), patterned(500, 1));
  });

  test('cannot write', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    using file = await site.area.open('studies/a/1');
    assert.throws(() => writeSync(file.fd, 'x'), { code: 'EBADF' });
  });

  test('goes on reading what is replaced and moved meanwhile', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    const files = await Promise.all(Array.from({ length: 20 }, () => site.area.open('studies/a/1')));
    const newer = await site.area.spool(testHead(), byteSourceOf(patterned(500, 2)));
    await newer.replace('studies/a/1', 'superseded/1');
    for (const file of files) {
      assert.deepEqual(await dataSetOf(file), patterned(500, 1));
      file.close();
    }
  });

  test('while it is replaced over and over never fails', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 0);
    let isOver = false;
    const reading = (async () => {
      while (!isOver) (await site.area.open('studies/a/1')).close();
    })();
    for (let seed = 1; seed <= 30; seed += 1) {
      const newer = await site.area.spool(testHead(), byteSourceOf(patterned(500, seed)));
      await newer.replace('studies/a/1', `superseded/${seed}`);
    }
    isOver = true;
    await reading;
  });

  test('of what is not there is missing', async () => {
    await using site = await temporaryArea();
    await assert.rejects(site.area.open('studies/a/1'), storageFault('missing'));
  });

  test('refuses a directory and a named pipe at once', { timeout: 20_000 }, async () => {
    await using site = await temporaryArea();
    await mkdir(join(site.root, 'studies/a/directory'), { recursive: true });
    execFileSync('mkfifo', [join(site.root, 'studies/a/pipe')]);
    await assert.rejects(site.area.open('studies/a/directory'), storageFault('bad-path'));
    await assert.rejects(site.area.open('studies/a/pipe'), storageFault('bad-path'));
  });

  for (const path of [
    'studies/../../../etc/passwd',
    '/etc/passwd',
    'journal/000000000001.journal',
    'studies/a\0b',
  ]) {
    test(`refuses ${JSON.stringify(path)}`, async () => {
      await using site = await temporaryArea();
      await assert.rejects(site.area.open(path), storageFault('bad-path'));
    });
  }
});

describe('walk', () => {
  test('lists every file under studies/ with its size', async () => {
    await using site = await temporaryArea();
    const paths = ['studies/a', 'studies/2024/01/x/y/1', 'studies/2024/01/x/y/2', 'studies/undated/z'];
    for (const path of paths) await place(site.area, path, 1);
    await place(site.area, 'trash/not-this', 1);
    assert.deepEqual(await walked(site.area), paths.map((path) => `file ${path} ${500 + HEAD_BYTES}`).sort());
  });

  test('of an empty area is empty', async () => {
    await using site = await temporaryArea();
    assert.deepEqual(await walked(site.area), []);
  });

  test('names what is no plain file and follows no link', async () => {
    await using site = await temporaryArea();
    await place(site.area, 'studies/a/1', 1);
    await symlink('/etc', join(site.root, 'studies/link-to-directory'));
    await symlink('/etc/passwd', join(site.root, 'studies/a/link-to-file'));
    const found = await walked(site.area);
    assert.equal(found.length, 3);
    assert.ok(found.some((line) => line.startsWith('other studies/link-to-directory')));
    assert.ok(found.some((line) => line.startsWith('other studies/a/link-to-file')));
  });

  test('leaves out what vanishes under way', async () => {
    await using site = await temporaryArea();
    for (const study of ['a', 'b', 'c']) await place(site.area, `studies/${study}/1`, 1);
    let isFirst = true;
    for await (const { path } of site.area.walk()) {
      if (isFirst)
        for (const study of ['a', 'b', 'c']) {
          if (!path.includes(`/${study}/`)) await rm(join(site.root, 'studies', study), { recursive: true });
        }
      assert.ok(isFirst, `${path} was listed after it had gone`);
      isFirst = false;
    }
  });

  test('that is left early closes what it had open', async () => {
    await using site = await temporaryArea();
    for (let index = 0; index < 50; index += 1) {
      await mkdir(join(site.root, `studies/${index}`), { recursive: true });
      await writeFile(join(site.root, `studies/${index}/file`), '1');
    }
    for (let round = 0; round < 300; round += 1) {
      for await (const entry of site.area.walk()) {
        assert.equal(entry.bytes, 1);
        break;
      }
    }
  });
});
