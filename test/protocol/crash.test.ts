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
  storeOnce,
} from '../support/archive-state.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { assertNothingLost, randomFrom, type Sent, sendUntilKilled } from '../support/crash-senders.ts';
import { type Daemon, runAngiovault, startDaemon } from '../support/daemon.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_CRASH_ROUNDS ?? 20);
const ASSOCIATIONS = 4;
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
