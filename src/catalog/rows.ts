// Entities as searches see them, loaded by id in lists, each with its attributes and the way to its parent.

import type { DicomJson } from '../dicom/dicom-json.ts';
import { LEVELS } from './attributes.ts';
import type { QueryLevel } from './catalog.ts';
import {
  computedOfInstance,
  computedOfPatient,
  computedOfSeries,
  computedOfStudy,
  mergedAttributes,
  mergedText,
} from './computed.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepareList } from './prepared.ts';

/** One entity. */
export class Row {
  readonly level: QueryLevel;
  readonly id: number;
  /** 0 at the top. */
  readonly parentId: number;
  /** How many entities it has one level below. */
  readonly children: number;
  /** Of the files. */
  readonly bytes: number;
  readonly receivedAt: string;
  readonly #kept: string;
  readonly #computed: DicomJson;
  #attributes: DicomJson | undefined;

  constructor(
    level: QueryLevel,
    { id, parentId, children, attributes, computed, bytes, received_at: receivedAt }: Columns,
  ) {
    this.level = level;
    this.id = id;
    this.parentId = parentId;
    this.children = children;
    this.bytes = bytes;
    this.receivedAt = receivedAt;
    this.#kept = attributes;
    this.#computed = computed;
  }

  /** Attributes, kept and computed. */
  get attributes(): DicomJson {
    this.#attributes ??= mergedAttributes(this.#kept, this.#computed);
    return this.#attributes;
  }

  /** The same as JSON; of `wanted`, where it is given, those that there are. */
  textOf(wanted: readonly string[] | undefined): string {
    if (wanted === undefined) return mergedText(this.#kept, this.#computed);
    const { attributes } = this;
    const picked: DicomJson = {};
    for (const key of wanted) {
      const element = attributes[key];
      if (element !== undefined) picked[key] = element;
    }
    return JSON.stringify(picked);
  }
}

interface Columns extends Pick<Row, 'id' | 'parentId' | 'children' | 'bytes'> {
  readonly attributes: string;
  readonly computed: DicomJson;
  readonly received_at: string;
}

type LoadRows = Prepared<readonly number[], Row>;
export type RowStatements = Readonly<Record<QueryLevel, LoadRows>>;

export function prepareRowStatements(db: Connection): RowStatements {
  const patients = prepareList((ids: readonly number[]) =>
    db
      .selectFrom('patient')
      .select(['id', 'patient_id', 'attributes', 'received_at', 'bytes', 'studies', 'series', 'instances'])
      .where('id', 'in', ids),
  );
  const studies = prepareList((ids: readonly number[]) =>
    db
      .selectFrom('study')
      .select(['id', 'patient_id', 'uid', 'attributes', 'received_at', 'bytes', 'series', 'instances'])
      .select(['modalities', 'sop_classes'])
      .where('id', 'in', ids),
  );
  const series = prepareList((ids: readonly number[]) =>
    db
      .selectFrom('series')
      .select(['id', 'study_id', 'uid', 'attributes', 'received_at', 'bytes', 'instances'])
      .where('id', 'in', ids),
  );
  const instances = prepareList((ids: readonly number[]) =>
    db
      .selectFrom('instance')
      .select(['id', 'series_id', 'uid', 'sop_class_uid', 'attributes', 'received_at', 'file_bytes as bytes'])
      .where('id', 'in', ids),
  );
  return {
    PATIENT: async (connection, ids) =>
      (await patients(connection, ids)).map(
        (row) =>
          new Row('PATIENT', {
            ...row,
            computed: computedOfPatient(row),
            parentId: 0,
            children: row.studies,
          }),
      ),
    STUDY: async (connection, ids) =>
      (await studies(connection, ids)).map(
        (row) =>
          new Row('STUDY', {
            ...row,
            computed: computedOfStudy(row),
            parentId: row.patient_id,
            children: row.series,
          }),
      ),
    SERIES: async (connection, ids) =>
      (await series(connection, ids)).map(
        (row) =>
          new Row('SERIES', {
            ...row,
            computed: computedOfSeries(row),
            parentId: row.study_id,
            children: row.instances,
          }),
      ),
    IMAGE: async (connection, ids) =>
      (await instances(connection, ids)).map(
        (row) =>
          new Row('IMAGE', {
            ...row,
            computed: computedOfInstance(row),
            parentId: row.series_id,
            children: 0,
          }),
      ),
  };
}

/** Parents kept at hand per level; more than any page refers to. */
const MAX_KEPT = 512;

/** Loads rows for one search; parents met before are not loaded again. */
export class RowLoader {
  readonly #db: Connection;
  readonly #statements: RowStatements;
  readonly #pacer: Pacer;
  readonly #kept: Readonly<Record<QueryLevel, Map<number, Row>>>;

  constructor(db: Connection, statements: RowStatements, pacer: Pacer) {
    this.#db = db;
    this.#statements = statements;
    this.#pacer = pacer;
    this.#kept = { PATIENT: new Map(), STUDY: new Map(), SERIES: new Map(), IMAGE: new Map() };
  }

  /** In the order of `ids`; those that have gone meanwhile are left out. */
  async load(level: QueryLevel, ids: readonly number[]): Promise<Row[]> {
    const kept = this.#kept[level];
    const missing = [...new Set(ids)].filter((id) => !kept.has(id));
    if (missing.length > 0) {
      if (kept.size + missing.length > MAX_KEPT) this.#forget(kept, new Set(ids));
      const rows = await this.#pacer.turn(() => this.#statements[level](this.#db, missing));
      for (const row of rows) kept.set(row.id, row);
    }
    const found = ids.map((id) => kept.get(id)).filter((row) => row !== undefined);
    // Only parents are asked for again and again.
    if (level === 'IMAGE') kept.clear();
    return found;
  }

  /** The row and everything above it, from the top; undefined when something of it has gone meanwhile. */
  async lineages(rows: readonly Row[]): Promise<(readonly Row[])[]> {
    let lineages: (readonly Row[])[] = rows.map((row) => [row]);
    for (let depth = LEVELS.indexOf(rows[0]?.level ?? 'PATIENT') - 1; depth >= 0; depth--) {
      const level = LEVELS[depth] as QueryLevel;
      const parentIds = lineages.map((lineage) => lineage[0]?.parentId ?? 0);
      const parents = new Map((await this.load(level, parentIds)).map((parent) => [parent.id, parent]));
      lineages = lineages.flatMap((lineage) => {
        const parent = parents.get(lineage[0]?.parentId ?? 0);
        return parent === undefined ? [] : [[parent, ...lineage]];
      });
    }
    return lineages;
  }

  #forget(kept: Map<number, Row>, except: ReadonlySet<number>): void {
    for (const id of kept.keys()) if (!except.has(id)) kept.delete(id);
  }
}
