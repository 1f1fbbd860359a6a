// `import`, `verify` and `rebuild` as a user runs them: on folders as they come, on damage, ended by force in the middle,
// beside a daemon that goes on receiving.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { assertCountersEqualRecount } from '../contract/catalog/harness.ts';
import { eventually, filesIn, foundUids, storeOnce } from '../support/archive-state.ts';
import { within } from '../support/byte-connection.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { ByteStorageScp } from '../support/byte-storage-scp.ts';
import { runAngiovault, startDaemon } from '../support/daemon.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { openArchive } from '../support/open-archive.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function run(command: string, ...args: string[]) {
  const process_ = runAngiovault(command, args);
  const { code } = await process_.ended;
  return { code, out: process_.stdout, err: process_.stderr };
}

/** A folder as it comes from a disc: sub-folders, bare data sets, an index, things that are not DICOM. */
async function makeDisc(folder: string, instances: readonly MadeInstance[]): Promise<void> {
  await mkdir(join(folder, 'DICOM/A/B'), { recursive: true });
  for (const [index, { dataSet }] of instances.entries()) {
    await writeFile(join(folder, index % 2 === 0 ? 'DICOM' : 'DICOM/A/B', `IM${index}`), dataSet);
  }
  await writeFile(join(folder, 'AUTORUN.INF'), '[autorun]\r\nopen=viewer.exe\r\n');
  await writeFile(join(folder, 'empty'), '');
}

const bareInstances = (count: number) =>
  Array.from({ length: count }, () => madeInstance({ transferSyntaxUid: '1.2.840.10008.1.2' }));

/** An archive with its instances in their places. */
async function filled(folder: string, count: number): Promise<MadeInstance[]> {
  await using opened = await openArchive(folder);
  const studyUids = [freshUid(), freshUid(), freshUid()];
  const instances = Array.from({ length: count }, (_, index) =>
    madeInstance({ studyUid: studyUids[index % 3]!, seriesUid: `${studyUids[index % 3]!}.${index % 10}` }),
  );
  for (const instance of instances) await opened.acknowledge(instance);
  await opened.archive.counts();
  return instances;
}

describe('import', () => {
  test('takes every instance below, says what was none, and again takes nothing twice', async () => {
    await using folder = await tempFolder('import');
    const instances = bareInstances(6);
    const disc = join(folder.path, 'disc');
    await makeDisc(disc, instances);
    const data = join(folder.path, 'data');
    const first = await run('import', disc, '--data', data);
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /imported 6, already there 0, replaced older content of 0, skipped 2, failed 0/);
    assert.match(first.err, /skipped .*AUTORUN\.INF/);
    assert.match(first.err, /skipped .*empty/);
    const second = await run('import', disc, '--data', data);
    assert.match(second.out, /imported 0, already there 6,/);
    assert.equal((await readdir(disc, { recursive: true })).filter((name) => /IM\d$/.test(name)).length, 6);
    assert.equal((await run('verify', '--data', data)).code, 0);
  });

  test('--move removes what is safe in the archive, and nothing else', async () => {
    await using folder = await tempFolder('import');
    const disc = join(folder.path, 'disc');
    await makeDisc(disc, bareInstances(4));
    const moved = await run('import', '--move', disc, '--data', join(folder.path, 'data'));
    assert.equal(moved.code, 0, moved.err);
    const left = (await readdir(disc, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    assert.deepEqual(left.map(({ name }) => name).sort(), ['AUTORUN.INF', 'empty']);
    assert.equal(filesIn(join(folder.path, 'data'), 'studies').length, 4);
  });

  test('ended with SIGINT it has taken whole files only, and says that it was stopped', async () => {
    await using folder = await tempFolder('import');
    const disc = join(folder.path, 'disc');
    await makeDisc(disc, bareInstances(1500));
    const data = join(folder.path, 'data');
    const importing = runAngiovault('import', [disc, '--data', data]);
    await eventually(
      () => (existsSync(join(data, 'archive/studies/2024')) ? true : undefined),
      'a file',
      30_000,
    );
    importing.signal('SIGINT');
    const { code } = await importing.ended;
    assert.equal(code, 1, importing.stderr);
    assert.match(importing.stdout, /^stopped: imported \d+,/m);
    const verified = await run('verify', '--data', data);
    assert.equal(verified.code, 0, verified.out);
    const again = await run('import', disc, '--data', data);
    assert.equal(again.code, 0);
    assert.equal(filesIn(data, 'studies').length, 1500);
  });
});

describe('send', () => {
  for (const [what, answer] of [
    ['takes an instance and never answers', 'silent'],
    ['answers an instance after a while', 'slow'],
  ] as const) {
    test(`ended with SIGINT while its peer ${what}: it says what was sent, within 10 s`, async (t) => {
      await using folder = await tempFolder('send');
      await makeDisc(folder.path, bareInstances(6));
      const asked = Promise.withResolvers<void>();
      const go = Promise.withResolvers<number>();
      const scp = await ByteStorageScp.listen({
        status: () => {
          if (scp.received.length < 3) return 0;
          asked.resolve();
          return go.promise;
        },
      });
      t.after(() => scp.close());
      const sending = runAngiovault('send', [scp.peer, folder.path, '--data', join(folder.path, 'data')]);
      await Promise.race([asked.promise, sending.ended]);
      sending.signal('SIGINT');
      if (answer === 'slow') go.resolve(0);
      const { code } = await within(sending.ended, 12_000, 'the end of `send`');
      assert.equal(code, 1, sending.stderr);
      // The answer may overtake the signal by an instance.
      const { length } = scp.received;
      assert.ok(length === 3 || (answer === 'slow' && length < 6), `${length} were sent`);
      if (answer === 'slow')
        assert.match(sending.stdout, RegExp(`^sent ${length} of 6 instances to BYTESCP$`, 'm'));
      else {
        const words = /^stopped: BYTESCP keeps silent; sent 2 of 6 instances to BYTESCP, and one may/m;
        assert.match(sending.stderr, words);
      }
    });
  }
});

describe('verify', () => {
  test('a selection looks at nothing else', async () => {
    await using folder = await tempFolder('verify');
    const instances = await filled(folder.path, 6);
    const [file = ''] = filesIn(folder.path, 'studies').filter((name) =>
      name.includes(instances[0]!.sopInstanceUid),
    );
    const path = join(folder.path, 'archive/studies', file);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const damaged = await run('verify', '--data', folder.path, '--study', instances[0]!.studyUid);
    assert.equal(damaged.code, 1);
    assert.match(damaged.out, new RegExp(`altered studies/${file}`));
    const sound = await run('verify', '--data', folder.path, '--study', instances[1]!.studyUid);
    assert.deepEqual([sound.code, sound.out.split(':')[0]?.startsWith('read 2 files')], [0, true], sound.out);
    assert.equal((await run('verify', '--data', folder.path, '--patient', 'BYTE-1')).code, 1);
    assert.equal((await run('verify', '--data', folder.path)).code, 1);
  });

  test('a file beside an obstacle is known', async () => {
    await using folder = await tempFolder('verify');
    const instance = madeInstance();
    {
      await using opened = await openArchive(folder.path);
      const path = `studies/2024/03/${instance.studyUid}/${instance.seriesUid}/${instance.sopInstanceUid}.dcm`;
      await mkdir(join(folder.path, 'archive', path), { recursive: true });
      await opened.store(instance);
    }
    assert.match(filesIn(folder.path, 'studies')[0] ?? '', /\.[0-9a-f]{16}\.dcm$/);
    const verified = await run('verify', '--data', folder.path);
    assert.equal(verified.code, 0, verified.out);
  });
});

describe('rebuild', () => {
  test('says what was added, gone, changed and unreadable', async () => {
    await using folder = await tempFolder('rebuild');
    const instances = await filled(folder.path, 9);
    const file = (index: number) =>
      join(
        folder.path,
        'archive/studies',
        filesIn(folder.path, 'studies').find((name) => name.includes(instances[index]!.sopInstanceUid))!,
      );
    await writeFile(file(0).replace(/[^/]+$/, 'notes.txt'), 'not ours');
    const same = await run('rebuild', '--data', folder.path);
    assert.match(same.out, /read 10 files: added 0, gone 0, changed 0, unreadable 1\n/);
    assert.equal(same.code, 1);
    await rm(file(0).replace(/[^/]+$/, 'notes.txt'));
    await rm(file(1));
    const gone = await run('rebuild', '--data', folder.path);
    assert.match(gone.out, /^gone studies\/.*\nread 8 files: added 0, gone 1, changed 0, unreadable 0$/m);
    const fresh = await run('rebuild', '--data', folder.path, '--catalog', 'sqlite:other.sqlite');
    assert.match(fresh.out, /read 8 files: added 8, gone 0, changed 0, unreadable 0\n/);
    assert.equal(fresh.code, 0);
    await rm('other.sqlite', { force: true });
    for (const name of ['other.sqlite-wal', 'other.sqlite-shm']) await rm(name, { force: true });
  });

  test('older contents are listed again', async () => {
    await using folder = await tempFolder('rebuild');
    const instance = madeInstance();
    const newer = madeInstance({ ...instance, patientName: 'Newer^Content' });
    {
      await using opened = await openArchive(folder.path);
      await opened.store(instance);
      await opened.store(newer);
    }
    const catalog = join(folder.path, 'other.sqlite');
    const rebuilt = await run('rebuild', '--data', folder.path, '--catalog', `sqlite:${catalog}`);
    assert.match(rebuilt.out, /read 2 files: added 2, gone 0, changed 0, unreadable 0\n/);
    await using opened = await openArchive(folder.path, undefined, 'other.sqlite');
    assert.equal((await opened.catalog.superseded(instance.sopInstanceUid)).length, 1);
    await assertCountersEqualRecount(`sqlite:${join(folder.path, 'catalog.sqlite')}`);
  });

  test('beside a daemon on MariaDB, killed in the middle, it goes on where it was; what comes meanwhile is there', async () => {
    await using server = await MariadbServer.start();
    await using folder = await tempFolder('rebuild');
    await filled(folder.path, 2400);
    const url = server.url(await server.freshDatabase());
    await using daemon = await startDaemon({ dataDir: folder.path, args: ['--catalog', url] });
    const first = runAngiovault('rebuild', ['--data', folder.path, '--catalog', url]);
    await eventually(
      () => (existsSync(join(folder.path, 'rebuild.json')) ? true : undefined),
      'a checkpoint',
      40_000,
    );
    await copyFile(join(folder.path, 'rebuild.json'), join(folder.path, 'seen.json'));
    await first.kill();
    const received = Array.from({ length: 5 }, () => madeInstance());
    for (const instance of received) assert.equal(await storeOnce(daemon, instance), 0);
    const second = await run('rebuild', '--data', folder.path, '--catalog', url);
    assert.equal(second.code, 0, second.out + second.err);
    const before = Number(/going on behind (\d+) files/.exec(second.out)?.[1]);
    assert.ok(before > 0, second.out);
    const uids = filesIn(folder.path, 'studies').map((name) => /([^/]+)\.dcm$/.exec(name)![1]!);
    assert.ok(uids.length >= 2405);
    assert.equal((await foundUids(daemon, uids)).size, uids.length);
    await assertCountersEqualRecount(url);
    assert.equal(existsSync(join(folder.path, 'rebuild.json')), false);
    assert.equal((await run('verify', '--data', folder.path, '--catalog', url)).code, 0);
  });
});
