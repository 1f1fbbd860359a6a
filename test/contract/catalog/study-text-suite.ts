// Contract: what people type to find a study, and what the list tells of each.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog, StudyText } from '../../../src/catalog/catalog.ts';
import type { DicomJson } from '../../../src/dicom/dicom-json.ts';
import { instanceRecord, pn, text } from '../../support/catalog-generator.ts';
import { type EngineUnderTest, firstValue, freshCatalog } from './harness.ts';

const PATIENTS: readonly (readonly [
  study: number,
  name: string,
  id: string,
  accession: string,
  description: string,
])[] = [
  [1, 'ZHANG^SAN=张^三', 'A-100', 'ACC1', 'Cerebral angiography'],
  [2, '张三丰', 'A-200', 'ACC2', '脑血管造影术'],
  [3, 'ZHAO^SI', 'B-100', 'ZS9', 'DSA-Head'],
  [4, 'Müller^Jörg', 'ZS-7', 'X1', 'Zs test'],
  [5, '单^田芳', 'b-300', 'x2', 'Coronary'],
];

async function filled(catalog: Catalog): Promise<Catalog> {
  await catalog.ingest(
    PATIENTS.map(([study, name, id, accession, description]) => {
      const attributes: DicomJson = {
        [TAG.PatientName]: pn(name),
        [TAG.PatientID]: text('LO', id),
        [TAG.AccessionNumber]: text('SH', accession),
        [TAG.StudyDescription]: text('LO', description),
        [TAG.StudyDate]: text('DA', `2024010${study}`),
        [TAG.Modality]: text('CS', study === 4 ? 'CT' : 'XA'),
      };
      return instanceRecord(study, 1, 1, { attributes, fileBytes: 1000 + study });
    }),
  );
  return catalog;
}

export function studyTextSuite(engine: EngineUnderTest): void {
  describe(`typing into the study list on ${engine.name}`, () => {
    test('one box finds names, IDs, accession numbers and descriptions by their beginnings', async (t) => {
      const catalog = await filled(await freshCatalog(engine, t));
      const found = async (typed: StudyText, identifier: DicomJson = {}) => {
        const { studies } = await catalog.studyPage({ identifier, text: typed, limit: 9 });
        return studies.map(({ attributes }) =>
          Number(String(firstValue(attributes, TAG.StudyDate)).slice(-1)),
        );
      };
      const rows: readonly (readonly [typed: string, studies: readonly number[]])[] = [
        ['', [5, 4, 3, 2, 1]],
        [' ^ *', [5, 4, 3, 2, 1]],
        ['zs', [4, 3, 2, 1]],
        ['zsf', [2]],
        ['张', [2, 1]],
        ['三丰', [2]],
        ['zhangs', [2, 1]],
        ['san', [2, 1]],
        ['stf', [5]],
        ['dan', []],
        ['muller', [4]],
        ['ZHANG^SAN', [2, 1]],
        ['b-', [5, 3]],
        ['acc', [2, 1]],
        ['造影', [2]],
        ['head', [3]],
        ['angio', [1]],
        ['ngio', []],
        ['zhang cerebral', [1]],
        ['zhang head', []],
        ['a-1 san acc1', [1]],
        ['%', [5, 4, 3, 2, 1]],
        ['nobody', []],
      ];
      for (const [any, studies] of rows) assert.deepEqual(await found({ any }), studies, any);
      assert.deepEqual(await found({ name: 'zs' }), [3, 2, 1]);
      assert.deepEqual(await found({ patientId: 'zs' }), [4]);
      assert.deepEqual(await found({ accessionNumber: 'zs' }), [3]);
      assert.deepEqual(await found({ description: 'zs' }), [4]);
      assert.deepEqual(await found({ name: 'zs', description: 'cereb' }), [1]);
      assert.deepEqual(await found({ any: 'zs' }, { [TAG.ModalitiesInStudy]: text('CS', 'CT') }), [4]);
      assert.deepEqual(
        await found({ any: 'zs' }, { [TAG.StudyDate]: text('DA', '20240102-20240103') }),
        [3, 2],
      );
    });

    test('a description that is corrected is found by its new words only', async (t) => {
      const catalog = await filled(await freshCatalog(engine, t));
      await catalog.ingest([
        instanceRecord(1, 1, 2, {
          attributes: { [TAG.StudyDescription]: text('LO', 'Carotid') },
          receivedAt: '2025-01-01T00:00:00.000Z',
        }),
      ]);
      const count = async (description: string) =>
        (await catalog.studyPage({ identifier: {}, text: { description }, limit: 9 })).studies.length;
      assert.deepEqual([await count('carotid'), await count('cerebral')], [1, 0]);
    });

    test('pages of what is typed go on where the last one ended', async (t) => {
      const catalog = await filled(await freshCatalog(engine, t));
      const dates: unknown[] = [];
      for (let after: string | undefined; ; ) {
        const page = await catalog.studyPage({
          identifier: {},
          text: { any: 'zs' },
          limit: 1,
          ...(after !== undefined && { after }),
        });
        dates.push(...page.studies.map(({ attributes }) => firstValue(attributes, TAG.StudyDate)));
        after = page.next;
        if (after === undefined) break;
      }
      assert.deepEqual(dates, ['20240104', '20240103', '20240102', '20240101']);
    });

    test('every match tells its bytes and when it came', async (t) => {
      const catalog = await filled(await freshCatalog(engine, t));
      const { studies } = await catalog.studyPage({ identifier: {}, text: { any: 'stf' }, limit: 9 });
      assert.deepEqual(
        studies.map(({ bytes, receivedAt }) => [bytes, receivedAt]),
        [[1005, '2024-01-31T08:00:00.000Z']],
      );
      for (const level of ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] as const) {
        const pages = catalog.find({ level, identifier: { [TAG.PatientID]: text('LO', 'A-100') } });
        const [match] = (await Array.fromAsync(pages)).flat();
        assert.deepEqual([match?.bytes, match?.receivedAt], [1001, '2024-01-31T08:00:00.000Z'], level);
      }
    });
  });
}
