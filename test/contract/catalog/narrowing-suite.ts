// Contract: whatever way a query takes into the catalogue, it finds what trying every entity would find.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog, Match } from '../../../src/catalog/catalog.ts';
import { criteriaOf } from '../../../src/catalog/match.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import type { DicomJson } from '../../../src/dicom/dicom-json.ts';
import { instanceRecord, pn, text } from '../../support/catalog-generator.ts';
import { type EngineUnderTest, findAll, firstValue, listAll, uidsOf } from './harness.ts';

const STUDIES = 120;
const UNIT = fc.constantFrom(
  'A',
  'b',
  'É',
  'é',
  'ß',
  'ﾔ',
  '山',
  '\u{20BB7}',
  ' ',
  '^',
  '_',
  '%',
  '|',
  '.',
  '-',
  '＊',
);
const WORD = fc.string({ unit: UNIT, minLength: 1, maxLength: 5 });
const DATE = fc.constantFrom('20230101', '20230102', '20231231', '20240101', '2024.02.01', '', 'junk');
const MODALITY = fc.constantFrom('XA', 'CT', 'MR');

const ATTRIBUTES = fc
  .record({
    name: WORD,
    ideographic: fc.option(WORD),
    id: WORD,
    accession: WORD,
    date: DATE,
    modality: MODALITY,
  })
  .map(
    ({ name, ideographic, id, accession, date, modality }): DicomJson => ({
      [TAG.PatientName]: pn(ideographic === null ? name : `${name}=${ideographic}`),
      [TAG.PatientID]: text('LO', id),
      [TAG.AccessionNumber]: text('SH', accession),
      [TAG.StudyDate]: text('DA', date),
      [TAG.Modality]: text('CS', modality),
    }),
  );

/** A word with wild cards in some places. */
const PATTERN = fc
  .tuple(WORD, fc.constantFrom('', '*', '?'), fc.nat(5), fc.constantFrom('', '*'))
  .map(([word, wild, at, end]) => [...word].toSpliced(at, 1, wild).join('') + end);

const IDENTIFIER = fc
  .record(
    {
      name: fc.array(PATTERN, { minLength: 1, maxLength: 2 }),
      id: fc.array(PATTERN, { minLength: 1, maxLength: 2 }),
      accession: PATTERN,
      date: fc.constantFrom('20230101', '20230102-', '-20231231', '20230101-20240101', '2023*', '""'),
      modalities: fc.array(MODALITY, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  .map(
    ({ name, id, accession, date, modalities }): DicomJson => ({
      ...(name && { [TAG.PatientName]: pn(...name) }),
      ...(id && { [TAG.PatientID]: text('LO', ...id) }),
      ...(accession !== undefined && { [TAG.AccessionNumber]: text('SH', accession) }),
      ...(date && { [TAG.StudyDate]: text('DA', date) }),
      ...(modalities && { [TAG.ModalitiesInStudy]: text('CS', ...modalities) }),
    }),
  );

export function narrowingSuite(engine: EngineUnderTest): void {
  describe(`narrowing on ${engine.name}`, () => {
    let catalog: Catalog;
    let everything: Match[] = [];

    before(async () => {
      catalog = await openCatalog(await engine.fresh({ after }));
      const attributes = fc.sample(ATTRIBUTES, { numRuns: STUDIES, seed: 7 });
      await catalog.ingest(attributes.map((given, i) => instanceRecord(i, 1, 1, { attributes: given })));
      everything = await findAll(catalog, { level: 'STUDY', identifier: {} });
      assert.equal(everything.length, STUDIES);
    });
    after(() => catalog.close());

    for (const fuzzyNames of [false, true]) {
      test(`any keys ${fuzzyNames ? 'with' : 'without'} fuzzy names find what a look at every study finds`, async () => {
        await fc.assert(
          fc.asyncProperty(IDENTIFIER, async (identifier) => {
            const criteria = criteriaOf(identifier, fuzzyNames);
            const expected = everything.filter(({ attributes }) => criteria.every((c) => c.test(attributes)));
            const found = await findAll(catalog, { level: 'STUDY', identifier, fuzzyNames });
            assert.deepEqual(uidsOf(found, 'STUDY'), uidsOf(expected, 'STUDY'));
          }),
          { numRuns: 300 },
        );
      });
    }

    test('the study list holds the same, newest first, wherever its pages end', async () => {
      await fc.assert(
        fc.asyncProperty(IDENTIFIER, fc.integer({ min: 1, max: 40 }), async (identifier, limit) => {
          const criteria = criteriaOf(identifier, false);
          const expected = everything
            .filter(({ attributes }) => criteria.every((c) => c.test(attributes)))
            .map(({ attributes }) => firstValue(attributes, TAG.StudyInstanceUID));
          const pages = await listAll(catalog, { identifier, limit });
          assert.deepEqual(
            pages.flat().map(({ attributes }) => firstValue(attributes, TAG.StudyInstanceUID)),
            expected,
          );
          // A page that took long holds what had been found by then.
          for (const page of pages) assert.ok(page.length <= limit);
        }),
        { numRuns: 100 },
      );
    });
  });
}
