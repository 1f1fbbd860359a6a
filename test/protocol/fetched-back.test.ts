// What arrives under the UID of an instance that is being fetched back by C-MOVE: the wanted bytes go to the repair, and
// anything else that is answered with Success is kept as what it is, a reception.

import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InstanceLocation } from '../../src/archive/archive.ts';
import { STUDY_ROOT_GET } from '../../src/dicom/sop-class.ts';
import { fetchBackFrom } from '../../src/jobs/fetch-back.ts';
import { filesIn } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { ByteStorageScp } from '../support/byte-storage-scp.ts';
import { type CommitmentSite, openCommitmentSite } from '../support/commitment-site.ts';
import { flipByte } from '../support/damage.ts';
import { serviceOf } from '../support/integrity-service.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const OURS = { MoveOriginatorApplicationEntityTitle: 'FIRST', MoveOriginatorMessageID: 1 };

let folder: TempFolder;
let site: CommitmentSite;
before(async () => {
  folder = await tempFolder('fetched-back');
  site = await openCommitmentSite(folder.path, { aeTitle: 'FIRST' });
});
after(async () => {
  await site[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A C-STORE on an association of its own; answers the status. */
async function push(instance: MadeInstance, command = {}, callingAeTitle = 'SECOND'): Promise<number> {
  const contexts = storageContexts([instance]);
  const association = await ByteAssociation.request({ port: site.port, callingAeTitle, contexts });
  const { Status } = await store(association, instance, command);
  await association.release();
  return Number(Status);
}

/** Has `instance` repaired by a second archive that does `sending` when it is asked by C-MOVE to send it; answers what
 *  came out, and what became of the repair. */
async function fetching<T>(instance: InstanceLocation, sending: () => Promise<T>) {
  const sent = Promise.withResolvers<T>();
  await using stack = new AsyncDisposableStack();
  const scp = await ByteStorageScp.listen({
    choose: ({ abstractSyntax, transferSyntaxes }) =>
      abstractSyntax === STUDY_ROOT_GET ? undefined : transferSyntaxes[0],
    move: async () => {
      sent.resolve(sending());
      await sent.promise;
      return 0;
    },
  });
  stack.defer(() => scp.close());
  const archives = () => [{ aeTitle: 'SECOND', host: '127.0.0.1', port: scp.port }];
  const fetchBack = fetchBackFrom({ aeTitle: () => 'FIRST', archives, arrivals: site.expected });
  const { service } = serviceOf(site.opened, { fetchBack });
  await service.suspect(instance);
  const answer = await sent.promise;
  await site.opened.archive.counts();
  const [finding] = await site.opened.catalog.ask('findings', {});
  assert.equal(finding?.sopInstanceUid, instance.sopInstanceUid);
  assert.deepEqual(filesIn(folder.path, 'incoming'), []);
  return { answer, state: finding?.state };
}

const fileOf = ({ path }: { readonly path: string }) => join(folder.path, 'archive', path);
const located = async ({ sopInstanceUid }: MadeInstance): Promise<InstanceLocation> => {
  const found = await site.opened.catalog.locate(sopInstanceUid);
  assert.ok(found);
  return found;
};
/** Stored and damaged. */
async function damagedOf(instance: MadeInstance): Promise<{ here: InstanceLocation; whole: Buffer }> {
  await site.opened.store(instance);
  const here = await located(instance);
  const whole = await readFile(fileOf(here.location));
  await flipByte(fileOf(here.location), -1);
  return { here, whole };
}
const other = (instance: MadeInstance) => madeInstance({ ...instance, patientName: 'Other^Content' });

async function assertCurrent(instance: MadeInstance): Promise<void> {
  const { location } = await located(instance);
  assert.equal(location.sha256, sha256(instance.dataSet));
  const data = (await readFile(fileOf(location))).subarray(location.dataSetOffset);
  assert.equal(sha256(data), location.sha256);
}

describe('while an instance is fetched back by C-MOVE', () => {
  for (const [name, callingAeTitle] of [
    ['from the second archive', 'SECOND'],
    ['from somebody else', 'MODALITY'],
  ] as const) {
    test(`other content ${name} that does not say that it is the answer is kept`, async () => {
      const instance = madeInstance();
      const { here } = await damagedOf(instance);
      const pushed = other(instance);
      const { answer, state } = await fetching(here, () => push(pushed, {}, callingAeTitle));
      assert.deepEqual([answer, state], [0, 'open']);
      await assertCurrent(pushed);
      const [older] = await site.opened.catalog.superseded(instance.sopInstanceUid);
      assert.equal(older?.sha256, sha256(instance.dataSet));
    });
  }

  test('other content that says it is the answer is refused, and changes nothing', async () => {
    const instance = madeInstance();
    const { here } = await damagedOf(instance);
    const { answer, state } = await fetching(here, () => push(other(instance), OURS));
    assert.deepEqual([answer, state], [0x0110, 'open']);
    assert.equal((await located(instance)).location.sha256, sha256(instance.dataSet));
    assert.deepEqual(await site.opened.catalog.superseded(instance.sopInstanceUid), []);
  });

  test('other content that somebody else has moved here is kept, and the answer still taken', async () => {
    const instance = madeInstance();
    const { here } = await damagedOf(instance);
    const pushed = other(instance);
    const theirs = { ...OURS, MoveOriginatorApplicationEntityTitle: 'WORKSTATION' };
    const { answer, state } = await fetching(here, () =>
      Promise.all([push(pushed, theirs, 'MODALITY'), push(instance, OURS)]),
    );
    assert.deepEqual([answer, state], [[0, 0], 'solved']);
    await assertCurrent(pushed);
    const [older] = await site.opened.catalog.superseded(instance.sopInstanceUid);
    assert.equal(older?.sha256, sha256(instance.dataSet));
  });

  for (const [size, elements] of [
    ['small', []],
    ['large', [{ tag: 0x7fe00010, vr: 'OW', value: Buffer.concat(Array(40).fill(NOISE)) }]],
  ] as const) {
    test(`a ${size} instance that comes twice, whoever says that it is the answer, is repaired once`, async () => {
      const instance = madeInstance({ elements });
      const { here, whole } = await damagedOf(instance);
      const { answer, state } = await fetching(here, () =>
        Promise.all([push(instance), push(instance, OURS, 'ANOTHER')]),
      );
      assert.deepEqual([answer, state], [[0, 0], 'solved']);
      assert.deepEqual(await readFile(fileOf(here.location)), whole);
      assert.deepEqual(await site.opened.catalog.superseded(instance.sopInstanceUid), []);
    });
  }

  test('the wanted bytes and other ones at once: each is where its sender was told', async () => {
    const instance = madeInstance();
    const { here } = await damagedOf(instance);
    const pushed = other(instance);
    const { answer } = await fetching(here, () => Promise.all([push(instance), push(pushed)]));
    // Of two that come at once either may be the first; what is not taken is not answered with Success.
    assert.equal(answer[1], 0);
    await assertCurrent(pushed);
    const [older] = await site.opened.catalog.superseded(instance.sopInstanceUid);
    assert.equal(older?.sha256, sha256(instance.dataSet));
    if (answer[0] === 0) {
      const data = (await readFile(fileOf(older!))).subarray(older!.dataSetOffset);
      assert.equal(sha256(data), sha256(instance.dataSet));
    }
  });

  test('older content goes back to its place, and the newer one stays the current one', async () => {
    const instance = madeInstance();
    const newer = other(instance);
    await site.opened.store(instance);
    await site.opened.store(newer);
    const current = await located(instance);
    const [older] = await site.opened.catalog.superseded(instance.sopInstanceUid);
    assert.ok(older);
    const whole = await readFile(fileOf(older));
    await flipByte(fileOf(older), -1);
    const { answer, state } = await fetching({ ...current, location: older }, () => push(instance));
    assert.deepEqual([answer, state], [0, 'solved']);
    assert.deepEqual(await readFile(fileOf(older)), whole);
    await assertCurrent(newer);
  });

  test('what cannot be put in its place is not answered with Success', async () => {
    const instance = madeInstance();
    const { here } = await damagedOf(instance);
    const quarantine = join(folder.path, 'archive/quarantine');
    const { answer, state } = await fetching(here, async () => {
      await rm(quarantine, { recursive: true });
      await writeFile(quarantine, '');
      return push(instance, OURS);
    });
    assert.deepEqual([answer, state], [0x0110, 'open']);
    await rm(quarantine);
    const again = await fetching(here, () => push(instance, OURS));
    assert.deepEqual([again.answer, again.state], [0, 'solved']);
    await assertCurrent(instance);
  });
});
