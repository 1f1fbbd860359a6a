// The job `send`: everything arrives as it is stored, what failed is sent again and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendKind } from '../../../src/jobs/send-job.ts';
import { madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { ByteStorageScp } from '../../support/byte-storage-scp.ts';
import { startQueue } from '../../support/job-queue.ts';
import { openArchive } from '../../support/open-archive.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('send: refused instances are tried again, the others are not; an unknown peer is the end', async (t) => {
  await using folder = await tempFolder('send-job');
  await using opened = await openArchive(folder.path);
  const { archive, catalog } = opened;
  const studyUid = freshUid();
  const instances = Array.from({ length: 5 }, () => madeInstance({ studyUid }));
  for (const instance of instances) await opened.store(instance);
  const refused = instances[3]?.sopInstanceUid;
  let isFull = true;
  const scp = await ByteStorageScp.listen({
    aeTitle: 'WS',
    status: ({ sopInstanceUid }) => (isFull && sopInstanceUid === refused ? 0xa700 : 0),
  });
  t.after(() => scp.close());
  const peer = { aeTitle: 'WS', host: '127.0.0.1', port: scp.port };
  const kinds = [
    sendKind({
      archive,
      aeTitle: () => 'ANGIOVAULT',
      peerOf: (title) => (title === 'WS' ? peer : undefined),
    }),
  ];
  // Before the archive goes.
  const stops: (() => Promise<void>)[] = [];
  const { queue, settled, later } = await startQueue(
    { after: (stop) => stops.push(stop) },
    { store: catalog.jobs, kinds },
  );
  try {
    let end = settled();
    const title = { peer: 'WS', study: studyUid };
    const { id } = await queue.enqueue({
      kind: 'send',
      payload: { destination: 'WS', studyUids: [studyUid] },
      title,
    });
    const first = await end;
    assert.match('error' in first ? (first.error ?? '') : '', /^1 of 5 instances were not sent/);
    assert.deepEqual((await queue.get(id))?.progress, { done: 4, total: 5 });
    const sent = new Map(scp.takeReceived().map((one) => [one.sopInstanceUid, one.dataSet]));
    for (const { sopInstanceUid, dataSet } of instances) assert.deepEqual(sent.get(sopInstanceUid), dataSet);

    isFull = false;
    end = settled();
    later(10_000);
    assert.equal((await end).state, 'done');
    assert.deepEqual(
      scp.takeReceived().map(({ sopInstanceUid }) => sopInstanceUid),
      [refused],
    );
    assert.deepEqual((await queue.get(id))?.progress, { done: 5, total: 5 });

    for (const payload of [
      { destination: 'NOBODY', studyUids: [studyUid] },
      { destination: 'WS', studyUids: [freshUid()] },
    ]) {
      end = settled();
      await queue.enqueue({ kind: 'send', payload, title });
      assert.equal((await end).state, 'failed');
    }

    await scp.close();
    end = settled();
    await queue.enqueue({ kind: 'send', payload: { destination: 'WS', studyUids: [studyUid] }, title });
    const away = await end;
    assert.equal(away.state, 'waiting');
    assert.match('error' in away ? (away.error ?? '') : '', /nothing listens on port/);
  } finally {
    for (const stop of stops) await stop();
  }
});
