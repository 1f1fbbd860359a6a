// The thread of the catalogue dies: nothing that was acknowledged is lost to those who ask, and nobody starts anything
// again by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { madeInstance } from '../../support/byte-instances.ts';
import { catalogKiller } from '../../support/catalog-thread.ts';
import { openArchive, selected } from '../../support/open-archive.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('what is acknowledged before and after the thread of the catalogue dies is found', async (t) => {
  const kill = catalogKiller(t);
  await using folder = await tempFolder('archive');
  await using opened = await openArchive(folder.path);
  const { archive } = opened;
  const instances = Array.from({ length: 4 }, () => madeInstance());
  await archive.counts();
  for (const [index, instance] of instances.entries()) {
    const input = { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
    await archive.store(input, byteSourceOf(instance.dataSet));
    // The first time with an instance waiting, the second time with one being written.
    if (index === 1) await kill();
    if (index === 2) {
      const counted = archive.counts().catch((error: unknown) => error);
      await kill();
      await counted;
    }
  }
  for (const { studyUid, sopInstanceUid } of instances) {
    const found = await selected(archive, studyUid);
    assert.deepEqual(
      found.map((instance) => instance.sopInstanceUid),
      [sopInstanceUid],
    );
  }
  assert.equal(archive.pendingInstances, 0);
});
