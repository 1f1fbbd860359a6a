// What leaves for another archive is compared with what was received: a damaged instance never arrives whole, is named,
// becomes a finding, and follows when it has been repaired.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Outcome } from '../../../src/catalog/job-store.ts';
import { sendKind } from '../../../src/jobs/send-job.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { ByteStorageScp, type StorageScpOptions } from '../../support/byte-storage-scp.ts';
import { flipByte } from '../../support/damage.ts';
import { serviceOf } from '../../support/integrity-service.ts';
import { startQueue, type TestQueue } from '../../support/job-queue.ts';
import { type OpenedArchive, openArchive } from '../../support/open-archive.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const LARGE = { tag: 0x7fe00010, vr: 'OW', value: Buffer.concat([NOISE, NOISE, NOISE]) };

const stack = new AsyncDisposableStack();
let folder: string;
let opened: OpenedArchive;
let jobs: TestQueue;
let scp: ByteStorageScp;
let accepts: (proposed: readonly string[]) => string | undefined = ([first]) => first;
const examined: Promise<void>[] = [];
/** What a second archive would have. */
const elsewhere = new Map<string, MadeInstance>();
before(async () => {
  folder = stack.use(await tempFolder('damaged-deliveries')).path;
  opened = stack.use(await openArchive(folder));
  const choose: StorageScpOptions['choose'] = ({ transferSyntaxes }) => accepts(transferSyntaxes);
  scp = await ByteStorageScp.listen({ aeTitle: 'WS', choose });
  stack.defer(() => scp.close());
  const { archive, catalog } = opened;
  const peer = { aeTitle: 'WS', host: '127.0.0.1', port: scp.port };
  const kinds = [sendKind({ archive, aeTitle: () => 'ANGIOVAULT', peerOf: () => peer })];
  jobs = await startQueue({ after: (stop) => stack.defer(stop) }, { store: catalog.jobs, kinds });
  const { service } = serviceOf(opened, {
    fetchBack: async ({ sopInstanceUid }) => {
      const there = elsewhere.get(sopInstanceUid);
      return there && { source: byteSourceOf(there.dataSet) };
    },
  });
  archive.on('suspect', (instance) => examined.push(service.suspect(instance)));
  stack.defer(() => service.stop());
});
after(() => stack.disposeAsync());

interface Sending {
  readonly id: number;
  readonly outcome: Outcome;
}

/** Stores them, damages the second one, and sends the study; answers what became of the first attempt. */
async function sendDamaged(
  instances: readonly MadeInstance[],
  damage: (file: string) => Promise<unknown> = (file) => flipByte(file, -1),
): Promise<Sending> {
  for (const instance of instances) await opened.store(instance);
  const damaged = instances[1]?.sopInstanceUid ?? '';
  const found = await opened.catalog.locate(damaged);
  await damage(join(folder, 'archive', found?.location.path ?? ''));
  const suspected = once(opened.archive, 'suspect');
  const payload = { destination: 'WS', studyUids: [instances[0]?.studyUid ?? ''] };
  const dueAt = new Date(jobs.now().getTime() + 60_000);
  const { id } = await jobs.queue.enqueue({ kind: 'send', payload, title: {}, dueAt });
  const outcome = await attempt(id);
  assert.equal((await suspected)[0].sopInstanceUid, damaged);
  return { id, outcome };
}

function attempt(id: number): Promise<Outcome> {
  const ended = jobs.settled(id);
  jobs.later(60_000);
  return ended;
}

const uidsOf = (instances: readonly { sopInstanceUid: string }[]) =>
  instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();
const errorOf = (outcome: Outcome) => ('error' in outcome ? (outcome.error ?? '') : '');

async function findingsOf({ sopInstanceUid }: MadeInstance) {
  const findings = await opened.catalog.ask('findings', {});
  return findings.filter((finding) => finding.sopInstanceUid === sopInstanceUid);
}

describe('a damaged instance among those to send', () => {
  for (const [size, elements] of [
    ['small', []],
    ['large', [LARGE]],
  ] as const) {
    test(`${size}: the others arrive, it does not, is named, and is a finding`, async () => {
      const studyUid = freshUid();
      const instances = Array.from({ length: 4 }, () => madeInstance({ studyUid, elements }));
      const [first, damaged, ...rest] = instances as [MadeInstance, MadeInstance];
      const { id, outcome } = await sendDamaged(instances);
      assert.equal(outcome.state, 'waiting');
      assert.match(errorOf(outcome), /^1 of 4 instances were not sent/);
      assert.ok(errorOf(outcome).includes(damaged.sopInstanceUid), errorOf(outcome));
      assert.match(errorOf(outcome), /is not what was received/);
      assert.deepEqual(uidsOf(scp.takeReceived()), uidsOf([first, ...rest]));
      await Promise.all(examined);
      const [finding] = await findingsOf(damaged);
      await jobs.queue.cancel(id);
      assert.equal(finding?.kind, 'data-altered');
    });
  }

  test('its file is gone: as one that is damaged', async () => {
    const studyUid = freshUid();
    const instances = [madeInstance({ studyUid }), madeInstance({ studyUid })];
    const { id, outcome } = await sendDamaged(instances, unlink);
    assert.match(errorOf(outcome), /^1 of 2 instances were not sent.*cannot be opened/);
    assert.deepEqual(uidsOf(scp.takeReceived()), uidsOf(instances.slice(0, 1)));
    await jobs.queue.cancel(id);
  });

  test('that would have to be converted is compared before', async () => {
    accepts = (proposed) => proposed.find((uid) => uid === EXPLICIT_LE);
    const studyUid = freshUid();
    const transferSyntaxUid = IMPLICIT_LE;
    const instances = [
      madeInstance({ studyUid, transferSyntaxUid }),
      madeInstance({ studyUid, transferSyntaxUid }),
    ];
    const { id, outcome } = await sendDamaged(instances);
    accepts = ([first]) => first;
    assert.match(errorOf(outcome), /is not what was received/);
    assert.deepEqual(uidsOf(scp.takeReceived()), uidsOf(instances.slice(0, 1)));
    await jobs.queue.cancel(id);
  });

  test('that could be repaired is sent by the next attempt, as it was received', async () => {
    const studyUid = freshUid();
    const instances = [madeInstance({ studyUid }), madeInstance({ studyUid })];
    const [, damaged] = instances as [MadeInstance, MadeInstance];
    elsewhere.set(damaged.sopInstanceUid, damaged);
    const { id } = await sendDamaged(instances);
    scp.takeReceived();
    await Promise.all(examined);
    assert.equal((await attempt(id)).state, 'done');
    const [sent] = scp.takeReceived();
    assert.deepEqual(sent?.dataSet, damaged.dataSet);
    const [finding] = await findingsOf(damaged);
    assert.equal(finding?.state, 'solved');
  });
});
