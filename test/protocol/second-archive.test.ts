// Two daemons, one of them the second archive of the other, through kill -9 of either side: in the end both hold the same
// bytes, and at no moment more is called committed than is safe there.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openCatalog } from '../../src/catalog/open.ts';
import { fileHashes, filesIn } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/running-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const INSTANCES = Number(process.env.ANGIOVAULT_SECOND_ARCHIVE_INSTANCES ?? 300);
const KILLED = ['SECOND', 'FIRST', 'SECOND'] as const;
/** Of instances that are sent, committed and looked at again, on a machine that does other things. */
const DEADLINE_MS = 60_000 + INSTANCES * 30;
/** So that each kill falls into the sending. */
const LONGEST_BEFORE_KILL_MS = 700 + INSTANCES / 4;

/** Of the data sets that lie in studies/. */
function hashesIn(dataDir: string): string[] {
  const studies = join(dataDir, 'archive', 'studies');
  return filesIn(dataDir, 'studies').map((file) => fileHashes(join(studies, file)).actual);
}

test('a second archive holds everything, through three kills', async () => {
  await using folder = await tempFolder('second');
  const ports = { FIRST: await freePort(), SECOND: await freePort() };
  const start = (aeTitle: 'FIRST' | 'SECOND'): Promise<Daemon> =>
    startDaemon({ dataDir: join(folder.path, aeTitle), args: ['--dimse-port', `${ports[aeTitle]}`] });
  const peer = (aeTitle: 'FIRST' | 'SECOND') => ({ aeTitle, host: '127.0.0.1', port: ports[aeTitle] });
  const config = {
    FIRST: { aeTitle: 'FIRST', peers: [{ ...peer('SECOND'), role: 'second-archive' }] },
    SECOND: { aeTitle: 'SECOND', peers: [peer('FIRST')] },
  };
  for (const [name, settings] of Object.entries(config)) {
    await mkdir(join(folder.path, name));
    await writeFile(join(folder.path, name, 'config.json'), JSON.stringify(settings));
  }
  const studyUid = freshUid();
  const instances = Array.from({ length: INSTANCES }, (_, n) =>
    madeInstance({ studyUid, patientName: `N^${n}` }),
  );
  const daemons = { FIRST: await start('FIRST'), SECOND: await start('SECOND') };
  try {
    const association = await ByteAssociation.request({
      ...{ port: ports.FIRST, calledAeTitle: 'FIRST', contexts: storageContexts(instances) },
    });
    for (const instance of instances) await store(association, instance);
    await association.release();
    for (const side of KILLED) {
      await pause(Math.random() * LONGEST_BEFORE_KILL_MS);
      await daemons[side].kill();
      daemons[side] = await start(side);
    }
    const expected = instances.map(({ dataSet }) => sha256(dataSet)).sort();
    const deadline = Date.now() + DEADLINE_MS;
    let committed = 0;
    while (committed < INSTANCES) {
      assert.ok(Date.now() < deadline, `${committed} of ${INSTANCES}\n${daemons.FIRST.stderr}`);
      // The catalogue belongs to the daemon: it is read when that has stopped, and tells what it knew.
      await pause(4000);
      await daemons.FIRST.stop();
      const catalog = await openCatalog(`sqlite:${join(folder.path, 'FIRST', 'catalog.sqlite')}`);
      const [status] = await catalog.deliveries.ofStudies({ studyUids: [studyUid] });
      await catalog.close();
      committed = status?.committed ?? 0;
      const there = new Set(hashesIn(join(folder.path, 'SECOND')));
      const safe = expected.filter((hash) => there.has(hash)).length;
      assert.ok(committed <= safe, `${committed} called committed, ${safe} are there`);
      if (committed < INSTANCES) daemons.FIRST = await start('FIRST');
    }
    for (const side of ['FIRST', 'SECOND']) {
      assert.deepEqual(hashesIn(join(folder.path, side)).sort(), expected, side);
    }
  } finally {
    await daemons.FIRST.kill();
    await daemons.SECOND.kill();
  }
});
