// Nothing acknowledged is lost (design §4): four associations send, the daemon is killed at a random moment and
// started again on the same data; every instance that got Success is found and comes back bit for bit.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  assertFilesProveThemselves,
  fileHashes,
  filesIn,
  foundUids,
  hashesByGet,
  storeOnce,
} from '../support/archive-state.ts';
import { AssociationOverError, ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, runAngiovault, startDaemon } from '../support/daemon.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_CRASH_ROUNDS ?? 20);
const ASSOCIATIONS = 4;
const PIXEL_DATA = 0x7fe00010;
/** More than the durable record takes of one instance. */
const PIXELS = Buffer.concat([NOISE, NOISE]);

/** All that was sent for one SOP Instance UID: hashes in the order of sending, and how many of them got Success. */
interface Sent {
  readonly instance: MadeInstance;
  readonly hashes: string[];
  acknowledged: number;
}

/** Repeatable random numbers (mulberry32), so that a failing run can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends until the association dies: mostly small instances, some large ones, some that replace an earlier one. */
async function sendUntilKilled(daemon: Daemon, random: () => number, studyUid: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  const seriesUid = freshUid();
  const template = madeInstance();
  try {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([template]),
    });
    for (let index = 0; ; index += 1) {
      const replaced = random() < 0.15 ? sent[Math.floor(random() * sent.length)] : undefined;
      const pixelBytes = 2 * Math.floor(random() < 0.1 ? random() * 900_000 : random() * 4_000);
      const instance = madeInstance({
        studyUid,
        seriesUid,
        patientName: `Round^${index}`,
        ...(replaced === undefined ? {} : { sopInstanceUid: replaced.instance.sopInstanceUid }),
        elements: [{ tag: PIXEL_DATA, vr: 'OW', value: PIXELS.subarray(index * 2, index * 2 + pixelBytes) }],
      });
      const record = replaced ?? { instance, hashes: [], acknowledged: 0 };
      if (replaced === undefined) sent.push(record);
      record.hashes.push(sha256(instance.dataSet));
      const { Status } = await store(association, instance);
      assert.equal(Status, 0);
      record.acknowledged = record.hashes.length;
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The daemon was killed under this association: refused, reset or closed, all of that is expected.
    assert.ok(error instanceof AssociationOverError || error instanceof Error);
    return sent;
  }
}

/** What comes back of an instance: the last acknowledged content, or one that was sent after it. */
async function assertNothingLost(daemon: Daemon, sent: readonly Sent[]): Promise<void> {
  const acknowledged = sent.filter((record) => record.acknowledged > 0);
  const uids = acknowledged.map(({ instance }) => instance.sopInstanceUid);
  const found = await foundUids(daemon, uids);
  assert.deepEqual(
    uids.filter((uid) => !found.has(uid)),
    [],
    'acknowledged and not found',
  );
  const returned = await hashesByGet(
    daemon,
    acknowledged.map(({ instance }) => instance),
  );
  for (const { instance, hashes, acknowledged: count } of acknowledged) {
    const hash = returned.get(instance.sopInstanceUid) ?? 'nothing';
    assert.ok(hashes.slice(count - 1).includes(hash), `${instance.sopInstanceUid} came back as ${hash}`);
  }
}

/** The files of these studies are what the catalogue knows, and older contents that got Success are kept. */
async function assertNoOrphans(
  daemon: Daemon,
  sent: readonly Sent[],
  studyUids: readonly string[],
): Promise<void> {
  assert.deepEqual(filesIn(daemon.dataDir, 'incoming'), []);
  const ofRound = (file: string): boolean => studyUids.some((uid) => file.includes(uid));
  const files = filesIn(daemon.dataDir, 'studies').filter(ofRound);
  const uids = files.map((file) => file.slice(file.lastIndexOf('/') + 1, -'.dcm'.length));
  assert.equal(new Set(uids).size, uids.length);
  assert.deepEqual(await foundUids(daemon, uids), new Set(uids), 'files that the catalogue does not know');
  const kept = new Set<string>();
  for (const folder of ['studies', 'superseded'] as const) {
    for (const file of filesIn(daemon.dataDir, folder).filter((name) =>
      sent.some(({ instance }) => name.includes(instance.sopInstanceUid)),
    )) {
      const { claimed, actual } = fileHashes(join(daemon.dataDir, 'archive', folder, file));
      assert.equal(claimed, actual, file);
      kept.add(actual);
    }
  }
  const lost = sent
    .flatMap((record) => record.hashes.slice(0, record.acknowledged))
    .filter((hash) => !kept.has(hash));
  assert.deepEqual(lost, [], 'acknowledged contents that no file holds');
}

test(`kill -9 in ${ROUNDS} rounds: no acknowledged instance lost, no orphan, no half file`, async (t) => {
  const seed = Number(process.env.ANGIOVAULT_CRASH_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`ANGIOVAULT_CRASH_SEED=${seed}`);
  const random = randomFrom(seed);
  await using folder = await tempFolder('crash');
  let daemon = await startDaemon({ dataDir: folder.path });
  let total = 0;
  const everything: Sent[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const studyUids = Array.from({ length: ASSOCIATIONS }, () => freshUid());
      const sending = studyUids.map((studyUid) => sendUntilKilled(daemon, random, studyUid));
      await setTimeout(100 + random() * 900);
      await daemon.kill();
      const sent = (await Promise.all(sending)).flat();
      if (random() < 0.25) {
        // Dying again while it recovers must not cost anything either.
        const ports = ['--dimse-port', '0', '--http-port', '0'];
        const recovering = runAngiovault('serve', ['--data', folder.path, ...ports]);
        await setTimeout(random() * 800);
        await recovering.kill();
      }
      daemon = await startDaemon({ dataDir: folder.path });
      await assertNothingLost(daemon, sent);
      await assertNoOrphans(daemon, sent, studyUids);
      total += sent.filter(({ acknowledged }) => acknowledged > 0).length;
      everything.push(...sent);
    }
    await assertNothingLost(daemon, everything);
    assertFilesProveThemselves(folder.path);
    assert.equal(await storeOnce(daemon, madeInstance()), 0);
    t.diagnostic(`${total} acknowledged instances`);
    assert.ok(total >= ROUNDS * ASSOCIATIONS, `only ${total} instances were acknowledged`);
  } finally {
    await daemon.kill();
  }
});
