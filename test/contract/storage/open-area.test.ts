// Opening a storage area: makes what is missing, sweeps what is left, refuses what it cannot use, in plain words.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { RunningProcess } from '../../support/running-process.ts';
import { smallFilesystem } from '../../support/small-filesystem.ts';
import { assertWhole, patterned, storageFault, temporaryArea, testHead } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const OPTIONS = { reserveBytes: 0 };
const LEFTOVER = `${'0123456789abcdef'.repeat(2)}.part`;

describe('opening', () => {
  test('makes the directories of design §3', async () => {
    await using site = await temporaryArea();
    const made = (await readdir(site.root)).sort();
    assert.deepEqual(made, [
      'daemons',
      'incoming',
      'journal',
      'quarantine',
      'studies',
      'superseded',
      'trash',
    ]);
  });

  test('finds again what was stored before', async () => {
    await using folder = await tempFolder('area');
    const first = await StorageArea.open(folder.path, OPTIONS);
    await (await first.spool(testHead(), byteSourceOf(patterned(100, 1)))).place('studies/a/1');
    await first.close();
    const second = await StorageArea.open(folder.path, OPTIONS);
    await (await second.open('studies/a/1')).close();
    await second.close();
  });

  test('through a symbolic link to the whole area is the administrator’s choice', async () => {
    await using folder = await tempFolder('area');
    await mkdir(join(folder.path, 'volume'));
    await symlink(join(folder.path, 'volume'), join(folder.path, 'archive'));
    const area = await StorageArea.open(join(folder.path, 'archive'), OPTIONS);
    assert.equal(area.root, join(folder.path, 'volume'));
    await (await area.spool(testHead(), byteSourceOf(patterned(100, 1)))).place('studies/a/1');
    await area.close();
    await assertWhole(join(folder.path, 'volume/studies/a/1'));
  });
});

describe('sweeping incoming/', () => {
  test('removes what was being received and says how many', async () => {
    await using folder = await tempFolder('area');
    await mkdir(join(folder.path, 'incoming/1'), { recursive: true });
    for (const digit of '0123456789') {
      await writeFile(join(folder.path, 'incoming/1', LEFTOVER.replace('0', digit)), 'half');
    }
    const area = await StorageArea.open(folder.path, OPTIONS);
    assert.equal(area.sweptFiles, 10);
    assert.deepEqual(await readdir(join(folder.path, 'incoming/1')), []);
    await area.close();
  });

  test('leaves what people have put there', async () => {
    await using folder = await tempFolder('area');
    await mkdir(join(folder.path, 'incoming/1/folder'), { recursive: true });
    await writeFile(join(folder.path, 'incoming/1/from-a-disc.dcm'), 'precious');
    await writeFile(join(folder.path, 'incoming/1/short.part'), 'precious');
    const area = await StorageArea.open(folder.path, OPTIONS);
    assert.equal(area.sweptFiles, 0);
    assert.equal((await readdir(join(folder.path, 'incoming/1'))).length, 3);
    await area.close();
  });

  test('removes a symbolic link, not what it points at', async () => {
    await using folder = await tempFolder('area');
    await mkdir(join(folder.path, 'incoming/1'), { recursive: true });
    await writeFile(join(folder.path, 'victim'), 'precious');
    await symlink(join(folder.path, 'victim'), join(folder.path, 'incoming/1', LEFTOVER));
    const area = await StorageArea.open(folder.path, OPTIONS);
    assert.equal(area.sweptFiles, 1);
    assert.equal(await readFile(join(folder.path, 'victim'), 'utf8'), 'precious');
    await area.close();
  });
});

describe('one daemon per area', () => {
  const HOLDER = `
    import { StorageArea } from ${JSON.stringify(new URL('../../../src/storage/storage-area.ts', import.meta.url).href)};
    await StorageArea.open(process.argv[1], { reserveBytes: 0 });
    console.log('open');
    setInterval(() => undefined, 1000);
  `;

  test('a second one in this process is refused, and sweeps nothing', async () => {
    await using site = await temporaryArea();
    await writeFile(join(site.root, 'incoming/1', LEFTOVER), 'being received');
    await assert.rejects(StorageArea.open(site.root, OPTIONS), storageFault('in-use'));
    assert.deepEqual(await readdir(join(site.root, 'incoming/1')), [LEFTOVER]);
  });

  test('a second process is refused, whatever path it takes; after kill -9 the way is free', async () => {
    await using folder = await tempFolder('area');
    const root = join(folder.path, 'archive');
    const holder = new RunningProcess(process.execPath, ['--input-type=module', '--eval', HOLDER, root]);
    await holder.waitForOutput(/open/);
    await writeFile(join(root, 'incoming/1', LEFTOVER), 'being received');
    await symlink(root, join(folder.path, 'other-way'));
    await assert.rejects(StorageArea.open(root, OPTIONS), storageFault('in-use'));
    await assert.rejects(
      StorageArea.open(join(folder.path, 'other-way'), OPTIONS),
      /another daemon is using/,
    );
    assert.deepEqual(await readdir(join(root, 'incoming/1')), [LEFTOVER]);
    await holder.kill();
    const area = await StorageArea.open(root, OPTIONS);
    assert.equal(area.sweptFiles, 1);
    await area.close();
  });

  test('another area beside it is free', async () => {
    await using one = await temporaryArea();
    await using other = await temporaryArea();
    assert.notEqual(one.root, other.root);
  });

  test('closing frees it at once', async () => {
    await using folder = await tempFolder('area');
    for (let round = 0; round < 5; round += 1) await (await StorageArea.open(folder.path, OPTIONS)).close();
  });
});

describe('an unusable volume is named in plain words', () => {
  test('when the directory above is not there', async () => {
    await using folder = await tempFolder('area');
    const opening = StorageArea.open(join(folder.path, 'not-mounted/archive'), OPTIONS);
    await assert.rejects(opening, storageFault('missing'));
    await assert.rejects(opening, /is the volume mounted/);
  });

  test('when it is a file', async () => {
    await using folder = await tempFolder('area');
    await writeFile(join(folder.path, 'archive'), '');
    await assert.rejects(StorageArea.open(join(folder.path, 'archive'), OPTIONS), /not a directory/);
  });

  test('when it is mounted read-only', async () => {
    await using disk = await smallFilesystem(8);
    execFileSync('mount', ['-o', 'remount,ro', disk.path]);
    const opening = StorageArea.open(disk.path, OPTIONS);
    await assert.rejects(opening, storageFault('unusable'));
    await assert.rejects(opening, /read-only/);
  });

  test('when it became read-only after everything was made', async () => {
    await using disk = await smallFilesystem(16);
    await (await StorageArea.open(disk.path, OPTIONS)).close();
    execFileSync('mount', ['-o', 'remount,ro', disk.path]);
    await assert.rejects(StorageArea.open(disk.path, OPTIONS), storageFault('unusable'));
  });

  test('when its parts lie on different volumes', async () => {
    await using folder = await tempFolder('area');
    await using disk = await smallFilesystem(8);
    await mkdir(join(folder.path, 'studies'));
    execFileSync('mount', ['--bind', disk.path, join(folder.path, 'studies')]);
    try {
      await assert.rejects(StorageArea.open(folder.path, OPTIONS), /must lie on one volume/);
    } finally {
      execFileSync('umount', [join(folder.path, 'studies')]);
    }
  });

  for (const part of ['studies', 'incoming', 'journal', 'daemons', 'superseded', 'quarantine', 'trash']) {
    test(`when ${part}/ is a symbolic link`, async () => {
      await using folder = await tempFolder('area');
      await mkdir(join(folder.path, 'elsewhere'));
      await symlink(join(folder.path, 'elsewhere'), join(folder.path, part));
      await assert.rejects(StorageArea.open(folder.path, OPTIONS), storageFault('bad-path'));
    });
  }

  test('and nothing of the failed attempt stays locked', async () => {
    await using folder = await tempFolder('area');
    await writeFile(join(folder.path, 'journal'), '');
    await assert.rejects(StorageArea.open(folder.path, OPTIONS), storageFault('bad-path'));
    await rm(join(folder.path, 'journal'));
    await (await StorageArea.open(folder.path, OPTIONS)).close();
  });
});

describe('an area that is tampered with while open', () => {
  test('takes nothing more when it was moved as a whole', async () => {
    await using folder = await tempFolder('area');
    const area = await StorageArea.open(join(folder.path, 'archive'), OPTIONS);
    await (await area.spool(testHead(), byteSourceOf(patterned(10, 1)))).place('studies/a/1');
    const spooled = await area.spool(testHead(), byteSourceOf(patterned(10, 1)));
    await rename(join(folder.path, 'archive'), join(folder.path, 'moved'));
    await assert.rejects(spooled.place('studies/b/1'), storageFault('unusable'));
    await spooled.discard();
    await area.close();
  });

  for (const part of ['incoming', 'journal']) {
    test(`says within a second that ${part}/ was removed, and goes on after a new start`, async (context) => {
      await using folder = await tempFolder('area');
      let now = performance.now();
      context.mock.method(performance, 'now', () => now);
      const area = await StorageArea.open(folder.path, OPTIONS);
      await area.checkSpace();
      await area.journal.append('a');
      await rm(join(folder.path, part), { recursive: true });
      now += 1001;
      assert.throws(() => area.checkSpace(), storageFault('unusable'));
      await assert.rejects(
        area.spool(testHead(), byteSourceOf(patterned(10, 1))),
        new RegExp(`${part}/1 has been moved or removed`),
      );
      await area.close();
      const again = await StorageArea.open(folder.path, OPTIONS);
      await (await again.spool(testHead(), byteSourceOf(patterned(10, 1)))).place('studies/a/1');
      await again.close();
    });
  }
});
