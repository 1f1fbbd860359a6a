// No statement of the catalogue scans a table that grows: every one that runs is shown to EXPLAIN QUERY PLAN.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CompiledQuery, type Kysely, sql } from 'kysely';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { QueryLevel, SelectKeys } from '../../../src/catalog/catalog.ts';
import type { Engine } from '../../../src/catalog/engine.ts';
import { find, prepareFind } from '../../../src/catalog/find.ts';
import { prepareIngest } from '../../../src/catalog/ingest.ts';
import { ingestRecordOf } from '../../../src/catalog/ingest-record.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import type { CatalogSchema } from '../../../src/catalog/schema.ts';
import { locate, prepareSelect, select } from '../../../src/catalog/select.ts';
import { openSqlite } from '../../../src/catalog/sqlite/engine.ts';
import { prepareStudyPage, studyPage } from '../../../src/catalog/study-page.ts';
import type { DicomJson } from '../../../src/dicom/dicom-json.ts';
import { archiveRecords, instanceRecord, pn, studyFacts, text } from '../../support/catalog-generator.ts';

const SHAPE = { studies: 200, seriesPerStudy: 2, instancesPerSeries: 3 };

/** The engine, with every statement that runs written down. */
function recorded(engine: Engine, statements: Map<string, CompiledQuery>): Engine {
  const watch = (db: Kysely<CatalogSchema>): Kysely<CatalogSchema> =>
    new Proxy(db, {
      get: (target, property) => {
        if (property === 'executeQuery') {
          return (query: CompiledQuery) => {
            statements.set(query.sql, query);
            return target.executeQuery(query);
          };
        }
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return {
    ...engine,
    db: watch(engine.db),
    transaction: (work) => engine.transaction((db) => work(watch(db))),
  };
}

test('every statement seeks', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const opened = await openSqlite(join(folder, 'catalog.sqlite'));
  t.after(() => opened.close());
  const statements = new Map<string, CompiledQuery>();
  const engine = recorded(opened, statements);

  const ingest = prepareIngest(engine);
  const records = [...archiveRecords(SHAPE)].map(ingestRecordOf);
  for (let start = 0; start < records.length; start += 100) await ingest(records.slice(start, start + 100));
  // A duplicate that moves, and one that does not.
  const uid = { [TAG.SOPInstanceUID]: text('UI', '1.2.826.9') };
  const receivedAt = '2025-01-01T00:00:00.000Z';
  await ingest([instanceRecord(1, 1, 1, { attributes: uid })].map(ingestRecordOf));
  await ingest([instanceRecord(2, 1, 1, { attributes: uid, content: 'b', receivedAt })].map(ingestRecordOf));
  await ingest([instanceRecord(2, 1, 1, { attributes: uid, content: 'c', receivedAt })].map(ingestRecordOf));

  const facts = studyFacts(SHAPE, 7);
  const identifiers: DicomJson[] = [
    {},
    { [TAG.PatientID]: text('LO', facts.patientId) },
    { [TAG.PatientID]: text('LO', 'PID*') },
    { [TAG.PatientName]: pn('WANG*') },
    { [TAG.PatientName]: pn('*ANG*') },
    { [TAG.AccessionNumber]: text('SH', facts.accession) },
    { [TAG.StudyInstanceUID]: text('UI', facts.uid) },
    { [TAG.SeriesInstanceUID]: text('UI', `${facts.uid}.1`) },
    { [TAG.SOPInstanceUID]: text('UI', `${facts.uid}.1.1`) },
    { [TAG.StudyDate]: text('DA', '20200101-20201231') },
    { [TAG.StudyDate]: text('DA', '20200101-'), [TAG.ModalitiesInStudy]: text('CS', 'XA') },
    { [TAG.StudyDescription]: text('LO', '*a*') },
  ];
  const finding = prepareFind(engine);
  const listing = prepareStudyPage(engine);
  for (const identifier of identifiers)
    await studyPage(listing, { identifier, limit: 10, after: '20240101.5' }, new Pacer());
  for (const level of ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] satisfies QueryLevel[]) {
    for (const identifier of identifiers) {
      for (const fuzzyNames of [false, true]) {
        const request = { level, identifier, fuzzyNames, lowerLevelKeys: true };
        for await (const _ of find(finding, request, new Pacer()));
      }
    }
  }
  const selecting = prepareSelect(engine);
  const selections: SelectKeys[] = [
    { patientId: facts.patientId },
    { studyUids: [facts.uid] },
    { seriesUids: [`${facts.uid}.1`] },
    { sopInstanceUids: [`${facts.uid}.1.1`] },
  ];
  for (const keys of selections) for await (const _ of select(selecting, keys, new Pacer()));
  await locate(selecting, facts.uid);
  await selecting.superseded(engine.db, '1.2.826.9');
  await selecting.totals(engine.db, undefined);

  assert.ok(statements.size > 40, `${statements.size} statements were seen`);
  for (const statement of statements.keys()) {
    const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(statement)}`.execute(opened.db);
    const details = plan.rows.map((row) => row.detail);
    for (const detail of details) {
      assert.doesNotMatch(
        detail,
        /^SCAN (?!some|total|CONSTANT|\d+-ROW)/,
        `${statement}\n${details.join('\n')}`,
      );
    }
    // Steps along the search keys come out of the index in order; sorting would mean reading all of a range.
    if (statement.includes('from "search_key"')) {
      assert.ok(
        !details.some((detail) => detail.includes('TEMP B-TREE')),
        `${statement}\n${details.join('\n')}`,
      );
    }
  }
});
