// While the catalogue is away for long, most records are let go: read again, from the durable record or from files,
// they are what they were.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { IngestQueue } from '../../../src/archive/ingest-queue.ts';
import { type Entry, letGo, readAgain } from '../../../src/archive/waiting.ts';
import { CatalogError } from '../../../src/catalog/errors.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { openArchive, selected } from '../../support/open-archive.ts';
import { hashOf } from '../../support/recorded-receptions.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Too large for the durable record. */
function largeInstance(options: Partial<MadeInstance> & { patientName?: string } = {}): MadeInstance {
  const value = NOISE.subarray(0, 1_200_000);
  return madeInstance({ ...options, elements: [{ tag: 0x7fe00010, vr: 'OW', value }] });
}

/** Every time of receipt is a millisecond after the one before. */
function ticking(): () => Date {
  let time = Date.UTC(2026, 1, 1);
  return () => new Date(time++);
}

function pushed(t: TestContext): Entry[] {
  const entries: Entry[] = [];
  const { push } = IngestQueue.prototype;
  t.mock.method(IngestQueue.prototype, 'push', function (this: IngestQueue, entry: Entry) {
    entries.push(entry);
    push.call(this, entry);
  });
  return entries;
}

test('an instance that is let go is, read again, what it was: held, in its file, or driven from there', async (t) => {
  await using folder = await tempFolder('waiting');
  await using opened = await openArchive(folder.path, ticking());
  const entries = pushed(t);
  const small = madeInstance({ patientName: 'Wäit^ing' });
  const large = largeInstance();
  for (const instance of [small, large, largeInstance({ ...large, patientName: 'Newer^Name' })]) {
    await opened.acknowledge(instance);
  }
  const [first, second, third] = await readAgain(opened.storage, () => undefined, entries.map(letGo));
  const { tried: _, ...held } = entries[0] as Entry & { tried: unknown };
  assert.deepEqual(first, held);
  assert.deepEqual(second, entries[1]);
  assert.deepEqual(third, entries[2]);
  assert.ok(third?.record.supersededPath !== undefined);
});

describe('a catalogue that is away while more than 4096 instances come', () => {
  test('has all of them when it is back, and of two contents the one received last is current', async (t) => {
    await using folder = await tempFolder('waiting');
    await using opened = await openArchive(folder.path, ticking());
    const { archive, catalog } = opened;
    const away = t.mock.method(catalog, 'ingest', () =>
      Promise.reject(new CatalogError('catalog-unreachable', 'it is away')),
    );
    const { push } = IngestQueue.prototype;
    const seen = t.mock.method(IngestQueue.prototype, 'push', function (this: IngestQueue, entry: Entry) {
      push.call(this, entry);
      queue = this;
    });
    let queue: IngestQueue | undefined;
    await opened.acknowledge(madeInstance());
    await assert.rejects(archive.counts(), { code: 'catalog-unavailable' });
    seen.mock.restore();
    // As if they had come before: what is looked at here are those that follow.
    for (let instance = 1; instance <= 4095; instance += 1) {
      queue!.push({ outcome: 'stored', record: instanceRecord(1, 1, instance), sequence: 0 });
    }
    const small = madeInstance();
    const large = largeInstance();
    const newer = largeInstance({ ...large, patientName: 'Newer^Name' });
    const input = { ...small, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
    const { placed } = await archive.store(input, byteSourceOf(small.dataSet));
    // A release of the association waits for this.
    await placed;
    for (const instance of [large, newer]) await opened.acknowledge(instance);
    assert.equal(archive.pendingInstances, 4099);
    await assert.rejects(archive.counts(), { code: 'catalog-unavailable' });
    away.mock.restore();
    assert.equal((await archive.counts()).instances, 4098);
    assert.equal(archive.pendingInstances, 0);
    for (const instance of [small, newer]) {
      const [found] = await selected(archive, instance.studyUid);
      assert.equal(found?.location.sha256, hashOf(instance));
    }
    const [older] = await catalog.superseded(large.sopInstanceUid);
    assert.equal(older?.sha256, hashOf(large));
  });
});
