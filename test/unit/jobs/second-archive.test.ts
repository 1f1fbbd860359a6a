// A second archive: everything gets there, is committed there by its hash, and the numbers say no more than is known.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Job, Outcome } from '../../../src/catalog/job-store.ts';
import { STUDY_ROOT_GET, STUDY_ROOT_MOVE } from '../../../src/dicom/sop-class.ts';
import { fetchBackFrom } from '../../../src/jobs/fetch-back.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { sha256 } from '../../support/byte-services.ts';
import { ByteStorageScp } from '../../support/byte-storage-scp.ts';
import { type CommitmentSite, openCommitmentSite } from '../../support/commitment-site.ts';
import { flipByte } from '../../support/damage.ts';
import { serviceOf } from '../../support/integrity-service.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
let first: CommitmentSite;
let second: CommitmentSite;
before(async () => {
  folder = await tempFolder('second-archive');
  for (const name of ['first', 'second']) await mkdir(join(folder.path, name));
  second = await openCommitmentSite(join(folder.path, 'second'), { aeTitle: 'SECOND' });
  first = await openCommitmentSite(join(folder.path, 'first'), {
    aeTitle: 'FIRST',
    archives: ['SECOND'],
    rules: [
      { destination: 'WS', source: ['DSA'], unit: 'study', quietSeconds: 60 },
      { destination: 'WS2', modality: ['MR'], unit: 'instance', quietSeconds: 60 },
    ],
  });
  const local = { host: '127.0.0.1', report: 'new-association' } as const;
  first.reportPeers.set('SECOND', { ...local, aeTitle: 'SECOND', port: second.port });
  second.reportPeers.set('FIRST', { ...local, aeTitle: 'FIRST', port: first.port });
});
after(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Runs the job of a destination once, and, where it asked for commitment, the report of the other side. */
async function deliver(destination: string): Promise<Outcome> {
  const { runner } = first.queue;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const watch = (job: Job, outcome: Outcome) => {
    if (job.key === `deliver ${destination}`) resolve(outcome);
  };
  runner.on('settled', watch);
  const asked = { kind: 'deliver', key: `deliver ${destination}`, payload: { destination }, again: true };
  const { id, state } = await first.queue.enqueue({ ...asked, title: { peer: destination } });
  if (state === 'waiting') await first.queue.restart(id);
  return promise.finally(() => runner.off('settled', watch));
}

async function report(): Promise<Outcome> {
  const settled = second.settled();
  second.later(1000);
  return settled;
}

const keep = async (instances: readonly MadeInstance[]) => {
  for (const instance of instances) await first.opened.acknowledge(instance);
  await first.opened.archive.counts();
};
const peerOf = (aeTitle: string, port: number) =>
  ({ aeTitle, host: '127.0.0.1', port, may: ['store', 'query', 'retrieve'] }) as const;
const statusOf = async (studyUid: string, destination = 'SECOND') =>
  (await first.forwarding.ofStudies([studyUid])).find((one) => one.destination === destination);

describe('what goes to a second archive', () => {
  const studyUid = freshUid();
  const instances = Array.from({ length: 12 }, () => madeInstance({ studyUid }));

  test('is due before it is sent, sent before it is committed, and then the same there', async () => {
    await keep(instances);
    assert.equal((await statusOf(studyUid))?.due, 12);
    await deliver('SECOND');
    const { due, sent, committed } = (await statusOf(studyUid)) ?? {};
    assert.deepEqual([due, sent, committed], [0, 12, 0]);
    const open = await first.forwarding.uncommitted({
      destination: 'SECOND',
      after: 0,
      limit: 50,
    });
    assert.equal(open.length, 12);
    assert.equal((await report()).state, 'done');
    assert.deepEqual((await statusOf(studyUid))?.committed, 12);
    for (const { sopInstanceUid, dataSet } of instances) {
      const there = await second.opened.catalog.locate(sopInstanceUid);
      assert.equal(there?.location.sha256, sha256(dataSet));
    }
    const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
    const safe = await first.opened.catalog.deliveries.committedOf({ sopInstanceUids: uids });
    assert.deepEqual([...safe].sort(), [...uids].sort());
  });

  test('new content of an instance is due again, and is not counted as committed', async () => {
    const [old] = instances as [MadeInstance];
    await keep([madeInstance({ ...old, patientName: 'Other^Content' })]);
    assert.deepEqual([(await statusOf(studyUid))?.due, (await statusOf(studyUid))?.committed], [1, 11]);
    const uid = [old.sopInstanceUid];
    assert.deepEqual(await first.opened.catalog.deliveries.committedOf({ sopInstanceUids: uid }), []);
    await deliver('SECOND');
    await report();
    assert.equal((await statusOf(studyUid))?.committed, 12);
  });

  test('damaged there between sending and report: due again, with the reason', async () => {
    const damaged = madeInstance({ studyUid });
    await keep([damaged]);
    await deliver('SECOND');
    const there = await second.opened.catalog.locate(damaged.sopInstanceUid);
    await second.opened.archive.counts();
    const mend = await flipByte(join(folder.path, 'second/archive', there?.location.path ?? ''), -1);
    await report();
    const status = await statusOf(studyUid);
    assert.deepEqual([status?.due, status?.sent, status?.committed], [1, 0, 12]);
    await mend();
    first.later(20 * 60_000);
    await deliver('SECOND');
    await report();
    assert.equal((await statusOf(studyUid))?.committed, 13);
  });

  test('other bytes there than here are not committed: the hash is compared', async () => {
    const here = madeInstance({ studyUid });
    await keep([here]);
    await deliver('SECOND');
    // Content that somebody else sends there a moment later.
    await second.opened.store(madeInstance({ ...here, patientName: 'Changed^There' }));
    await report();
    assert.deepEqual([(await statusOf(studyUid))?.due, (await statusOf(studyUid))?.committed], [1, 13]);
  });

  test('what was here before is found and sent; until then the numbers are said to be incomplete', async () => {
    const { deliveries } = first.opened.catalog;
    const rows = await deliveries.take({ destination: 'SECOND', now: '9', limit: 10 });
    await deliveries.drop({ ids: rows.map(({ id }) => id) });
    const status = async () =>
      (await first.forwarding.status()).find(({ destination }) => destination === 'SECOND');
    assert.equal((await status())?.isSurveyed, false);
    assert.equal((await status())?.due, 0);
    const filled = new Promise((resolve) => {
      first.queue.runner.on('settled', (job) => job.kind === 'fill' && resolve(job));
    });
    await first.forwarding.start();
    await filled;
    const { isSurveyed, due = 0, sent = 0 } = (await status()) ?? {};
    assert.deepEqual([isSurveyed, due + sent], [true, 1]);
  });
});

describe('what is fetched back', () => {
  const fetchBack = (port: number) =>
    fetchBackFrom({
      aeTitle: () => 'FIRST',
      archives: () => [{ aeTitle: 'SECOND', host: '127.0.0.1', port }],
      arrivals: first.expected,
    });
  const offersNoGet = (t: { after(work: () => void): void }) => {
    second.notOffered.add(STUDY_ROOT_GET);
    t.after(() => second.notOffered.clear());
  };

  test('comes as the same bytes, small or large', async () => {
    const large = Buffer.concat(Array.from({ length: 40 }, () => NOISE));
    const pixels = { tag: 0x7fe00010, vr: 'OW', value: large };
    for (const instance of [madeInstance(), madeInstance({ elements: [pixels] })]) {
      await first.opened.store(instance);
      await second.opened.store(instance);
      const here = await first.opened.catalog.locate(instance.sopInstanceUid);
      assert.ok(here);
      const { source } = (await fetchBack(second.port)(here)) ?? {};
      assert.ok(source);
      const slices: Buffer[] = [];
      for (let read = await source.read(); read !== undefined; read = await source.read())
        slices.push(...read);
      assert.equal(sha256(Buffer.concat(slices)), here.location.sha256);
    }
  });

  test('comes by C-MOVE where there is no C-GET, and takes the place of the damaged file when its hash is right', async (t) => {
    offersNoGet(t);
    second.callers.update([peerOf('FIRST', first.port)], 'all');
    const large = { tag: 0x7fe00010, vr: 'OW', value: Buffer.concat([NOISE, NOISE, NOISE]) };
    const { service } = serviceOf(first.opened, { fetchBack: fetchBack(second.port) });
    for (const instance of [madeInstance(), madeInstance({ elements: [large] })]) {
      const { sopInstanceUid } = instance;
      await first.opened.store(instance);
      await second.opened.store(instance);
      const here = await first.opened.catalog.locate(sopInstanceUid);
      assert.ok(here);
      const file = join(folder.path, 'first/archive', here.location.path);
      const whole = await readFile(file);
      await flipByte(file, -1);
      await service.suspect(here);
      assert.deepEqual(await readFile(file), whole);
      assert.deepEqual(await first.opened.catalog.superseded(sopInstanceUid), [], 'it is no reception');
      const [finding] = await first.opened.catalog.ask('findings', {});
      assert.deepEqual([finding?.sopInstanceUid, finding?.state], [sopInstanceUid, 'solved']);
    }
  });

  test('by C-MOVE: other bytes do not take its place, and the finding stays open', async (t) => {
    offersNoGet(t);
    second.callers.update([peerOf('FIRST', first.port)], 'all');
    const instance = madeInstance();
    await first.opened.store(instance);
    await second.opened.store(madeInstance({ ...instance, patientName: 'Changed^There' }));
    const here = await first.opened.catalog.locate(instance.sopInstanceUid);
    assert.ok(here);
    const file = join(folder.path, 'first/archive', here.location.path);
    const mend = await flipByte(file, -1);
    const damaged = await readFile(file);
    const { service } = serviceOf(first.opened, { fetchBack: fetchBack(second.port) });
    await service.suspect(here);
    assert.deepEqual(await readFile(file), damaged);
    const [finding] = await first.opened.catalog.ask('findings', { state: 'open' });
    assert.equal(finding?.sopInstanceUid, instance.sopInstanceUid);
    const { actions } = await service.findings.get(finding.id);
    assert.match(actions[0]?.outcome ?? '', /SECOND: it sent other bytes than those that were received/);
    await mend();
  });

  test('by C-MOVE: nothing when it is not there, the words of the peer when it does not know us', async (t) => {
    offersNoGet(t);
    const instance = madeInstance();
    await first.opened.store(instance);
    const here = await first.opened.catalog.locate(instance.sopInstanceUid);
    assert.ok(here);
    second.callers.update([peerOf('FIRST', first.port)], 'all');
    assert.equal(await fetchBack(second.port)(here), undefined);
    second.callers.update([], 'all');
    await assert.rejects(fetchBack(second.port)(here), /SECOND: .*FIRST.* is not a known peer/);
    second.notOffered.add(STUDY_ROOT_MOVE);
    await assert.rejects(fetchBack(second.port)(here), /SECOND does not offer this service/);
  });

  test('is nothing when the second archive does not have it, and a failure when it cannot be asked', async () => {
    const instance = madeInstance();
    await first.opened.store(instance);
    const here = await first.opened.catalog.locate(instance.sopInstanceUid);
    assert.ok(here);
    assert.equal(await fetchBack(second.port)(here), undefined);
    const scp = await ByteStorageScp.listen();
    const { port } = scp;
    await scp.close();
    await assert.rejects(fetchBack(port)(here), /SECOND: .* nothing listens on port/);
  });
});

describe('a destination of rules', () => {
  test('gets whole studies after a quiet time, what it refuses is named, and is not asked for commitment in vain', async (t) => {
    const studyUid = freshUid();
    const instances = Array.from({ length: 4 }, () => madeInstance({ studyUid }));
    const refused = instances[2]?.sopInstanceUid;
    const scp = await ByteStorageScp.listen({
      choose: ({ abstractSyntax, transferSyntaxes }) =>
        abstractSyntax === '1.2.840.10008.1.20.1' ? undefined : transferSyntaxes[0],
      status: ({ sopInstanceUid }) => (sopInstanceUid === refused ? 0xa900 : 0),
    });
    t.after(() => scp.close());
    first.reportPeers.set('WS', {
      ...{ aeTitle: 'WS', host: '127.0.0.1', port: scp.port, report: 'new-association' },
    });
    await keep(instances);
    const early = await deliver('WS');
    assert.equal(early.state, 'waiting');
    assert.equal(scp.received.length, 0);
    first.later(61_000);
    assert.equal((await deliver('WS')).state, 'done');
    assert.equal(
      scp.takeReceived().filter(({ sopInstanceUid }) => sopInstanceUid !== refused).length >= 3,
      true,
    );
    const status = await statusOf(studyUid, 'WS');
    assert.deepEqual([status?.due, status?.sent, status?.committed, status?.refused], [0, 3, 0, 1]);
  });

  test('that is away: the job waits longer and longer, and nothing is called sent', async () => {
    const { port } = await ByteStorageScp.listen().then(async (scp) => {
      const free = { port: scp.port };
      await scp.close();
      return free;
    });
    first.reportPeers.set('WS2', {
      ...{ aeTitle: 'WS2', host: '127.0.0.1', port, report: 'new-association' },
    });
    const studyUid = freshUid();
    const modality = { tag: 0x00080060, vr: 'CS', value: 'MR' };
    await keep([madeInstance({ studyUid, elements: [modality] })]);
    const outcome = await deliver('WS2');
    assert.match('error' in outcome ? (outcome.error ?? '') : '', /nothing listens on port/);
    assert.deepEqual((await statusOf(studyUid, 'WS2'))?.due, 1);
  });
});
