// Every statement that the catalogue issues, and how the database means to carry it out.

import { type CompiledQuery, type Kysely, type KyselyPlugin, sql } from 'kysely';
import { TAG } from '../../src/catalog/attributes.ts';
import type { QueryLevel, SelectKeys } from '../../src/catalog/catalog.ts';
import type { Engine } from '../../src/catalog/engine.ts';
import { find, prepareFind } from '../../src/catalog/find.ts';
import { prepareIngest } from '../../src/catalog/ingest.ts';
import { ingestRecordOf } from '../../src/catalog/ingest-record.ts';
import { Pacer } from '../../src/catalog/pacer.ts';
import type { CatalogSchema } from '../../src/catalog/schema.ts';
import { locate, prepareSelect, select } from '../../src/catalog/select.ts';
import { prepareStudyPage, studyPage } from '../../src/catalog/study-page.ts';
import type { DicomJson } from '../../src/dicom/dicom-json.ts';
import {
  type ArchiveShape,
  archiveRecords,
  instanceRecord,
  pn,
  studyFacts,
  text,
} from './catalog-generator.ts';
import { exerciseOperations } from './exercised-operations.ts';

/** Statements by their words. */
export type Statements = Map<string, CompiledQuery>;

/** The engine, with every statement that runs written down. */
export function recorded(engine: Engine, statements: Statements): Engine {
  const executor = engine.db.getExecutor();
  // Statements that are built anew each time. Those that are prepared are seen when they run: before that, something else
  // stands where their values will.
  const building: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      const built = executor.compileQuery(node, queryId);
      if (built.parameters.every((value) => Object(value) !== value)) statements.set(built.sql, built);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const watch = (db: Kysely<CatalogSchema>): Kysely<CatalogSchema> =>
    new Proxy(db.withPlugin(building), {
      get: (target, property) => {
        if (property === 'executeQuery') {
          return (query: CompiledQuery) => {
            statements.set(query.sql, query);
            return target.executeQuery(query);
          };
        }
        const value: unknown = Reflect.get(target, property, target);
        // `fn` is a function with functions of its own.
        return typeof value === 'function' && property !== 'fn' ? value.bind(target) : value;
      },
    });
  return {
    ...engine,
    db: watch(engine.db),
    transaction: (work) => engine.transaction((db) => work(watch(db))),
  };
}

/** Steps of a search after which it has issued all that it will. */
const MAX_STEPS = 6;

/** Asks for everything there is to ask of a catalogue that was filled in this shape, and adds what can be added to one:
 *  studies of their own, instances that come twice, change, and move; other ones each time. */
export async function exercise(engine: Engine, shape: ArchiveShape): Promise<void> {
  const ingest = prepareIngest(engine);
  const seed = Date.now();
  const added = { studies: 90, seriesPerStudy: 2, instancesPerSeries: 3, seed };
  const records = [...archiveRecords(added)].map(ingestRecordOf);
  for (let start = 0; start < records.length; start += 300) await ingest(records.slice(start, start + 300));
  const movedUid = `1.2.826.9.${seed}`;
  const uid = { [TAG.SOPInstanceUID]: text('UI', movedUid) };
  const [first, second] = [`${seed}.1`, `${seed}.2`];
  const receivedAt = '2025-01-01T00:00:00.000Z';
  const lastAt = '2025-01-02T00:00:00.000Z';
  await ingest([instanceRecord(first, 1, 1, { attributes: uid })].map(ingestRecordOf));
  await ingest(
    [instanceRecord(second, 1, 1, { attributes: uid, content: 'b', receivedAt })].map(ingestRecordOf),
  );
  await ingest(
    [instanceRecord(second, 1, 1, { attributes: uid, content: 'c', receivedAt })].map(ingestRecordOf),
  );
  const renamed = { [TAG.PatientName]: pn('OTHER^NAME'), [TAG.SeriesDescription]: text('LO', 'other') };
  const described = { ...renamed, [TAG.StudyDescription]: text('LO', 'other') };
  const changed = { attributes: { ...uid, ...described }, content: 'd', receivedAt: lastAt };
  await ingest([instanceRecord(second, 1, 1, changed)].map(ingestRecordOf));

  const facts = studyFacts(shape, 7);
  const identifiers: DicomJson[] = [
    {},
    { [TAG.PatientID]: text('LO', facts.patientId) },
    { [TAG.PatientID]: text('LO', 'PID*') },
    { [TAG.PatientID]: text('LO', '*0001*') },
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
  for (const identifier of identifiers) {
    for (const level of ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] satisfies QueryLevel[]) {
      for (const fuzzyNames of [false, true]) {
        const request = { level, identifier, fuzzyNames, lowerLevelKeys: true };
        await begin(find(finding, request, new Pacer()));
      }
    }
    await studyPage(listing, { identifier, limit: 10, after: '20240101.5' }, new Pacer());
  }
  const selecting = prepareSelect(engine);
  const selections: SelectKeys[] = [
    { patientId: facts.patientId },
    { studyUids: [facts.uid] },
    { seriesUids: [`${facts.uid}.1`] },
    { sopInstanceUids: [`${facts.uid}.1.1`] },
  ];
  for (const keys of selections) await begin(select(selecting, keys, new Pacer()));
  await locate(selecting, facts.uid);
  await selecting.superseded(engine.db, movedUid);
  await selecting.totals(engine.db, undefined);
  await exerciseOperations(engine, seed);
}

async function begin(pages: AsyncIterable<unknown>): Promise<void> {
  let steps = 0;
  for await (const _ of pages) if (++steps === MAX_STEPS) return;
}

export interface Plan {
  readonly statement: string;
  /** As the database says it, a line per step. */
  readonly steps: readonly string[];
  /** Steps that read all of a table that grows. */
  readonly scans: readonly string[];
}

/** Tables that do not grow with the archive: of a fixed number of rows; of what needs somebody, is protected, has been
 *  deleted and can be brought back, or is and was a short while ago under way. */
const SMALL = ['total', 'schema_version', 'notice', 'protection', 'trash', 'job'];
/** From one end along the primary key, no further than wanted. */
const WALK = /^select [^()]* from .\w+. order by .id.( desc)? limit \?$/;

/** How SQLite and MariaDB carry the statements out, with the parameters that they were issued with. */
export async function plansOf(engine: Engine, statements: Statements): Promise<Plan[]> {
  const plans: Plan[] = [];
  const explain = engine.scanStretch === undefined ? explainMariadb : explainSqlite;
  for (const query of statements.values()) plans.push(await explain(engine, query));
  return plans;
}

async function explainSqlite({ db }: Engine, { sql: statement }: CompiledQuery): Promise<Plan> {
  const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(statement)}`.execute(db);
  const steps = plan.rows.map(({ detail }) => detail);
  const isScan = (detail: string) => /^SCAN (?!some|CONSTANT|\d+-ROW)/.test(detail);
  const scans = steps.filter((step) => isScan(step) && !SMALL.includes(step.slice(5)));
  return { statement, steps, scans: WALK.test(statement) ? [] : scans };
}

interface ExplainRow {
  readonly table: string | null;
  readonly type: string | null;
  readonly key: string | null;
  readonly key_len: string | null;
  readonly rows: number | null;
  readonly Extra: string | null;
}

async function explainMariadb({ db }: Engine, query: CompiledQuery): Promise<Plan> {
  // What MariaDB says of these is that it has looked for nothing.
  if (query.sql.startsWith('insert')) return { statement: query.sql, steps: ['adds rows'], scans: [] };
  const { rows } = await db.executeQuery<ExplainRow>({ ...query, sql: `explain ${query.sql}` });
  const wordsOf = ({ table, type, key, rows: count, Extra }: ExplainRow): string =>
    [table, type, key && `by ${key}`, count !== null && `${count} rows`, Extra].filter(Boolean).join(', ');
  const isScan = ({ table, type }: ExplainRow): boolean =>
    (type === 'ALL' || type === 'index') &&
    table !== null &&
    !table.startsWith('<') &&
    !SMALL.includes(table);
  const scans = WALK.test(query.sql) ? [] : rows.filter(isScan).map(wordsOf);
  return { statement: query.sql, steps: rows.map(wordsOf), scans };
}
