// Two daemons, one of them the second archive of the other, through kill -9 of either side: in the end both hold the same
// bytes, and at no moment more is called committed than is safe there.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileHashes, filesIn } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { httpAsk } from '../support/http-site.ts';
import { freePort } from '../support/running-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const INSTANCES = Number(process.env.ANGIOVAULT_SECOND_ARCHIVE_INSTANCES ?? 300);
const KILLED = ['SECOND', 'FIRST', 'SECOND'] as const;
/** Of instances that are sent, committed and looked at again, on a machine that does other things. */
const DEADLINE_MS = 60_000 + INSTANCES * 60;
const LOOK_EVERY_MS = 250;
/** So that each kill falls into the sending. */
const LONGEST_BEFORE_KILL_MS = 700 + INSTANCES / 4;

/** Bytes up to the length of File Meta Information. */
const META_LENGTH_END = 144;

/** Of the data sets that lie in studies/ of one side; each is read once when it is whole, because none is ever written
 *  again. One that is just being made is looked at the next time. */
class StoredHashes {
  readonly #dataDir: string;
  readonly #byFile = new Map<string, string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  sorted(): string[] {
    const studies = join(this.#dataDir, 'archive', 'studies');
    for (const file of filesIn(this.#dataDir, 'studies')) {
      const path = join(studies, file);
      if (this.#byFile.has(file) || statSync(path).size < META_LENGTH_END) continue;
      const { claimed, actual } = fileHashes(path);
      if (claimed === actual) this.#byFile.set(file, actual);
    }
    return [...this.#byFile.values()].sort();
  }
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
    const expected = instances.map(({ dataSet }) => sha256(dataSet)).sort();
    const stored = {
      FIRST: new StoredHashes(join(folder.path, 'FIRST')),
      SECOND: new StoredHashes(join(folder.path, 'SECOND')),
    };
    /** What the first says is committed; never more than the second holds at that moment. */
    const committed = async (): Promise<number> => {
      const { json } = await httpAsk(daemons.FIRST.httpPort, `/api/studies/${studyUid}/copies`);
      const [copies] = json.items as { due: number; sent: number; committed: number; refused: number }[];
      const { due = 0, sent = 0, committed: count = 0, refused = 0 } = copies ?? {};
      assert.equal(due + sent + count + refused, INSTANCES, 'every instance is told of, whatever its state');
      const there = new Set(stored.SECOND.sorted());
      const safe = expected.filter((hash) => there.has(hash)).length;
      assert.ok(count <= safe, `${count} called committed, ${safe} are there`);
      return count;
    };
    for (const side of KILLED) {
      await pause(Math.random() * LONGEST_BEFORE_KILL_MS);
      await committed();
      await daemons[side].kill();
      daemons[side] = await start(side);
    }
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const count = await committed();
      if (count === INSTANCES) break;
      assert.ok(Date.now() < deadline, `${count} of ${INSTANCES}\n${daemons.FIRST.stderr}`);
      await pause(LOOK_EVERY_MS);
    }
    for (const side of ['FIRST', 'SECOND'] as const) {
      assert.deepEqual(stored[side].sorted(), expected, side);
    }
  } finally {
    await daemons.FIRST.kill();
    await daemons.SECOND.kill();
  }
});
