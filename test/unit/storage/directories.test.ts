// Directories are made on demand, kept open in bounded number, and noticed when they go.
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Directories } from '../../../src/storage/directories.ts';
import { removeEmptyDirectories } from '../../../src/storage/empty-directories.ts';
import { makeDirectory } from '../../../src/storage/file-calls.ts';
import { storageErrorOf } from '../../../src/storage/storage-error.ts';
import { storageFault } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function temporaryDirectories(): Promise<{ directories: Directories; root: string } & AsyncDisposable> {
  const folder = await tempFolder('directories');
  const directories = await Directories.open(folder.path);
  return {
    directories,
    root: folder.path,
    [Symbol.asyncDispose]: async () => {
      await directories.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

describe('a directory in use', () => {
  test('is made with everything above it', async () => {
    await using site = await temporaryDirectories();
    const path = 'studies/2024/01/1.2/1.3';
    await site.directories.use(path, async (directory) => {
      await writeFile(directory.at('a'), '1');
      await directory.flush();
    });
    assert.deepEqual(await readdir(join(site.root, path)), ['a']);
  });

  test('is made once when many ask for it at once', async () => {
    await using site = await temporaryDirectories();
    const path = 'a/b/c/d';
    const seen = await Promise.all(
      Array.from({ length: 40 }, () => site.directories.use(path, async (directory) => directory.fd)),
    );
    assert.equal(new Set(seen).size, 1);
  });

  test('keeps at most 128 descriptors open, however many there are', async () => {
    await using site = await temporaryDirectories();
    const before = await openDescriptors();
    for (let index = 0; index < 300; index += 1) {
      await site.directories.use(`studies/${index}/series`, (directory) => directory.flush());
    }
    assert.ok((await openDescriptors()) - before <= 130);
    assert.equal((await readdir(join(site.root, 'studies'))).length, 300);
  });

  test('stays open while it is in use, whatever else is opened', async () => {
    await using site = await temporaryDirectories();
    await site.directories.use('kept/here', async (directory) => {
      for (let index = 0; index < 200; index += 1) {
        await site.directories.use(`other/${index}`, async () => undefined);
      }
      await writeFile(directory.at('a'), '1');
    });
    assert.deepEqual(await readdir(join(site.root, 'kept/here')), ['a']);
  });

  test('closes every descriptor in the end', async () => {
    const before = await openDescriptors();
    {
      await using site = await temporaryDirectories();
      for (let index = 0; index < 150; index += 1) {
        await site.directories.use(`a/${index}`, async () => undefined);
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok((await openDescriptors()) <= before);
  });
});

describe('a directory that goes behind our back', () => {
  async function put(directories: Directories, path: string, name: string): Promise<void> {
    await directories.use(path, async (directory) => {
      await writeFile(directory.at(name), '1').catch((cause: unknown) => {
        throw Object.assign(new Error('no such directory', { cause }), { code: 'missing' });
      });
      await directory.flush();
    });
  }

  test('is made again when it was removed', async () => {
    await using site = await temporaryDirectories();
    await put(site.directories, 'studies/a', '1');
    await rm(join(site.root, 'studies'), { recursive: true });
    await put(site.directories, 'studies/a', '2');
    assert.deepEqual(await readdir(join(site.root, 'studies/a')), ['2']);
  });

  test('is made when those above it, still open, have been removed as empty ones', async () => {
    await using site = await temporaryDirectories();
    await site.directories.use('studies/2024/03/1.2', async () => {});
    await rm(join(site.root, 'studies/2024'), { recursive: true });
    await site.directories.use('studies/2024/03/1.3', (directory) => writeFile(directory.at('a'), '1'));
    assert.deepEqual(await readdir(join(site.root, 'studies/2024/03/1.3')), ['a']);
  });

  test('is made while others remove it as an empty one', async () => {
    await using site = await temporaryDirectories();
    const path = 'studies/2024/03/1.2';
    const useIt = () =>
      site.directories.use(path, async (directory) => {
        await makeDirectory(directory.at('a'), 0o700).catch((error) => {
          throw storageErrorOf(error, 'making a');
        });
        await rmdir(directory.at('a'));
      });
    for (let round = 0; round < 200; round += 1) {
      await Promise.all([removeEmptyDirectories(site.directories, path), useIt()]);
    }
  });

  test('is made again when it was moved elsewhere a while ago', async (context) => {
    await using site = await temporaryDirectories();
    let now = performance.now();
    context.mock.method(performance, 'now', () => now);
    await put(site.directories, 'studies/a', '1');
    await rename(join(site.root, 'studies'), join(site.root, 'elsewhere'));
    now += 1001;
    await put(site.directories, 'studies/a', '2');
    assert.deepEqual(await readdir(join(site.root, 'studies/a')), ['2']);
    assert.deepEqual(await readdir(join(site.root, 'elsewhere/a')), ['1']);
  });

  test('is never written through when a symbolic link took its place', async () => {
    await using site = await temporaryDirectories();
    await using victim = await tempFolder('victim');
    await put(site.directories, 'studies/a', '1');
    await rm(join(site.root, 'studies/a'), { recursive: true });
    await symlink(victim.path, join(site.root, 'studies/a'));
    await assert.rejects(put(site.directories, 'studies/a', '2'), storageFault('bad-path'));
    assert.deepEqual(await readdir(victim.path), []);
  });
});

describe('a symbolic link in the way', () => {
  for (const place of ['studies', 'studies/2024', 'studies/2024/01']) {
    test(`at ${place} is refused for making and for using what exists`, async () => {
      await using site = await temporaryDirectories();
      await using victim = await tempFolder('victim');
      await mkdir(join(victim.path, '2024/01'), { recursive: true });
      await mkdir(join(site.root, place, '..'), { recursive: true });
      await symlink(join(victim.path, place.slice('studies'.length)), join(site.root, place));
      const path = 'studies/2024/01';
      await assert.rejects(
        site.directories.use(path, async () => undefined),
        storageFault('bad-path'),
      );
      await assert.rejects(
        site.directories.useExisting(path, async () => undefined),
        storageFault('bad-path'),
      );
    });
  }
});

test('a plain file in the way is refused in plain words', async () => {
  await using site = await temporaryDirectories();
  await writeFile(join(site.root, 'studies'), '');
  await assert.rejects(
    site.directories.use('studies/a', async () => undefined),
    /not a directory/,
  );
});

test('using what exists makes nothing', async () => {
  await using site = await temporaryDirectories();
  await assert.rejects(
    site.directories.useExisting('studies/a', async () => undefined),
    storageFault('missing'),
  );
  assert.deepEqual(await readdir(site.root), []);
});
