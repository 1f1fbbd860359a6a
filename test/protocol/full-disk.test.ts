// A disk that fills during ingest: 0xA700 (PS3.4 Table B.2-1), nothing half, everything acknowledged still there, and
// service goes on when space returns.

import assert from 'node:assert/strict';
import { cp, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  assertFilesProveThemselves,
  faultLines,
  filesIn,
  foundUids,
  hashesByGet,
  storeOnce,
} from '../support/archive-state.ts';
import { ByteAssociation, IMPLICIT_LE } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import {
  echo,
  find,
  identifier,
  queryContexts,
  sha256,
  storageContexts,
  store,
  TAG,
  VERIFICATION,
} from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { fillUp, smallFilesystem } from '../support/small-filesystem.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MB = 1 << 20;
const OUT_OF_RESOURCES = 0xa700;

/** An instance whose Pixel Data has so many bytes, even. */
function instanceOf(bytes: number): MadeInstance {
  const pixels = Array.from({ length: Math.ceil(bytes / NOISE.length) }, () => NOISE);
  const value = Buffer.concat(pixels).subarray(0, bytes);
  return madeInstance({ elements: [{ tag: 0x7fe00010, vr: 'OW', value }] });
}

const CONTEXTS = [
  ...storageContexts([madeInstance()]),
  { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LE] },
];

/** Stores until something else than Success comes back; what was acknowledged, and that status. */
async function fill(
  daemon: Daemon,
  bytes: number,
): Promise<{ acknowledged: MadeInstance[]; refused: MadeInstance; status: number }> {
  const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
  const acknowledged: MadeInstance[] = [];
  for (;;) {
    const instance = instanceOf(bytes);
    const { Status } = await store(association, instance);
    if (Status === 0) acknowledged.push(instance);
    else {
      assert.equal(await echo(association), 0, 'the association goes on');
      await association.release();
      return { acknowledged, refused: instance, status: Number(Status) };
    }
    assert.ok(acknowledged.length < 1000, 'the disk never fills');
  }
}

async function assertAllThere(
  daemon: Daemon,
  instances: readonly MadeInstance[],
  absent: readonly MadeInstance[],
): Promise<void> {
  assert.deepEqual(filesIn(daemon.dataDir, 'incoming'), []);
  const uids = [...instances, ...absent].map(({ sopInstanceUid }) => sopInstanceUid);
  assert.deepEqual(
    await foundUids(daemon, uids),
    new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid)),
  );
  const hashes = await hashesByGet(daemon, instances);
  for (const { sopInstanceUid, dataSet } of instances)
    assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
  assert.deepEqual(
    new Set(assertFilesProveThemselves(daemon.dataDir)),
    new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid)),
  );
}

describe('a full disk', () => {
  test('everything on one small volume, with the usual reserve', async () => {
    await using disk = await smallFilesystem(96);
    const filler = join(disk.path, 'filler');
    await writeFile(filler, Buffer.alloc(24 * MB, 1));
    const dataDir = join(disk.path, 'data');
    let acknowledged: MadeInstance[] = [];
    {
      await using daemon = await startDaemon({ dataDir });
      const filled = await fill(daemon, 2 * MB);
      const { refused } = filled;
      acknowledged = filled.acknowledged;
      assert.equal(filled.status, OUT_OF_RESOURCES);
      assert.ok(acknowledged.length > 3, `only ${acknowledged.length} instances fitted`);
      assert.ok(
        faultLines(dataDir).some((line) => /space/i.test(line)),
        'a log line that says so',
      );
      await assertAllThere(daemon, acknowledged, [refused]);
      // Even a tiny instance is refused before its first byte is written.
      const tiny = await fill(daemon, 100);
      assert.equal(tiny.status, OUT_OF_RESOURCES);
      assert.deepEqual((await statfs(disk.path)).bavail > 0, true, 'the reserve is kept');
      acknowledged.push(...tiny.acknowledged);

      await rm(filler);
      const again = await storeOnce(daemon, refused);
      assert.equal(again, 0, 'space returned');
      acknowledged.push(refused);
      await assertAllThere(daemon, acknowledged, []);
    }
    await using restarted = await startDaemon({ dataDir });
    await assertAllThere(restarted, acknowledged, []);
  });

  test('an instance larger than what is left fails in the middle, and the rest of it is drained', async () => {
    await using folder = await tempFolder('full');
    await using disk = await smallFilesystem(64);
    await mkdir(join(folder.path, 'data'));
    await writeFile(
      join(folder.path, 'data', 'config.json'),
      JSON.stringify({ archive: { directory: join(disk.path, 'archive'), reserveBytes: 0 } }),
    );
    await using daemon = await startDaemon({ dataDir: join(folder.path, 'data') });
    const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
    const small = madeInstance();
    const large = instanceOf(90 * MB);
    assert.equal((await store(association, small)).Status, 0);
    assert.equal((await store(association, large)).Status, OUT_OF_RESOURCES);
    assert.deepEqual(filesIn(disk.path, 'incoming'), []);
    const next = madeInstance();
    assert.equal((await store(association, next)).Status, 0);
    await association.release();
    const uids = [small, large, next].map(({ sopInstanceUid }) => sopInstanceUid);
    assert.deepEqual(await foundUids(daemon, uids), new Set([uids[0]!, uids[2]!]));
    const hashes = await hashesByGet(daemon, [small, next]);
    for (const { sopInstanceUid, dataSet } of [small, next])
      assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
  });

  test('no room for the catalogue alone: queries are answered, or refused in plain words until there is', async () => {
    await using folder = await tempFolder('full');
    await using disk = await smallFilesystem(16);
    const dataDir = join(disk.path, 'data');
    await mkdir(dataDir);
    await writeFile(
      join(dataDir, 'config.json'),
      JSON.stringify({ archive: { directory: join(folder.path, 'archive') } }),
    );
    await using daemon = await startDaemon({ dataDir });
    const early = madeInstance();
    const late = madeInstance();
    const uids = [early, late].map(({ sopInstanceUid }) => sopInstanceUid);
    assert.equal(await storeOnce(daemon, early), 0);
    assert.deepEqual(await foundUids(daemon, uids), new Set([early.sopInstanceUid]));

    const filler = join(disk.path, 'filler');
    await fillUp(filler);
    assert.deepEqual(await foundUids(daemon, uids), new Set([early.sopInstanceUid]));
    assert.equal(await storeOnce(daemon, late), 0, 'the archive has a volume of its own');
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('find', ['study']),
    });
    const keys = identifier('STUDY', [{ tag: TAG.StudyInstanceUID, vr: 'UI', value: late.studyUid }]);
    for (let again = 0; again < 3; again++) {
      const refused = await find(association, 'study', keys);
      assert.equal(refused.status, OUT_OF_RESOURCES);
      assert.match(String(refused.final.ErrorComment), /catalogue has no room .* free some space/);
    }
    await rm(filler);
    const answered = await find(association, 'study', keys);
    assert.equal(answered.status, 0);
    assert.equal(answered.matches.length, 1);
    await association.release();
  });

  test('not a byte left, on the volume of the catalogue as well: nothing acknowledged is lost', async () => {
    await using disk = await smallFilesystem(64);
    const dataDir = join(disk.path, 'data');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'config.json'), JSON.stringify({ archive: { reserveBytes: 0 } }));
    const kept: MadeInstance[] = [];
    {
      await using daemon = await startDaemon({ dataDir });
      for (const bytes of [4 * MB, MB, 64 * 1024, 1024]) {
        const { acknowledged, status } = await fill(daemon, bytes);
        assert.equal(status, OUT_OF_RESOURCES, `at ${bytes} bytes`);
        kept.push(...acknowledged);
      }
      assert.deepEqual(filesIn(dataDir, 'incoming'), []);
      assert.equal(daemon.process.end, undefined);
    }
    // The daemon was killed on the full disk. With room again it must come up with all that it promised.
    await using roomy = await smallFilesystem(128);
    await cp(dataDir, join(roomy.path, 'data'), { recursive: true });
    await using restarted = await startDaemon({ dataDir: join(roomy.path, 'data') });
    const uids = kept.map(({ sopInstanceUid }) => sopInstanceUid);
    assert.deepEqual(await foundUids(restarted, uids), new Set(uids));
    const hashes = await hashesByGet(restarted, kept);
    for (const { sopInstanceUid, dataSet } of kept) assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
  });
});
