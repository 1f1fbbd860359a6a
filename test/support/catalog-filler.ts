// Fills an empty catalogue with a generated archive by loading rows, for measurements: what ingest would make of the same
// records (test/contract/catalog/filler-suite.ts), without its transactions.

import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, createWriteStream, openSync, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type Connection, createConnection } from 'mariadb';
import { type IngestRecord, ingestRecordOf } from '../../src/catalog/ingest-record.ts';
import {
  instanceRow,
  keyChange,
  patientAttributes,
  patientRow,
  seriesAttributes,
  seriesRow,
  studyAttributes,
  studyRow,
} from '../../src/catalog/ingest-rows.ts';
import {
  IngestState,
  type PatientState,
  type SeriesState,
  type StudyState,
  type Totals,
} from '../../src/catalog/ingest-state.ts';
import { openEngine } from '../../src/catalog/open-engine.ts';
import type { SearchKey } from '../../src/catalog/search-keys.ts';
import { type CatalogAddress, parseCatalogAddress } from '../../src/util/catalog-address.ts';
import { type ArchiveShape, studyFacts, studyRecord } from './catalog-generator.ts';

type Value = string | number;
export type FillRow = Readonly<Record<string, Value>>;
export type FillTable =
  | 'patient'
  | 'study'
  | 'series'
  | 'instance'
  | 'study_modality'
  | 'study_sop_class'
  | 'search_key';

/** Columns, in the order in which rows give them. */
interface Sink {
  write(table: FillTable, rows: readonly FillRow[]): Promise<void>;
  /** `totals` are those of everything written. */
  end(totals: Totals): Promise<void>;
}

/** Studies whose rows are made together; patients have two. */
const STUDIES_PER_CHUNK = 200;

/** Fills the catalogue at `url`, which is made if it is not there. */
export async function fillCatalog(
  url: string,
  shape: ArchiveShape,
  onProgress: (studies: number) => void = () => undefined,
): Promise<void> {
  await (await openEngine(url)).close();
  const address = parseCatalogAddress(url, process.cwd());
  if (address === undefined) throw new Error(`${url} is no address of a catalogue`);
  const sink = address.engine === 'sqlite' ? sqliteSink(address.file) : await mariadbSink(address);
  const totals: Totals = { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 };
  const ids: Ids = { patient: 0, study: 0, series: 0, instance: 0 };
  for (let start = 0; start < shape.studies; start += STUDIES_PER_CHUNK) {
    const end = Math.min(shape.studies, start + STUDIES_PER_CHUNK);
    const state = new IngestState();
    for (let study = start; study < end; study++) applyStudy(state, shape, study);
    for (const [table, rows] of rowsOf(state, ids)) await sink.write(table, rows);
    for (const key of Object.keys(totals) as (keyof Totals)[]) totals[key] += state.change[key];
    onProgress(end);
  }
  await sink.end(totals);
}

/** The first instance of each series as ingest takes it, the others after its pattern. */
function applyStudy(state: IngestState, shape: ArchiveShape, study: number): void {
  const facts = studyFacts(shape, study);
  for (let series = 1; series <= (shape.seriesPerStudy ?? 2); series++) {
    const first = ingestRecordOf(studyRecord(facts, study, series, 1));
    state.apply(first);
    for (let number = 2; number <= (shape.instancesPerSeries ?? 5); number++) {
      state.apply(anotherInstance(first, `${facts.uid}.${series}.${number}`, number));
    }
  }
}

function anotherInstance(first: IngestRecord, uid: string, number: number): IngestRecord {
  const { location } = first;
  return {
    ...first,
    uid,
    number,
    instance: first.instance
      .replace(`"${first.uid}"`, `"${uid}"`)
      .replace('"00200013":{"vr":"IS","Value":[1]}', `"00200013":{"vr":"IS","Value":[${number}]}`),
    location: {
      ...location,
      path: location.path.replace(`${first.uid}.dcm`, `${uid}.dcm`),
      sha256: hash('sha256', `${uid} first`),
    },
  };
}

type Ids = Record<'patient' | 'study' | 'series' | 'instance', number>;

function rowsOf(state: IngestState, ids: Ids): [FillTable, FillRow[]][] {
  const identify = <E extends PatientState | StudyState | SeriesState>(
    entities: Iterable<E>,
    table: keyof Ids,
  ): E[] => {
    const all = [...entities];
    for (const entity of all) entity.id = ++ids[table];
    return all;
  };
  const patients = identify(state.patients.values(), 'patient');
  const studies = identify(state.studies.values(), 'study');
  const series = identify(state.series.values(), 'series');
  const keys = [
    ...patients.map((patient) => keyChange('PATIENT', patient, patientAttributes)),
    ...studies.map((study) => keyChange('STUDY', study, studyAttributes)),
    ...series.map((one) => keyChange('SERIES', one, seriesAttributes)),
  ].flatMap((change) => change?.after.map((key) => searchKeyRow(key, change.owner)) ?? []);
  return [
    ['patient', patients.map((patient) => ({ id: patient.id as number, ...patientRow(patient) }))],
    ['study', studies.map((study) => ({ id: study.id as number, ...studyRow(study) }))],
    ['series', series.map((one) => ({ id: one.id as number, ...seriesRow(one) }))],
    [
      'instance',
      [...state.instances.values()].map((instance) => ({
        id: ++ids.instance,
        ...(instanceRow(instance) as FillRow),
      })),
    ],
    [
      'study_modality',
      studies.flatMap(({ id = 0, modalities }) =>
        [...modalities].map(([modality, count]) => ({ study_id: id, modality, series: count })),
      ),
    ],
    [
      'study_sop_class',
      studies.flatMap(({ id = 0, sopClasses }) =>
        [...sopClasses].map(([sop_class_uid, instances]) => ({ study_id: id, sop_class_uid, instances })),
      ),
    ],
    ['search_key', keys],
  ];
}

function searchKeyRow({ kind, key }: SearchKey, owner_id: number): FillRow {
  return { kind, search_key: key, owner_id };
}

function sqliteSink(file: string): Sink {
  const database = new DatabaseSync(file);
  for (const pragma of [
    'synchronous = off',
    'journal_mode = off',
    'cache_size = -2000000',
    'foreign_keys = off',
  ])
    database.exec(`pragma ${pragma}`);
  database.exec('begin');
  const statements = new Map<FillTable, ReturnType<DatabaseSync['prepare']>>();
  return {
    write: async (table, rows) => {
      const [first] = rows;
      if (first === undefined) return;
      let statement = statements.get(table);
      if (statement === undefined) {
        const columns = Object.keys(first);
        const values = columns.map(() => '?').join();
        statement = database.prepare(`insert into ${table} (${columns.join()}) values (${values})`);
        statements.set(table, statement);
      }
      for (const row of rows) statement.run(...(Object.values(row) as SQLInputValue[]));
    },
    end: async (totals) => {
      const changes = Object.entries(totals).map(([column, value]) => `${column} = ${value}`);
      database.exec(`update total set ${changes.join()} where id = 1`);
      database.exec('commit');
      database.exec('pragma journal_mode = wal');
      database.close();
    },
  };
}

/** What a server loads a table from, and the end of that. */
interface Pipe {
  readonly stream: WriteStream;
  readonly loaded: Promise<unknown>;
}

/** Through one pipe per table, which the server reads while rows are made: what is loaded into an empty table by one
 *  statement gets its indexes by sorting, not row by row, and nothing lies on the disk twice. */
async function mariadbSink(address: Extract<CatalogAddress, { engine: 'mariadb' }>): Promise<Sink> {
  const { host, port, socketPath, user, password, database } = address;
  const connect = (): Promise<Connection> =>
    createConnection({
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      user,
      password,
      database,
      charset: 'utf8mb4',
      initSql: ['set unique_checks = 0, foreign_key_checks = 0'],
    });
  const connection = await connect();
  const [{ folder }] = await connection.query<[{ folder: string }]>('select @@datadir as folder');
  const pipes = new Map<FillTable, Pipe>();
  const pipeInto = async (table: FillTable, columns: string): Promise<Pipe> => {
    // Beside the server's own, where it may read.
    const path = join(folder, '..', `${table}.rows`);
    execFileSync('mkfifo', ['-m', '644', path]);
    const own = await connect();
    const loaded = own
      .query(`load data infile '${path}' into table ${table} character set utf8mb4 (${columns})`)
      .finally(() => Promise.all([own.end(), rm(path)]));
    // Opened by both sides at the same time: whoever is first waits for the other.
    const stream = createWriteStream(path, { highWaterMark: 1 << 20 });
    loaded.catch((error: Error) => {
      closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
      stream.destroy(error);
    });
    return { stream, loaded };
  };
  return {
    write: async (table, rows) => {
      const [first] = rows;
      if (first === undefined) return;
      let pipe = pipes.get(table);
      if (pipe === undefined) {
        pipe = await pipeInto(table, Object.keys(first).join());
        pipes.set(table, pipe);
      }
      const text = rows.map((row) => `${Object.values(row).map(escaped).join('\t')}\n`).join('');
      if (!pipe.stream.write(text)) await once(pipe.stream, 'drain');
    },
    end: async (totals) => {
      for (const { stream } of pipes.values()) stream.end();
      await Promise.all([...pipes.values()].map(({ loaded }) => loaded));
      const changes = Object.entries(totals).map(([column, value]) => `${column} = ${value}`);
      await connection.query(`update total set ${changes.join()} where id = 1`);
      await connection.query(`analyze table ${[...pipes.keys()].join()}`);
      await connection.end();
    },
  };
}

function escaped(value: Value): string {
  return typeof value === 'number' ? String(value) : value.replace(/[\\\t\n]/g, '\\$&');
}
