// What of other archives needs a person becomes a notice, one for each kind and destination, and goes with its reason.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Notices } from '../../../src/archive/notices.ts';
import type { Outcome } from '../../../src/catalog/job-store.ts';
import { STORAGE_COMMITMENT_PUSH_MODEL } from '../../../src/dicom/sop-class.ts';
import { tellTroubles } from '../../../src/main/upkeep.ts';
import { madeInstance } from '../../support/byte-instances.ts';
import { openCommitmentSite } from '../../support/commitment-site.ts';
import { freePort } from '../../support/running-process.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const LATER = new Date('2099-01-01T00:00:00Z');
const EARLIER = new Date('2000-01-01T00:00:00Z');

test('a second archive that takes nothing, then does not confirm, then does', async (t) => {
  await using folder = await tempFolder('troubles');
  for (const name of ['first', 'second']) await mkdir(join(folder.path, name));
  await using second = await openCommitmentSite(join(folder.path, 'second'), { aeTitle: 'SECOND' });
  await using first = await openCommitmentSite(join(folder.path, 'first'), {
    ...{ aeTitle: 'FIRST', archives: ['SECOND'] },
  });
  const local = { host: '127.0.0.1', report: 'new-association' } as const;
  first.reportPeers.set('SECOND', { ...local, aeTitle: 'SECOND', port: await freePort() });
  second.reportPeers.set('FIRST', { ...local, aeTitle: 'FIRST', port: first.port });
  const deliver = async (): Promise<Outcome> => {
    const settled = first.settled();
    const asked = { kind: 'deliver', key: 'deliver SECOND', payload: { destination: 'SECOND' }, again: true };
    const { id, state } = await first.queue.enqueue({ ...asked, title: { peer: 'SECOND' } });
    if (state === 'waiting') await first.queue.restart(id);
    return settled;
  };
  const notices = new Notices(first.opened.catalog, () => new Date());
  const events: string[] = [];
  notices.on('raised', ({ key }) => events.push(`raised ${key}`));
  notices.on('cleared', (key) => events.push(`cleared ${key}`));
  const look = async (before = LATER) => {
    await tellTroubles(notices, await first.forwarding.troubles(before));
    return events.splice(0);
  };
  for (let n = 0; n < 3; n += 1) await first.opened.acknowledge(madeInstance());
  await first.opened.archive.counts();

  await t.test('waiting is no trouble, whether for a day or a moment', async () => {
    assert.deepEqual(await look(), []);
  });

  await t.test('not reached: told when it lasts, once, with what to do', async () => {
    await deliver();
    assert.deepEqual(await look(EARLIER), []);
    assert.deepEqual(await look(), ['raised second-archive-behind:SECOND']);
    assert.deepEqual(await look(), []);
    const [notice] = await notices.list();
    assert.equal(notice?.params.instances, 3);
    assert.match(`${notice?.params.reason}`, /nothing listens on port/);
  });

  await t.test('reached, and without storage commitment: another one takes its place', async () => {
    first.reportPeers.set('SECOND', { ...local, aeTitle: 'SECOND', port: second.port });
    second.notOffered.add(STORAGE_COMMITMENT_PUSH_MODEL);
    await deliver();
    assert.deepEqual(await look(), [
      'raised commitment-failing:SECOND',
      'cleared second-archive-behind:SECOND',
    ]);
  });

  await t.test('confirmed: nothing is left', async () => {
    second.notOffered.clear();
    await deliver();
    const settled = second.settled();
    second.later(1000);
    await settled;
    assert.deepEqual(await look(), ['cleared commitment-failing:SECOND']);
    assert.deepEqual(await notices.list(), []);
  });
});
