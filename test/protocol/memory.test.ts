// Memory is bounded whatever comes in: one instance of 1 GB, then eight of 250 MB at once (design: streaming end
// to end). The data sets are made while they are sent; what was kept is compared with what was sent, byte by byte.

import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { filesIn } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { machinePauses } from '../support/machine-pauses.ts';
import {
  dataSetChunks,
  newUidRoot,
  SHAPES,
  type SyntheticInstance,
  syntheticInstance,
  syntheticStudy,
} from '../support/synthetic-instances.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const MB = 1 << 20;
const PATIENCE_MS = 120_000;
const LONGEST_PAUSE_MS = 100;
const ATTEMPTS = 3;
const study = syntheticStudy(1, newUidRoot());

async function send(daemon: Daemon, instance: SyntheticInstance): Promise<void> {
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: storageContexts([instance]),
  });
  const dataSet = { [Symbol.iterator]: () => dataSetChunks(instance) };
  const { Status } = await store(association, { ...instance, dataSet }, {}, PATIENCE_MS);
  assert.equal(Status, 0);
  await association.release();
}

/** The data set in the stored file is what was sent, compared piece by piece. */
async function assertStored(dataDir: string, instance: SyntheticInstance): Promise<void> {
  const uid = instance.sopInstanceUid;
  const [name, ...others] = filesIn(dataDir, 'studies').filter((file) => file.endsWith(`/${uid}.dcm`));
  assert.ok(name !== undefined && others.length === 0, `one file for ${uid}`);
  await using file = await open(join(dataDir, 'archive', 'studies', name));
  const meta = await file.read({ buffer: Buffer.alloc(144), position: 0 });
  let position = 144 + meta.buffer.readUInt32LE(140);
  const buffer = Buffer.alloc(1 << 20);
  for (const chunk of dataSetChunks(instance)) {
    const { bytesRead } = await file.read({ buffer, length: chunk.length, position });
    assert.ok(
      chunk.equals(buffer.subarray(0, bytesRead)),
      `${uid} differs near byte ${position} of its file`,
    );
    position += chunk.length;
  }
  assert.equal((await file.stat()).size, position);
}

describe('memory', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('memory');
    daemon = await startDaemon({ dataDir: folder.path });
    // A pause because other tests have the processors is none of the daemon's: its threads go first.
    if (process.getuid?.() === 0) {
      for (const thread of await readdir(`/proc/${daemon.process.pid}/task`)) {
        setPriority(Number(thread), constants.priority.PRIORITY_HIGHEST);
      }
    }
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** A busy machine makes pauses of its own, now and then; one that the daemon makes is there every time, and longer
   *  than those of a thread that does nothing. */
  async function assertBounded(t: TestContext, limitMb: number, work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      // Reading the metric starts a new period of measurement.
      await daemon.metric('nodejs_eventloop_lag_max_seconds');
      daemon.process.resetPeakMemory();
      const machine = await machinePauses();
      await work();
      const machineMs = Math.round(await machine.stop());
      const pause = (await daemon.metric('nodejs_eventloop_lag_max_seconds')) ?? Number.NaN;
      const pauseMs = Math.round(pause * 1000);
      const peakMb = Math.round(daemon.memory().peakBytes / MB);
      t.diagnostic(`peak ${peakMb} MB, longest pause ${pauseMs} ms, of an idle thread ${machineMs} ms`);
      assert.ok(peakMb < limitMb, `peak ${peakMb} MB`);
      if (pauseMs < Math.max(LONGEST_PAUSE_MS, 2 * machineMs)) return;
      assert.ok(
        attempt < ATTEMPTS,
        `longest pause ${pauseMs} ms, ${ATTEMPTS} times over ${LONGEST_PAUSE_MS} ms`,
      );
    }
  }

  test('one multi-frame instance of 1 GB: peak RSS under 200 MB, no pause of 100 ms', async (t) => {
    const instance = syntheticInstance(study, SHAPES['1 GB XA'], 1, 1);
    await assertBounded(t, 200, () => send(daemon, instance));
    await assertStored(folder.path, instance);
  });

  test('eight instances of 250 MB at once: peak RSS under 300 MB, no pause of 100 ms', async (t) => {
    const instances = Array.from({ length: 8 }, (_, index) =>
      syntheticInstance(study, SHAPES['250 MB XA'], 2, index),
    );
    await assertBounded(t, 300, async () => {
      await Promise.all(instances.map((instance) => send(daemon, instance)));
    });
    for (const instance of instances) await assertStored(folder.path, instance);
    assert.deepEqual(filesIn(folder.path, 'incoming'), []);
  });
});
