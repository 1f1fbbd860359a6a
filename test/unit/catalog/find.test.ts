// The way of a query into the catalogue: of several keys the narrowest.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import { find, prepareFind } from '../../../src/catalog/find.ts';
import { prepareIngest } from '../../../src/catalog/ingest.ts';
import { ingestRecordOf } from '../../../src/catalog/ingest-record.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import { KIND } from '../../../src/catalog/search-keys.ts';
import { openSqlite } from '../../../src/catalog/sqlite/engine.ts';
import { instanceRecord, text } from '../../support/catalog-generator.ts';
import { recorded, type Statements } from '../../support/recorded-engine.ts';

test('of a day with few studies only those of the modality that was asked for are looked at', async () => {
  const engine = await openSqlite(':memory:');
  try {
    const studies = Array.from({ length: 60 }, (_, i) =>
      instanceRecord(i, 1, 1, { attributes: { [TAG.Modality]: text('CS', i < 10 ? 'XA' : 'CT') } }),
    );
    await prepareIngest(engine)(studies.map(ingestRecordOf));
    const statements: Statements = new Map();
    const identifier = {
      [TAG.StudyDate]: text('DA', '20240131'),
      [TAG.ModalitiesInStudy]: text('CS', 'XA'),
    };
    let matches = 0;
    const search = find(
      prepareFind(recorded(engine, statements)),
      { level: 'STUDY', identifier },
      new Pacer(),
    );
    for await (const page of search) matches += page.length;
    const loaded = [...statements.values()].find(({ sql }) => /from "study" where "id" in/.test(sql));
    assert.equal(matches, 10);
    assert.equal(new Set(loaded?.parameters).size, 10);
  } finally {
    await engine.close();
  }
});

test('patients by a date of their studies are found along the dates, not by asking each patient', async () => {
  const engine = await openSqlite(':memory:');
  try {
    const old = { attributes: { [TAG.StudyDate]: text('DA', '19950101') } };
    const records = Array.from({ length: 12_000 }, (_, i) => instanceRecord(i, 1, 1, i < 6000 ? old : {}));
    await prepareIngest(engine)(records.map(ingestRecordOf));
    const statements: Statements = new Map();
    const identifier = { [TAG.StudyDate]: text('DA', '20240131') };
    const request = { level: 'PATIENT', identifier, lowerLevelKeys: true } as const;
    const search = find(prepareFind(recorded(engine, statements)), request, new Pacer());
    const found = (await Array.fromAsync(search)).flat().map(([patient]) => patient?.id);
    assert.deepEqual([found.length, new Set(found).size], [6000, 6000]);
    const walked = [...statements.values()].filter(({ sql }) => sql.includes('"search_key"'));
    assert.ok(walked.length > 0 && walked.every(({ parameters }) => parameters[0] === KIND.studyDate));
  } finally {
    await engine.close();
  }
});
