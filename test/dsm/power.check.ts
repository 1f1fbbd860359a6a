// Reboot, power cut and upgrade while machines send: what got Success is there afterwards, and the service is back by
// itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { foundUids, hashesByGet } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { addressOf, makeNas, type Nas, NEW, OLD, packageOf, UPGRADE, until } from './support.ts';

const ASSOCIATIONS = 3;
const PIXEL_DATA = 0x7fe00010;
const older = packageOf(OLD);
const newer = packageOf(NEW);

let nas: Nas;
const acknowledged: MadeInstance[] = [];

/** Sends until the association ends; every tenth instance is a large one. */
async function sendUntilOver(): Promise<void> {
  const template = madeInstance();
  const association = await ByteAssociation.request({
    port: nas.port,
    calledAeTitle: 'VAULT',
    contexts: storageContexts([template]),
  });
  for (let index = 0; ; index += 1) {
    const pixels = index % 10 === 9 ? NOISE.subarray(0, 1_500_000) : NOISE.subarray(index, index + 4000);
    const instance = madeInstance({ elements: [{ tag: PIXEL_DATA, vr: 'OW', value: pixels }] });
    const { Status } = await store(association, instance);
    // A daemon that is going down may say so.
    if (Status !== 0) return;
    acknowledged.push(instance);
  }
}

/** Several machines send; when each has got some answers, `event` happens. */
async function whileSending(event: () => Promise<unknown>): Promise<void> {
  const had = acknowledged.length;
  const sending = Array.from({ length: ASSOCIATIONS }, () => sendUntilOver().catch(() => undefined));
  await until(() => acknowledged.length > had + 30);
  await event();
  await Promise.all(sending);
}

async function assertNothingLost(): Promise<void> {
  const uids = acknowledged.map(({ sopInstanceUid }) => sopInstanceUid);
  const found = await foundUids(addressOf(nas), uids);
  assert.deepEqual(
    uids.filter((uid) => !found.has(uid)),
    [],
    `of ${uids.length}`,
  );
  const some = acknowledged.slice(-40);
  const hashes = await hashesByGet(addressOf(nas), some);
  for (const instance of some) assert.equal(hashes.get(instance.sopInstanceUid), sha256(instance.dataSet));
}

describe('while three machines send', () => {
  before(async () => {
    nas = await makeNas();
    const outcome = await nas.center.install(older, { wizard: nas.wizard });
    assert.equal(outcome.stage, 'installed_and_started', outcome.message);
  });
  after(() => nas[Symbol.asyncDispose]());

  for (const round of [1, 2]) {
    test(`power cut ${round}: kill -9 of everything, MariaDB too`, async () => {
      await whileSending(() => nas.machine.powerCut());
      const outcome = await nas.center.boot();
      assert.equal(outcome.success, true);
      assert.deepEqual(
        outcome.scripts.map(({ env }) => env.SYNOPKG_PKG_STATUS),
        ['', ''],
      );
      assert.equal(await nas.center.status(), 0);
      await assertNothingLost();
    });
  }

  test('reboot', async () => {
    await whileSending(() => nas.center.shutDown());
    assert.equal((await nas.center.boot()).success, true);
    assert.equal(await nas.center.status(), 0);
    await assertNothingLost();
  });

  test('upgrade', async () => {
    await whileSending(async () => {
      const outcome = await nas.center.install(newer, { wizard: UPGRADE });
      assert.equal(outcome.stage, 'installed_and_started', outcome.message);
    });
    await assertNothingLost();
  });

  test('boot without MariaDB: not running, and running by itself when MariaDB comes', async () => {
    await nas.center.shutDown();
    await nas.center.boot({ mariaDb: false });
    assert.notEqual(await nas.center.status(), 0);
    await nas.mariaDb.start();
    await until(async () => (await nas.center.status()) === 0, 120_000);
    await assertNothingLost();
  });
});
