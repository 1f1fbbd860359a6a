// Contract: reading in pages, stopping, retrieval selection, and what happens at the same time.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { InstanceRecord } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { fillCatalog } from '../../support/catalog-filler.ts';
import { archiveRecords, instanceRecord, pn, studyFacts, text } from '../../support/catalog-generator.ts';
import { heldBytes } from '../../support/garbage.ts';
import { type EngineUnderTest, findAll, firstValue, freshCatalog, selectAll, uidsOf } from './harness.ts';

export function readingSuite(engine: EngineUnderTest): void {
  describe(`reading on ${engine.name}`, () => {
    test('every match comes once, in pages of bounded size, on every level', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const shape = { studies: 300, seriesPerStudy: 2, instancesPerSeries: 3 };
      await ingestAll(catalog, archiveRecords(shape));
      for (const [level, expected] of [
        ['PATIENT', 150],
        ['STUDY', 300],
        ['SERIES', 600],
        ['IMAGE', 1800],
      ] as const) {
        const seen = new Set<string>();
        let count = 0;
        for await (const page of catalog.find({ level, identifier: {} })) {
          assert.ok(page.length <= 256, `${page.length} matches in one page`);
          count += page.length;
          for (const { attributes } of page) {
            seen.add(
              [TAG.PatientID, TAG.StudyInstanceUID, TAG.SeriesInstanceUID, TAG.SOPInstanceUID]
                .map((tag) => firstValue(attributes, tag))
                .join(),
            );
          }
        }
        assert.deepEqual([count, seen.size], [expected, expected], level);
      }
    });

    test('a query holds nothing of the pages that were read', async (t) => {
      const url = await engine.fresh(t);
      await fillCatalog(url, { studies: 3000, seriesPerStudy: 1, instancesPerSeries: 1 });
      const catalog = await openCatalog(url);
      t.after(() => catalog.close());
      const { signal } = new AbortController();
      const held: number[] = [];
      let matches = 0;
      for await (const page of catalog.find({ level: 'STUDY', identifier: {}, signal })) {
        matches += page.length;
        if (held.length === 0 || matches >= 2700) held.push(await heldBytes());
      }
      const growth = (held.at(-1) ?? 0) - (held[0] ?? 0);
      assert.ok(growth < 2_000_000, `${growth} bytes more after ${matches} matches`);
    });

    test('without keys the newest studies come first', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const dated = (study: number, date: string) =>
        instanceRecord(study, 1, 1, { attributes: { [TAG.StudyDate]: text('DA', date) } });
      await catalog.ingest([dated(1, '20200101'), dated(2, '20240101'), dated(3, ''), dated(4, '20220101')]);
      const matches = await findAll(catalog, { level: 'STUDY', identifier: {} });
      assert.deepEqual(
        matches.map((match) => firstValue(match.attributes, TAG.StudyInstanceUID)),
        ['1.2.826.1.2', '1.2.826.1.4', '1.2.826.1.1', '1.2.826.1.3'],
      );
    });

    test('only what the query names comes back, kept, counted and of the levels above', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await ingestAll(catalog, archiveRecords({ studies: 40, seriesPerStudy: 2, instancesPerSeries: 3 }));
      const returnKeys = [TAG.PatientID, TAG.StudyTime, TAG.NumberOfStudyRelatedInstances, '00091010'];
      const whole = await findAll(catalog, { level: 'STUDY', identifier: {} });
      const some = await findAll(catalog, { level: 'STUDY', identifier: {}, returnKeys });
      assert.deepEqual(
        some,
        whole.map(({ attributes, ...match }) => ({
          ...match,
          attributes: Object.fromEntries(
            Object.entries(attributes).filter(([tag]) => returnKeys.includes(tag)),
          ),
        })),
      );
      assert.ok(some.length === 40 && some.every(({ attributes }) => Object.keys(attributes).length === 3));
    });

    test('children beyond one step all come: many studies of a patient, series of a study, instances of a series', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const one = { [TAG.PatientID]: text('LO', 'SAME') };
      await catalog.ingest([
        ...Array.from({ length: 300 }, (_, i) => instanceRecord(`1${i}`, 1, 1, { attributes: one })),
        ...Array.from({ length: 300 }, (_, i) => instanceRecord('2', i, 1, { attributes: one })),
        ...Array.from({ length: 300 }, (_, i) =>
          instanceRecord('3', 1, i, { attributes: { ...one, [TAG.InstanceNumber]: text('IS', i % 2) } }),
        ),
      ]);
      const count = async (level: 'STUDY' | 'SERIES' | 'IMAGE') =>
        new Set(uidsOf(await findAll(catalog, { level, identifier: one }), level)).size;
      assert.deepEqual([await count('STUDY'), await count('SERIES'), await count('IMAGE')], [302, 601, 900]);
      assert.equal(
        new Set((await selectAll(catalog, { patientId: 'SAME' })).map((i) => i.sopInstanceUid)).size,
        900,
      );
    });

    test('many patients of one name all come', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const anonymous = { [TAG.PatientName]: pn('ANONYMOUS') };
      await catalog.ingest(
        Array.from({ length: 400 }, (_, i) => instanceRecord(i, 1, 1, { attributes: anonymous })),
      );
      for (const name of ['ANONYMOUS', 'anon*', '*nym*']) {
        const matches = await findAll(catalog, {
          level: 'STUDY',
          identifier: { [TAG.PatientName]: pn(name) },
        });
        assert.equal(new Set(uidsOf(matches, 'STUDY')).size, 400, name);
        assert.equal(matches.length, 400, name);
      }
    });

    test('C-CANCEL: an aborted query throws the reason, others go on (PS3.4 §C.4.1.1.3)', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await ingestAll(catalog, archiveRecords({ studies: 250, seriesPerStudy: 1, instancesPerSeries: 1 }));
      const reason = new Error('cancelled');
      const cancel = new AbortController();
      let pages = 0;
      await assert.rejects(async () => {
        for await (const _ of catalog.find({ level: 'STUDY', identifier: {}, signal: cancel.signal })) {
          pages++;
          cancel.abort(reason);
        }
      }, reason);
      assert.equal(pages, 1);
      assert.equal((await findAll(catalog, { level: 'STUDY', identifier: {} })).length, 250);
    });

    test('a query aborted before it starts, and one aborted while it searches', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await ingestAll(catalog, archiveRecords({ studies: 250, seriesPerStudy: 1, instancesPerSeries: 1 }));
      const before = AbortSignal.abort(new Error('before'));
      await assert.rejects(findAll(catalog, { level: 'STUDY', identifier: {}, signal: before }), /before/);
      const cancel = new AbortController();
      const nothing = { [TAG.StudyDescription]: text('LO', '*nothing*') };
      const searching = findAll(catalog, { level: 'IMAGE', identifier: nothing, signal: cancel.signal });
      cancel.abort(new Error('while'));
      await assert.rejects(searching, /while/);
    });

    test('a reader that leaves early ends the search', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await ingestAll(catalog, archiveRecords({ studies: 250, seriesPerStudy: 1, instancesPerSeries: 1 }));
      for await (const _ of catalog.find({ level: 'STUDY', identifier: {} })) break;
      for await (const _ of catalog.select({ studyUids: [studyFacts({ studies: 1 }, 0).uid] })) break;
      assert.equal((await catalog.counts()).studies, 250);
    });

    test('ingest goes on while a query is being read, and what it removes is not missed', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await ingestAll(catalog, archiveRecords({ studies: 300, seriesPerStudy: 1, instancesPerSeries: 1 }));
      const seen: unknown[] = [];
      for await (const page of catalog.find({ level: 'STUDY', identifier: {} })) {
        for (const match of page) seen.push(firstValue(match.attributes, TAG.StudyInstanceUID));
        await catalog.ingest([instanceRecord(seen.length, 1, 1)]);
      }
      assert.equal(new Set(seen).size, seen.length);
      assert.ok(seen.length >= 300);
    });

    test('what ingest has resolved is found by the next query', async (t) => {
      const catalog = await freshCatalog(engine, t);
      for (let i = 1; i <= 20; i++) {
        await catalog.ingest([instanceRecord(i, 1, 1)]);
        const identifier = { [TAG.PatientID]: text('LO', `P${i}`) };
        assert.equal((await findAll(catalog, { level: 'IMAGE', identifier })).length, 1);
      }
    });

    test('selection: series by series in order of Instance Number, keys combined', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await catalog.ingest([
        ...[3, 10, 1, 2].map((n) => instanceRecord(1, 1, n)),
        instanceRecord(1, 2, 5),
        instanceRecord(2, 1, 1),
        instanceRecord(1, 1, 99, { attributes: { [TAG.InstanceNumber]: { vr: 'IS' } } }),
      ]);
      const select = async (keys: Parameters<typeof selectAll>[1]) =>
        (await selectAll(catalog, keys)).map((found) => found.sopInstanceUid.slice('1.2.826.1.'.length));
      assert.deepEqual(await select({ studyUids: ['1.2.826.1.1'] }), [
        '1.1.1',
        '1.1.2',
        '1.1.3',
        '1.1.10',
        '1.1.99',
        '1.2.5',
      ]);
      assert.deepEqual(await select({ patientId: 'P2' }), ['2.1.1']);
      assert.deepEqual(await select({ patientId: 'P1', issuer: 'ELSEWHERE' }), []);
      assert.deepEqual(await select({ patientId: 'p1' }), []);
      assert.deepEqual(await select({ seriesUids: ['1.2.826.1.1.2', '1.2.826.1.2.1'] }), ['1.2.5', '2.1.1']);
      assert.deepEqual(await select({ studyUids: ['1.2.826.1.1'], seriesUids: ['1.2.826.1.2.1'] }), []);
      assert.deepEqual(
        await select({
          patientId: 'P1',
          sopInstanceUids: ['1.2.826.1.1.1.3', '1.2.826.1.1.1.1', '1.2.826.1.2.1.1', '9'],
        }),
        ['1.1.1', '1.1.3'],
      );
      assert.deepEqual(await select({ studyUids: [] }), []);
      await assert.rejects(select({}), { code: 'catalog-request' });
      await assert.rejects(select({ patientId: '' }), { code: 'catalog-request' });
    });

    test('after close every call is refused with catalog-closed, close again is nothing', async (t) => {
      const catalog = await openCatalog(await engine.fresh(t));
      const late = catalog.ingest([instanceRecord(1, 1, 1)]);
      await catalog.close();
      await late;
      await catalog.close();
      await assert.rejects(catalog.counts(), { code: 'catalog-closed' });
      await assert.rejects(findAll(catalog, { level: 'STUDY', identifier: {} }), { code: 'catalog-closed' });
    });

    test('closed and opened again everything is there', async (t) => {
      const url = await engine.fresh(t);
      const first = await openCatalog(url);
      await first.ingest([instanceRecord(1, 1, 1)]);
      await first.close();
      const second = await openCatalog(url);
      t.after(() => second.close());
      assert.equal((await second.counts()).instances, 1);
    });
  });
}

async function ingestAll(
  catalog: { ingest(batch: readonly InstanceRecord[]): Promise<void> },
  records: Iterable<InstanceRecord>,
): Promise<void> {
  const all = [...records];
  for (let start = 0; start < all.length; start += 256) await catalog.ingest(all.slice(start, start + 256));
}
