// Contract: what ingest keeps, what it leaves alone, what moves.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog, InstanceRecord } from '../../../src/catalog/catalog.ts';
import { prepareIngest } from '../../../src/catalog/ingest.ts';
import { ingestRecordOf } from '../../../src/catalog/ingest-record.ts';
import { openEngine } from '../../../src/catalog/open-engine.ts';
import { instanceRecord, pn, text } from '../../support/catalog-generator.ts';
import {
  assertCountersEqualRecount,
  assertSearchKeysComplete,
  type EngineUnderTest,
  findAll,
  firstValue,
  freshCatalog,
  uidsOf,
} from './harness.ts';

const EARLY = '2024-01-01T00:00:00.000Z';
const LATE = '2024-06-01T00:00:00.000Z';
const LATEST = '2024-07-01T00:00:00.000Z';

export function ingestSuite(engine: EngineUnderTest): void {
  const catalogOf = (t: TestContext): Promise<Catalog> => freshCatalog(engine, t);
  const studyOf = async (catalog: Catalog, study: string | number) => {
    const identifier = { [TAG.StudyInstanceUID]: text('UI', `1.2.826.1.${study}`) };
    return (await findAll(catalog, { level: 'STUDY', identifier }))[0]?.attributes ?? {};
  };

  describe(`ingest on ${engine.name}`, () => {
    test('an empty catalogue counts nothing and finds nothing', async (t) => {
      const catalog = await catalogOf(t);
      assert.deepEqual(await catalog.counts(), {
        patients: 0,
        studies: 0,
        series: 0,
        instances: 0,
        bytes: 0,
      });
      assert.equal(await catalog.locate('1.2.3'), undefined);
      assert.deepEqual(await findAll(catalog, { level: 'STUDY', identifier: {} }), []);
    });

    test('an empty batch is no change', async (t) => {
      const catalog = await catalogOf(t);
      await catalog.ingest([]);
      assert.equal((await catalog.counts()).instances, 0);
    });

    test('what is ingested is located with everything that was said about it', async (t) => {
      const catalog = await catalogOf(t);
      const record = instanceRecord(1, 2, 3);
      await catalog.ingest([record]);
      assert.deepEqual(await catalog.locate(record.instance.uid), {
        sopInstanceUid: '1.2.826.1.1.2.3',
        sopClassUid: '1.2.840.10008.5.1.4.1.1.12.1',
        seriesUid: '1.2.826.1.1.2',
        studyUid: '1.2.826.1.1',
        patientId: 'P1',
        location: record.location,
      });
    });

    test('the same content again changes nothing, alone or within a batch', async (t) => {
      const catalog = await catalogOf(t);
      const record = instanceRecord(1, 1, 1);
      await catalog.ingest([record]);
      const before = await catalog.counts();
      const again = { ...record, location: { ...record.location, receivedAt: LATEST } };
      await catalog.ingest([again, again, record]);
      assert.deepEqual(await catalog.counts(), before);
      assert.equal(
        (await catalog.locate(record.instance.uid))?.location.receivedAt,
        record.location.receivedAt,
      );
      assert.deepEqual(await catalog.superseded(record.instance.uid), []);
    });

    test('counters and sets of a study follow a batch over many entities', async (t) => {
      const catalog = await catalogOf(t);
      const ct = { '00080060': text('CS', 'CT'), '00080016': text('UI', '1.2.840.10008.5.1.4.1.1.2') };
      await catalog.ingest([
        ...Array.from({ length: 70 }, (_, i) => instanceRecord(1, 1, i + 1)),
        ...Array.from({ length: 30 }, (_, i) => instanceRecord(1, 2, i + 1, { attributes: ct })),
        instanceRecord(2, 1, 1, { attributes: { '00100020': text('LO', 'P1') } }),
      ]);
      assert.deepEqual(await catalog.counts(), {
        patients: 1,
        studies: 2,
        series: 3,
        instances: 101,
        bytes: 101_000,
      });
      const study = await studyOf(catalog, 1);
      assert.equal(firstValue(study, TAG.NumberOfStudyRelatedSeries), 2);
      assert.equal(firstValue(study, TAG.NumberOfStudyRelatedInstances), 100);
      assert.deepEqual(study[TAG.ModalitiesInStudy], text('CS', 'CT', 'XA'));
      assert.deepEqual(study[TAG.SOPClassesInStudy]?.Value?.length, 2);
      assert.equal(firstValue(study, TAG.NumberOfPatientRelatedStudies), 2);
      assert.equal(firstValue(study, TAG.NumberOfPatientRelatedSeries), 3);
      assert.equal(firstValue(study, TAG.NumberOfPatientRelatedInstances), 101);
    });

    test('other content received later becomes current, the older stays listed', async (t) => {
      const catalog = await catalogOf(t);
      const first = instanceRecord(1, 1, 1, { receivedAt: EARLY });
      const options = {
        content: 'second',
        receivedAt: LATE,
        fileBytes: 1500,
        supersededPath: 'superseded/1',
      };
      const second = instanceRecord(1, 1, 1, options);
      await catalog.ingest([first]);
      await catalog.ingest([second]);
      assert.equal((await catalog.locate(first.instance.uid))?.location.sha256, second.location.sha256);
      assert.deepEqual(await catalog.superseded(first.instance.uid), [
        { ...first.location, path: 'superseded/1' },
      ]);
      assert.deepEqual(await catalog.counts(), {
        patients: 1,
        studies: 1,
        series: 1,
        instances: 1,
        bytes: 1500,
      });
      await catalog.ingest([first, second]);
      assert.equal((await catalog.superseded(first.instance.uid)).length, 1, 'a repetition adds nothing');
    });

    test('other content received earlier is listed and leaves the current alone', async (t) => {
      const catalog = await catalogOf(t);
      const current = instanceRecord(1, 1, 1, { receivedAt: LATE });
      const older = instanceRecord(1, 1, 1, { content: 'older', receivedAt: EARLY });
      const misplaced = { ...older, location: { ...older.location, path: 'superseded/older' } };
      await catalog.ingest([current, misplaced]);
      await catalog.ingest([misplaced]);
      assert.equal((await catalog.locate(current.instance.uid))?.location.sha256, current.location.sha256);
      assert.deepEqual(await catalog.superseded(current.instance.uid), [misplaced.location]);
    });

    test('a content that comes back becomes current again, both others stay listed', async (t) => {
      const catalog = await catalogOf(t);
      const a = instanceRecord(1, 1, 1, { receivedAt: EARLY });
      const b = instanceRecord(1, 1, 1, { content: 'b', receivedAt: LATE, supersededPath: 'superseded/a' });
      const back = instanceRecord(1, 1, 1, { receivedAt: LATEST, supersededPath: 'superseded/b' });
      for (let round = 0; round < 2; round++)
        for (const record of [a, b, back]) await catalog.ingest([record]);
      assert.equal((await catalog.locate(a.instance.uid))?.location.receivedAt, LATEST);
      assert.deepEqual(
        (await catalog.superseded(a.instance.uid)).map((location) => location.path),
        ['superseded/b', 'superseded/a'],
      );
    });

    test('a content that is overtaken and comes back within one batch is current', async (t) => {
      const catalog = await catalogOf(t);
      const a = instanceRecord(1, 1, 1, { receivedAt: EARLY });
      const b = instanceRecord(1, 1, 1, { content: 'b', receivedAt: LATE, supersededPath: 'superseded/a' });
      const back = instanceRecord(1, 1, 1, { receivedAt: LATEST, supersededPath: 'superseded/b' });
      await catalog.ingest([a]);
      await catalog.ingest([b, back]);
      assert.equal((await catalog.locate(a.instance.uid))?.location.receivedAt, LATEST);
      assert.equal((await catalog.superseded(a.instance.uid)).length, 2);
    });

    test('an instance UID that turns up in another study moves, and nothing empty stays', async (t) => {
      const catalog = await catalogOf(t);
      const uid = text('UI', '1.2.826.9');
      await catalog.ingest([instanceRecord(1, 1, 1, { attributes: { '00080018': uid }, receivedAt: EARLY })]);
      const attributes = { '00080018': uid, '00080060': text('CS', 'CT') };
      await catalog.ingest([instanceRecord(2, 1, 1, { attributes, receivedAt: LATE, content: 'moved' })]);
      assert.deepEqual(await catalog.counts(), {
        patients: 1,
        studies: 1,
        series: 1,
        instances: 1,
        bytes: 1000,
      });
      assert.equal((await catalog.locate('1.2.826.9'))?.studyUid, '1.2.826.1.2');
      assert.deepEqual(uidsOf(await findAll(catalog, { level: 'STUDY', identifier: {} }), 'STUDY'), [
        '1.2.826.1.2',
      ]);
      const gone = await findAll(catalog, { level: 'PATIENT', identifier: { '00100020': text('LO', 'P1') } });
      assert.deepEqual(gone, []);
    });

    test('attributes that differ: whatever was received last is shown', async (t) => {
      const catalog = await catalogOf(t);
      const named = (name: string) => ({
        '00081030': text('LO', name),
        '00100010': pn(name),
        '0008103E': text('LO', name),
      });
      await catalog.ingest([instanceRecord(1, 1, 1, { attributes: named('SECOND'), receivedAt: LATE })]);
      await catalog.ingest([instanceRecord(1, 1, 2, { attributes: named('FIRST'), receivedAt: EARLY })]);
      assert.equal(firstValue(await studyOf(catalog, 1), TAG.StudyDescription), 'SECOND');
      await catalog.ingest([instanceRecord(1, 1, 3, { attributes: named('THIRD'), receivedAt: LATEST })]);
      const [series] = await findAll(catalog, { level: 'SERIES', identifier: { '00100010': pn('THIRD') } });
      assert.equal(firstValue(series?.attributes ?? {}, TAG.StudyDescription), 'THIRD');
      assert.equal(firstValue(series?.attributes ?? {}, TAG.SeriesDescription), 'THIRD');
      assert.deepEqual(
        await findAll(catalog, { level: 'STUDY', identifier: { '00100010': pn('SECOND') } }),
        [],
      );
    });

    test('a series that changes its modality changes the modalities of its study', async (t) => {
      const catalog = await catalogOf(t);
      await catalog.ingest([instanceRecord(1, 1, 1, { receivedAt: EARLY })]);
      const attributes = { '00080060': text('CS', 'RF') };
      await catalog.ingest([instanceRecord(1, 1, 2, { attributes, receivedAt: LATE })]);
      assert.deepEqual((await studyOf(catalog, 1))[TAG.ModalitiesInStudy], text('CS', 'RF'));
      const xa = { [TAG.ModalitiesInStudy]: text('CS', 'XA') };
      assert.deepEqual(await findAll(catalog, { level: 'STUDY', identifier: xa }), []);
    });

    test('a study with two patients follows the one received last', async (t) => {
      const catalog = await catalogOf(t);
      const as = (id: string) => ({ '00100020': text('LO', id), '00100010': pn(`NAME^${id}`) });
      await catalog.ingest([instanceRecord(1, 1, 1, { attributes: as('TEMP'), receivedAt: EARLY })]);
      await catalog.ingest([instanceRecord(1, 1, 2, { attributes: as('RIGHT'), receivedAt: LATE })]);
      await catalog.ingest([instanceRecord(1, 1, 3, { attributes: as('TEMP'), receivedAt: EARLY })]);
      assert.equal(firstValue(await studyOf(catalog, 1), TAG.PatientID), 'RIGHT');
      assert.deepEqual(await catalog.counts(), {
        patients: 1,
        studies: 1,
        series: 1,
        instances: 3,
        bytes: 3000,
      });
    });

    test('a record without Patient ID stays with the patient of its study', async (t) => {
      const catalog = await catalogOf(t);
      const nobody = { '00100020': { vr: 'LO' }, '00100010': { vr: 'PN' } };
      await catalog.ingest([instanceRecord(1, 1, 1, { receivedAt: EARLY })]);
      await catalog.ingest([instanceRecord(1, 1, 2, { attributes: nobody, receivedAt: LATE })]);
      assert.equal(firstValue(await studyOf(catalog, 1), TAG.PatientName) !== undefined, true);
      assert.equal((await catalog.counts()).patients, 1);
    });

    test('persons without Patient ID are not taken for one another', async (t) => {
      const catalog = await catalogOf(t);
      const unnamed = (name: string) => ({ '00100020': { vr: 'LO' }, '00100010': pn(name) });
      await catalog.ingest([
        instanceRecord(1, 1, 1, { attributes: unnamed('A') }),
        instanceRecord(2, 1, 1, { attributes: unnamed('B') }),
      ]);
      assert.equal((await catalog.counts()).patients, 2);
      const [match] = await findAll(catalog, { level: 'STUDY', identifier: { '00100010': pn('A') } });
      assert.equal(firstValue(match?.attributes ?? {}, TAG.StudyInstanceUID), '1.2.826.1.1');
    });

    test('the same Patient ID of two issuers is two patients', async (t) => {
      const catalog = await catalogOf(t);
      const from = (issuer: string) => ({ '00100020': text('LO', '7'), '00100021': text('LO', issuer) });
      await catalog.ingest([
        instanceRecord(1, 1, 1, { attributes: from('HERE') }),
        instanceRecord(2, 1, 1, { attributes: from('THERE') }),
      ]);
      assert.equal((await catalog.counts()).patients, 2);
    });

    test('one Series Instance UID in two studies is two series', async (t) => {
      const catalog = await catalogOf(t);
      const shared = { '0020000E': text('UI', '1.2.826.5') };
      await catalog.ingest([
        instanceRecord(1, 1, 1, { attributes: shared }),
        instanceRecord(2, 1, 1, { attributes: shared }),
      ]);
      assert.deepEqual(await catalog.counts(), {
        patients: 2,
        studies: 2,
        series: 2,
        instances: 2,
        bytes: 2000,
      });
    });

    test('a record without a UID is refused with all of its batch', async (t) => {
      const catalog = await catalogOf(t);
      const bad = instanceRecord(1, 1, 1, { attributes: { '0020000D': { vr: 'UI' } } });
      await assert.rejects(catalog.ingest([instanceRecord(1, 1, 2), bad]), { code: 'catalog-request' });
      assert.equal((await catalog.counts()).instances, 0);
    });

    test('huge attributes are left to the file, the others kept', async (t) => {
      const catalog = await catalogOf(t);
      const items = Array.from({ length: 5000 }, () => ({ '00080100': text('SH', 'CODE') }));
      const attributes = { '00081032': { vr: 'SQ', Value: items }, '00081030': text('LO', 'kept') };
      await catalog.ingest([instanceRecord(1, 1, 1, { attributes })]);
      const study = await studyOf(catalog, 1);
      assert.equal(firstValue(study, TAG.StudyDescription), 'kept');
      assert.equal(study[TAG.ProcedureCodeSequence], undefined);
    });

    test('batches at the same time all arrive', async (t) => {
      const catalog = await catalogOf(t);
      const batches = Array.from({ length: 40 }, (_, i) => [
        instanceRecord(1, i % 4, i + 1),
        instanceRecord(2, 1, i + 1),
      ]);
      await Promise.all(batches.map((batch) => catalog.ingest(batch)));
      assert.deepEqual(await catalog.counts(), {
        patients: 2,
        studies: 2,
        series: 5,
        instances: 80,
        bytes: 80_000,
      });
    });

    test('counters equal a recount and keys are complete after any sequence of batches', async (t) => {
      const record = fc
        .record({
          uid: fc.integer({ min: 1, max: 6 }),
          study: fc.integer({ min: 1, max: 3 }),
          series: fc.integer({ min: 1, max: 2 }),
          patient: fc.constantFrom('', 'P1', 'P2'),
          modality: fc.constantFrom('XA', 'CT', ''),
          sopClass: fc.constantFrom('1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.12.1'),
          content: fc.constantFrom('a', 'b', 'c'),
          minute: fc.integer({ min: 0, max: 9 }),
          fileBytes: fc.integer({ min: 1, max: 5000 }),
          description: fc.constantFrom('X^Y', 'Ü^Z=王^小'),
          date: fc.constantFrom('20240101', '20240202', ''),
        })
        .map(randomRecord);
      const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 6,
      });
      await fc.assert(
        fc.asyncProperty(batches, async (given) => {
          const url = await engine.fresh(t);
          const opened = await openEngine(url);
          const ingest = prepareIngest(opened);
          const total = () => opened.db.selectFrom('total').selectAll().execute();
          for (const batch of given) await ingest(batch.map(ingestRecordOf));
          const before = await total();
          await ingest((given.at(-1) ?? []).map(ingestRecordOf));
          assert.deepEqual(await total(), before, 'the last batch again changes no count');
          await opened.close();
          await assertCountersEqualRecount(url);
          await assertSearchKeysComplete(url);
        }),
        { numRuns: 12 },
      );
    });
  });
}

interface RandomRecord {
  uid: number;
  study: number;
  series: number;
  patient: string;
  modality: string;
  sopClass: string;
  content: string;
  minute: number;
  fileBytes: number;
  description: string;
  date: string;
}

function randomRecord(r: RandomRecord): InstanceRecord {
  return instanceRecord(r.study, r.series, r.uid, {
    attributes: {
      '00080016': text('UI', r.sopClass),
      '00080018': text('UI', `1.2.826.${r.uid}`),
      '00080020': text('DA', r.date),
      '00080060': text('CS', r.modality),
      '00100010': pn(r.description),
      '00100020': text('LO', r.patient),
    },
    content: r.content,
    receivedAt: `2024-01-01T00:0${r.minute}:00.000Z`,
    fileBytes: r.fileBytes,
    supersededPath: `superseded/${r.uid}-${r.minute}-${r.content}`,
  });
}
