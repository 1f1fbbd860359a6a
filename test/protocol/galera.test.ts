// Two daemons on a Galera cluster of three: both receive parts of the same studies at the same time, each by a node of
// its own. A node is killed, another is cut off from its cluster, and no peer hears of it.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertCountersEqualRecount } from '../contract/catalog/harness.ts';
import { foundUids, logLines } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { GaleraCluster } from '../support/galera-cluster.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Of each kind; in full: 10. */
const ROUNDS = Number(process.env.ANGIOVAULT_GALERA_ROUNDS ?? 1);
const INSTANCES = Number(process.env.ANGIOVAULT_GALERA_INSTANCES ?? 60);
const STUDIES = 2;
const FAULTS = ['kill -9', 'cut off'] as const;

/** With its own folder for settings, and the archive that all share. */
async function startOn(folder: string, name: string, url: string): Promise<Daemon> {
  const dataDir = join(folder, name);
  await mkdir(dataDir);
  await writeFile(
    join(dataDir, 'config.json'),
    JSON.stringify({ archive: { directory: join(folder, 'archive') } }),
  );
  return startDaemon({ dataDir, args: ['--catalog', url], readyMs: 60_000 });
}

async function send(daemon: Daemon, instances: readonly MadeInstance[], onStored: () => void): Promise<void> {
  const contexts = storageContexts([instances[0]!]);
  const association = await ByteAssociation.request({ port: daemon.port, contexts });
  for (const instance of instances) {
    const { Status } = await store(association, instance);
    assert.equal(Status, 0);
    onStored();
  }
  await association.release();
}

test(`a node killed, a node cut off during ingest, ${ROUNDS} rounds: no peer notices, nothing is lost, counters are exact`, async () => {
  await using cluster = await GaleraCluster.start();
  await using folder = await tempFolder('galera');
  await mkdir(join(folder.path, 'archive'));
  const database = await cluster.nodes[0]!.freshDatabase();
  const urls = [cluster.url(database, [0, 1, 2]), cluster.url(database, [1, 2, 0])] as const;
  // Both at once: each makes the tables, or finds them made.
  const [one, two] = await Promise.all([
    startOn(folder.path, 'one', urls[0]),
    startOn(folder.path, 'two', urls[1]),
  ]);
  await using _one = one;
  await using _two = two;
  const everything: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const fault of FAULTS) {
      const studies = Array.from({ length: STUDIES }, () => ({
        studyUid: freshUid(),
        patientId: freshUid().slice(-20),
      }));
      const instances = Array.from({ length: 2 * INSTANCES }, (_, index) =>
        madeInstance(studies[index % STUDIES]),
      );
      const parts = [instances.slice(0, INSTANCES), instances.slice(INSTANCES)] as const;
      const stored = { count: 0, half: Promise.withResolvers<void>() };
      const onStored = (): void => {
        stored.count += 1;
        if (stored.count === INSTANCES) stored.half.resolve();
      };
      const sending = [send(one, parts[0], onStored), send(two, parts[1], onStored)];
      await Promise.race([stored.half.promise, Promise.all(sending)]);
      // Each time the second daemon goes on with the next one.
      const node = cluster.nodes[(1 + FAULTS.length * round + FAULTS.indexOf(fault)) % cluster.nodes.length]!;
      await (fault === 'kill -9' ? node.kill() : cluster.cutOff(node));
      await Promise.all(sending);

      const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
      everything.push(...uids);
      // Each answers when what it has acknowledged itself is in the catalogue, and then sees what the other one wrote.
      for (const daemon of [one, two, one]) await foundUids(daemon, uids.slice(0, 1));
      for (const daemon of [one, two]) {
        assert.deepEqual(
          await foundUids(daemon, everything),
          new Set(everything),
          `${fault}, round ${round}`,
        );
      }
      await (fault === 'kill -9' ? node.startAgain() : cluster.letIn(node));
    }
  }
  await assertCountersEqualRecount(urls[0]);
  assert.equal((await one.health()).status, 'ok');
  for (const { dataDir } of [one, two]) {
    assert.deepEqual(
      logLines(dataDir).filter((line) => /deadlock|lock wait|WSREP|prepared node/i.test(line)),
      [],
    );
  }
});
