// Several daemons on one MariaDB and one volume: they receive at the same time, also the same instances, and what one of
// them owed when it died, the others pay.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { assertCountersEqualRecount } from '../contract/catalog/harness.ts';
import {
  assertFilesProveThemselves,
  faultLines,
  fileHashes,
  filesIn,
  foundUids,
} from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { assertNothingLost, randomFrom, type Sent, sendUntilKilled } from '../support/crash-senders.ts';
import { type Daemon, runAngiovault, startDaemon } from '../support/daemon.ts';
import { httpAsk } from '../support/http-site.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_SEVERAL_ROUNDS ?? 3);
const PIXEL_DATA = 0x7fe00010;
const INSTANCES_READ = 96;

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start();
});
after(() => server[Symbol.asyncDispose]());

/** A daemon with a data folder of its own on the archive of the first. */
/** What only the dead one held is there a little later: the other one looks for the dead every 2 s. Until then it may find
 *  an older content, or nothing. */
async function assertNothingLostInTime(daemon: Daemon, sent: readonly Sent[]): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await pause(100)) {
    try {
      await assertNothingLost(daemon, sent);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

async function startOn(
  folder: string,
  name: string,
  url: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Daemon> {
  const dataDir = join(folder, name);
  await mkdir(dataDir, { recursive: true });
  const config = { ...settings, archive: { directory: join(folder, 'one', 'archive') } };
  await mkdir(join(folder, 'one'), { recursive: true });
  await writeFile(join(dataDir, 'config.json'), JSON.stringify(config));
  return startDaemon({ dataDir, args: ['--catalog', url] });
}

/** The archive is in the data folder of the first daemon, whichever answers. */
const archiveOf = (folder: string) => join(folder, 'one');

async function send(daemon: Daemon, instances: readonly MadeInstance[]): Promise<void> {
  const [first] = instances;
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: storageContexts([first!]),
  });
  for (const instance of instances) {
    const answer = await store(association, instance);
    assert.equal(answer.Status, 0, JSON.stringify(answer));
  }
  await association.release();
}

/** Looks again and again, for what a daemon does in its own time. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await isSo()); await pause(100)) {
    assert.ok(Date.now() < deadline, 'it has not happened within a minute');
  }
}

describe('two daemons', () => {
  test('receive the same study, with other contents of the same instances: all are kept, counters are exact', async () => {
    await using folder = await tempFolder('several');
    const url = server.url(await server.freshDatabase());
    await using one = await startOn(folder.path, 'one', url);
    await using two = await startOn(folder.path, 'two', url);
    const study = { studyUid: freshUid(), patientId: 'TOGETHER' };
    const series = [freshUid(), freshUid()];
    const uids = Array.from({ length: 60 }, () => freshUid());
    /** Every third instance has the same bytes from every sender, every fifth is a large one. */
    const sentBy = (sender: number) =>
      uids.map((sopInstanceUid, index) => {
        const from = index % 3 === 0 ? 0 : 2 * sender;
        const bytes = index % 5 === 0 ? 600_000 : 400;
        const value = Buffer.concat([NOISE, NOISE]).subarray(from, from + 2 * bytes);
        const elements = [{ tag: PIXEL_DATA, vr: 'OW', value }] as const;
        // One of the contents of some instances claims to be of another series, and so lies elsewhere.
        const seriesUid = series[index % 7 === 0 && sender === 3 ? 1 : 0]!;
        return madeInstance({ ...study, seriesUid, sopInstanceUid, elements });
      });
    const senders = [0, 1, 2, 3].map(sentBy);
    await Promise.all(senders.map((instances, sender) => send(sender % 2 === 0 ? one : two, instances)));

    for (const daemon of [one, two]) {
      await foundUids(daemon, []);
      assert.deepEqual(await foundUids(daemon, uids), new Set(uids));
      assert.deepEqual(faultLines(daemon.dataDir), []);
    }
    await assertCountersEqualRecount(url);
    assertFilesProveThemselves(archiveOf(folder.path));
    assert.equal(filesIn(archiveOf(folder.path), 'studies').length, uids.length, 'one current content each');
    const kept = new Set(
      (['studies', 'superseded'] as const).flatMap((part) =>
        filesIn(archiveOf(folder.path), part).map(
          (file) => fileHashes(join(archiveOf(folder.path), 'archive', part, file)).actual,
        ),
      ),
    );
    for (const { dataSet } of senders.flat()) assert.ok(kept.has(sha256(dataSet)), 'a content is lost');
    for (const daemon of [one, two]) assert.equal((await daemon.stop()).code, 0);
    const verify = runAngiovault('verify', ['--data', one.dataDir, '--catalog', url]);
    assert.deepEqual([(await verify.ended).code, verify.stderr], [0, ''], verify.stdout);
  });

  test(`kill -9 of one of them, ${ROUNDS} rounds: the other one serves everything, also what only the dead one held`, async (t) => {
    const seed = Number(process.env.ANGIOVAULT_CRASH_SEED ?? randomInt(2 ** 31));
    t.diagnostic(`ANGIOVAULT_CRASH_SEED=${seed}`);
    const random = randomFrom(seed);
    await using folder = await tempFolder('several');
    const url = server.url(await server.freshDatabase());
    const daemons = [await startOn(folder.path, 'one', url), await startOn(folder.path, 'two', url)] as [
      Daemon,
      Daemon,
    ];
    const everything: Sent[] = [];
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const dies = round % 2;
        const lives = 1 - dies;
        const studyUid = freshUid();
        // A study of its own for the one that goes on: contents that are replaced meanwhile cannot be retrieved.
        const sending = [
          sendUntilKilled(daemons[dies]!, random, studyUid),
          sendUntilKilled(daemons[dies]!, random, studyUid),
          sendUntilKilled(daemons[lives]!, random, freshUid()),
        ];
        await pause(200 + random() * 600);
        await daemons[dies]!.kill();
        const survivor = daemons[lives]!;
        const ofDead = [...(await sending[0]!), ...(await sending[1]!)].filter(
          (sent) => sent.acknowledged > 0,
        );
        await assertNothingLostInTime(survivor, ofDead);
        daemons[dies] = await startOn(folder.path, ['one', 'two'][dies]!, url);
        await survivor.kill();
        const ofSurvivor = (await sending[2]!).filter((sent) => sent.acknowledged > 0);
        daemons[lives] = await startOn(folder.path, ['one', 'two'][lives]!, url);
        // The other one may have been bringing them in when it came back.
        await assertNothingLostInTime(daemons[dies]!, [...ofDead, ...ofSurvivor]);
        everything.push(...ofDead, ...ofSurvivor);
      }
      await assertNothingLost(daemons[0], everything);
      await assertCountersEqualRecount(url);
      assertFilesProveThemselves(archiveOf(folder.path));
      assert.deepEqual(filesIn(archiveOf(folder.path), 'quarantine'), []);
      t.diagnostic(`${everything.length} acknowledged instances`);
    } finally {
      for (const daemon of daemons) await daemon.kill();
    }
  });

  test('read everything again once, not each; when one is killed the other goes on with it', async () => {
    await using folder = await tempFolder('several');
    const url = server.url(await server.freshDatabase());
    const settings = { integrity: { megabytesPerSecond: 8 } };
    const studyUid = freshUid();
    const elements = [{ tag: PIXEL_DATA, vr: 'OW', value: NOISE.subarray(0, 1 << 18) }];
    {
      // Who has just received does not read.
      await using receiver = await startOn(folder.path, 'receiver', url);
      await send(
        receiver,
        Array.from({ length: INSTANCES_READ }, () => madeInstance({ studyUid, elements })),
      );
      await receiver.stop();
    }
    await using one = await startOn(folder.path, 'one', url, settings);
    await using two = await startOn(folder.path, 'two', url, settings);
    const runs = async () =>
      ((await httpAsk(two.httpPort, '/api/integrity')).json as { runs: { files: number; outcome: string }[] })
        .runs;
    const check = (daemon: Daemon) => httpAsk(daemon.httpPort, '/api/integrity/runs', { method: 'POST' });
    assert.equal((await check(one)).status, 202);
    assert.equal((await check(two)).status, 202);
    await until(async () => ((await runs())[0]?.files ?? 0) > 0);
    await one.kill();
    await until(async () => (await runs())[0]?.outcome === 'done');
    const [whole, broken] = await runs();
    assert.equal(broken?.outcome, 'stopped');
    // What the first had read, but not yet written down, is read again: 32 at most.
    const read = (whole?.files ?? 0) + (broken?.files ?? 0);
    assert.ok(read >= INSTANCES_READ && read <= INSTANCES_READ + 32, `${read} of ${INSTANCES_READ}`);
    assert.equal((await runs()).length, 2);
  });

  test('with an embedded catalogue the second one is refused, and sweeps nothing', async () => {
    await using folder = await tempFolder('several');
    await using one = await startDaemon({ dataDir: join(folder.path, 'one') });
    await mkdir(join(folder.path, 'two'));
    const config = { archive: { directory: join(folder.path, 'one', 'archive') } };
    await writeFile(join(folder.path, 'two/config.json'), JSON.stringify(config));
    await writeFile(join(folder.path, 'one/archive/incoming/1', `${'0'.repeat(32)}.part`), 'half');
    for (const catalog of ['sqlite:catalog.sqlite', server.url(await server.freshDatabase())]) {
      const ports = ['--dimse-port', '0', '--http-port', '0'];
      const second = runAngiovault('serve', [
        '--data',
        join(folder.path, 'two'),
        '--catalog',
        catalog,
        ...ports,
      ]);
      assert.equal((await second.ended).code, 3, second.stderr);
      assert.match(second.stderr, /another daemon is using/);
    }
    assert.equal(filesIn(one.dataDir, 'incoming').length, 1);
  });
});
