// What the catalogue's contract suites share: a fresh catalogue per test, and everything it answers as plain lists.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import type {
  Catalog,
  InstanceLocation,
  Match,
  Query,
  SelectKeys,
  StudyPageRequest,
} from '../../../src/catalog/catalog.ts';
import type { Engine } from '../../../src/catalog/engine.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { openEngine } from '../../../src/catalog/open-engine.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import { prepareRowStatements, RowLoader } from '../../../src/catalog/rows.ts';
import { searchKeysOf } from '../../../src/catalog/search-keys.ts';
import { prepareSelect } from '../../../src/catalog/select.ts';
import type { DicomJson } from '../../../src/dicom/dicom-json.ts';

/** An engine that the suites are run on. */
export interface EngineUnderTest {
  readonly name: string;
  /** The URL of an empty catalogue, gone after the test. */
  fresh(test: { after(cleanUp: () => void): void }): Promise<string>;
}

/** A catalogue of its own for one test. */
export async function freshCatalog(engine: EngineUnderTest, test: TestContext): Promise<Catalog> {
  const catalog = await openCatalog(await engine.fresh(test));
  test.after(() => catalog.close());
  return catalog;
}

export async function findAll(catalog: Catalog, query: Query): Promise<Match[]> {
  const matches: Match[] = [];
  for await (const page of catalog.find(query)) matches.push(...page);
  return matches;
}

/** The study list from `after` on, page by page. */
export async function listAll(
  catalog: Pick<Catalog, 'studyPage'>,
  request: StudyPageRequest,
): Promise<(readonly Match[])[]> {
  const pages: (readonly Match[])[] = [];
  for (let { after } = request; ; ) {
    const { studies, next } = await catalog.studyPage({ ...request, ...(after !== undefined && { after }) });
    pages.push(studies);
    if (next === undefined) return pages;
    after = next;
  }
}

export async function selectAll(catalog: Catalog, keys: SelectKeys): Promise<InstanceLocation[]> {
  const found: InstanceLocation[] = [];
  for await (const page of catalog.select(keys)) found.push(...page);
  return found;
}

export function firstValue(attributes: DicomJson, attribute: string): unknown {
  return attributes[attribute]?.Value?.[0];
}

/** Recounts everything that the catalogue keeps, from its instance rows, and compares. */
export async function assertCountersEqualRecount(url: string): Promise<void> {
  const engine = await openEngine(url);
  const { db, close } = engine;
  try {
    const instances = await db
      .selectFrom('instance')
      .innerJoin('series', 'series.id', 'instance.series_id')
      .innerJoin('study', 'study.id', 'series.study_id')
      .select(['instance.file_bytes', 'instance.sop_class_uid', 'series.id as series_id', 'series.modality'])
      .select(['study.id as study_id', 'study.patient_id'])
      .execute();
    const by = <K>(keyOf: (row: (typeof instances)[number]) => K): Map<K, typeof instances> =>
      Map.groupBy(instances, keyOf);
    const bytesOf = (rows: typeof instances): number => rows.reduce((sum, row) => sum + row.file_bytes, 0);
    const distinct = (rows: typeof instances, key: 'series_id' | 'study_id'): number =>
      new Set(rows.map((row) => row[key])).size;

    const patients = await db.selectFrom('patient').selectAll().execute();
    assertSameKeys(
      patients.map((row) => row.id),
      by((row) => row.patient_id).keys(),
      'patients',
    );
    for (const patient of patients) {
      const own = by((row) => row.patient_id).get(patient.id) ?? [];
      assert.deepEqual(
        [patient.studies, patient.series, patient.instances, patient.bytes],
        [distinct(own, 'study_id'), distinct(own, 'series_id'), own.length, bytesOf(own)],
        `patient ${patient.patient_id}`,
      );
    }
    const studies = await db.selectFrom('study').selectAll().execute();
    assertSameKeys(
      studies.map((row) => row.id),
      by((row) => row.study_id).keys(),
      'studies',
    );
    for (const study of studies) {
      const own = by((row) => row.study_id).get(study.id) ?? [];
      const series = [...new Map(own.map((row) => [row.series_id, row.modality])).values()];
      assert.deepEqual(
        [study.series, study.instances, study.bytes, study.modalities, study.sop_classes],
        [
          distinct(own, 'series_id'),
          own.length,
          bytesOf(own),
          joined(series),
          joined(own.map((o) => o.sop_class_uid)),
        ],
        `study ${study.uid}`,
      );
      const modalities = await db
        .selectFrom('study_modality')
        .selectAll()
        .where('study_id', '=', study.id)
        .execute();
      assert.deepEqual(
        new Map(modalities.map((row) => [row.modality, row.series])),
        tally(series),
        `modalities of ${study.uid}`,
      );
      const classes = await db
        .selectFrom('study_sop_class')
        .selectAll()
        .where('study_id', '=', study.id)
        .execute();
      assert.deepEqual(
        new Map(classes.map((row) => [row.sop_class_uid, row.instances])),
        tally(own.map((row) => row.sop_class_uid)),
        `SOP classes of ${study.uid}`,
      );
    }
    const series = await db.selectFrom('series').selectAll().execute();
    assertSameKeys(
      series.map((row) => row.id),
      by((row) => row.series_id).keys(),
      'series',
    );
    for (const one of series) {
      const own = by((row) => row.series_id).get(one.id) ?? [];
      assert.deepEqual([one.instances, one.bytes], [own.length, bytesOf(own)], `series ${one.uid}`);
    }
    const [total] = await prepareSelect(engine).totals(db, undefined);
    assert.deepEqual(
      { ...total },
      {
        patients: patients.length,
        studies: studies.length,
        series: series.length,
        instances: instances.length,
        bytes: bytesOf(instances),
      },
      'totals',
    );
    await assertIntakeEqualsRecount(engine);
  } finally {
    await close();
  }
}

async function assertIntakeEqualsRecount({ db }: Engine): Promise<void> {
  const columns = ['received_at', 'file_bytes'] as const;
  const contents = [
    ...(await db.selectFrom('instance').select(columns).execute()),
    ...(await db.selectFrom('superseded').select(columns).execute()),
  ];
  const kept = await db
    .selectFrom('intake')
    .select('day')
    .select(({ fn }) => [fn.sum<number>('files').as('files'), fn.sum<number>('bytes').as('bytes')])
    .groupBy('day')
    .execute();
  const counted = [...Map.groupBy(contents, (row) => row.received_at.slice(0, 10))].map(([day, rows]) => ({
    day,
    files: rows.length,
    bytes: rows.reduce((sum, row) => sum + row.file_bytes, 0),
  }));
  const byDay = (a: { day: string }, b: { day: string }): number => (a.day < b.day ? -1 : 1);
  assert.deepEqual(
    kept
      .filter(({ files }) => files !== 0)
      .map((row) => ({ ...row }))
      .sort(byDay),
    counted.sort(byDay),
    'intake by day',
  );
}

/** Every query by a search key finds the same as looking at everybody would; also what has gone is not found. */
export async function assertSearchKeysComplete(url: string): Promise<void> {
  const { db, close } = await openEngine(url);
  try {
    const expected: string[] = [];
    const loader = new RowLoader(db, prepareRowStatements(db), new Pacer());
    for (const [level, table] of [
      ['PATIENT', 'patient'],
      ['STUDY', 'study'],
      ['SERIES', 'series'],
    ] as const) {
      const ids = (await db.selectFrom(table).select('id').execute()).map((row) => row.id);
      for (const row of await loader.load(level, ids)) {
        for (const { kind, key } of searchKeysOf(level, row.attributes))
          expected.push(`${kind} ${key} ${row.id}`);
      }
    }
    const stored = await db.selectFrom('search_key').selectAll().execute();
    assert.deepEqual(
      stored.map((row) => `${row.kind} ${row.search_key} ${row.owner_id}`).sort(),
      expected.sort(),
      'search keys',
    );
  } finally {
    await close();
  }
}

function assertSameKeys(rows: Iterable<number>, counted: Iterable<number>, what: string): void {
  assert.deepEqual([...rows].sort(), [...counted].sort(), what);
}

function joined(values: readonly string[]): string {
  return [...new Set(values)]
    .filter((value) => value !== '')
    .sort()
    .join('\\');
}

function tally(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** UIDs of matches, sorted, as far as `level` has one. */
export function uidsOf(matches: readonly Match[], level: 'STUDY' | 'SERIES' | 'IMAGE'): string[] {
  const tag = { STUDY: TAG.StudyInstanceUID, SERIES: TAG.SeriesInstanceUID, IMAGE: TAG.SOPInstanceUID }[
    level
  ];
  return matches.map((match) => String(firstValue(match.attributes, tag))).sort();
}
