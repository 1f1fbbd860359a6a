// Query (PS3.4 §C.4.1): the narrowest way into the catalogue, then every criterion on what it leads to.

import type { DicomJson } from '../dicom/dicom-json.ts';
import { LEVELS, levelOf, TAG } from './attributes.ts';
import type { Query, QueryLevel } from './catalog.ts';
import { type DescendStatements, descend, prepareDescend } from './descend.ts';
import type { Engine } from './engine.ts';
import { type Criterion, criteriaOf } from './match.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepareList } from './prepared.ts';
import { prepareRowStatements, type Row, RowLoader, type RowStatements } from './rows.ts';
import { type AccessPath, accessPaths, isFirstEncounter, KIND, OWNER_LEVEL } from './search-keys.ts';
import { estimate, MANY, prepareWalk, STEP, type WalkStatements, walk } from './walk.ts';

/** What travels to the thread of the catalogue. */
export type FindRequest = Omit<Query, 'signal'>;

/** One match: the entity and those above it, from the top. */
export type Lineage = readonly Row[];

export interface FindStatements {
  readonly db: Connection;
  readonly walk: WalkStatements;
  readonly descend: DescendStatements;
  readonly rows: RowStatements;
  readonly byUid: Readonly<
    Record<Exclude<QueryLevel, 'PATIENT'>, Prepared<readonly string[], { id: number }>>
  >;
}

export function prepareFind(engine: Engine): FindStatements {
  const { db } = engine;
  return {
    db,
    walk: prepareWalk(engine),
    descend: prepareDescend(engine),
    rows: prepareRowStatements(db),
    byUid: {
      STUDY: prepareList((uids: readonly string[]) =>
        db.selectFrom('study').select('id').where('uid', 'in', uids),
      ),
      SERIES: prepareList((uids: readonly string[]) =>
        db.selectFrom('series').select('id').where('uid', 'in', uids),
      ),
      IMAGE: prepareList((uids: readonly string[]) =>
        db.selectFrom('instance').select('id').where('uid', 'in', uids),
      ),
    },
  };
}

/** All matches, as they are found. */
export function find(
  statements: FindStatements,
  request: FindRequest,
  pacer: Pacer,
): AsyncGenerator<readonly Lineage[]> {
  return new Search(statements, request, pacer).run();
}

/** Looking for a narrower path costs as much as trying so many candidates. */
const FEW = 8;
/** Entities found from below are remembered, to be reported once: some megabytes of them at most. Found from above, each
 *  would be asked for what is below it. */
const MOST_BELOW = 100_000;
/** Lists of these lengths are prepared. */
const FIRST_SLICE = 16;
/** A page of so many is a short text to JavaScript: long ones are kept until all garbage is collected. */
const SLICE = 32;

const UNIQUE_KEYS = [
  ['IMAGE', TAG.SOPInstanceUID],
  ['SERIES', TAG.SeriesInstanceUID],
  ['STUDY', TAG.StudyInstanceUID],
] as const;

class Search {
  readonly #statements: FindStatements;
  readonly #level: QueryLevel;
  readonly #criteria: Readonly<Record<QueryLevel, readonly Criterion[]>>;
  readonly #pacer: Pacer;
  readonly #loader: RowLoader;
  readonly #verdicts = new WeakMap<Row, boolean>();

  constructor(statements: FindStatements, request: FindRequest, pacer: Pacer) {
    this.#statements = statements;
    this.#level = request.level;
    this.#criteria = criteriaByLevel(request);
    this.#pacer = pacer;
    this.#loader = new RowLoader(statements.db, statements.rows, pacer);
  }

  async *run(): AsyncGenerator<readonly Lineage[]> {
    for await (const lineages of this.#ofLevel(await this.#start())) {
      const matches: Lineage[] = [];
      for (const lineage of lineages)
        if (await this.#hasDescendant(lineage.at(-1) as Row)) matches.push(lineage);
      if (matches.length > 0) yield matches;
    }
  }

  /** Entities of some level from which to reach every match. */
  async #start(): Promise<AsyncGenerator<readonly Row[]>> {
    for (const [level, attribute] of UNIQUE_KEYS) {
      const uids = this.#criteria[level].find((criterion) => criterion.attribute === attribute)?.exact;
      if (uids !== undefined) return this.#byUid(level, uids);
    }
    return this.#along(await this.#narrowest());
  }

  async #narrowest(): Promise<AccessPath> {
    const { db, walk: statements } = this.#statements;
    const paths = accessPaths(Object.values(this.#criteria).flat());
    const [only] = paths;
    if (only !== undefined && paths.length === 1 && !this.#isBelow(OWNER_LEVEL[only.kind])) return only;
    // The last resort: everybody there is.
    const all = this.#level === 'PATIENT' ? KIND.patientId : KIND.studyDate;
    let best: AccessPath | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const path of paths) {
      const isBelow = this.#isBelow(OWNER_LEVEL[path.kind]);
      const most = Math.min(least, isBelow ? MOST_BELOW : MANY);
      const cost = await estimate(statements, db, path, this.#pacer, most);
      if (isBelow && (cost >= MOST_BELOW || path.ranges.some(({ contains }) => contains !== undefined)))
        continue;
      if (cost < least) {
        best = path;
        least = cost;
      }
      if (least <= FEW) break;
    }
    return best ?? { kind: all, ranges: [{ from: '', to: undefined }] };
  }

  async *#byUid(
    level: Exclude<QueryLevel, 'PATIENT'>,
    uids: readonly string[],
  ): AsyncGenerator<readonly Row[]> {
    const { db, byUid } = this.#statements;
    const unique = [...new Set(uids)];
    for (let start = 0; start < unique.length; start += STEP) {
      const ids = await this.#pacer.turn(() => byUid[level](db, unique.slice(start, start + STEP)));
      yield this.#loader.load(
        level,
        ids.map(({ id }) => id),
      );
    }
  }

  async *#along(path: AccessPath): AsyncGenerator<readonly Row[]> {
    const { db, walk: statements } = this.#statements;
    const level = OWNER_LEVEL[path.kind];
    for await (const candidates of slices(walk(statements, db, path, this.#pacer))) {
      const ids = candidates.map((candidate) => candidate.id);
      const rows = new Map((await this.#loader.load(level, ids)).map((row) => [row.id, row]));
      yield candidates.flatMap((candidate) => {
        const row = rows.get(candidate.id);
        if (row === undefined) return [];
        return isFirstEncounter(path, candidate.range, candidate.key, row.attributes) ? [row] : [];
      });
    }
  }

  /** Entities of the query's level that match, with everything above them matching too. */
  async *#ofLevel(start: AsyncGenerator<readonly Row[]>): AsyncGenerator<readonly Lineage[]> {
    const reported = new Set<number>();
    for await (const rows of start) {
      const first = rows[0];
      if (first === undefined) continue;
      if (!this.#isBelow(first.level)) {
        yield* this.#down(rows);
        continue;
      }
      const depth = LEVELS.indexOf(this.#level) + 1;
      const above = (await this.#loader.lineages(rows.filter((row) => this.#matches(row))))
        .map((lineage) => lineage.slice(0, depth))
        .filter((lineage) => lineage.every((row) => this.#matches(row)));
      yield above.filter((lineage) => {
        const id = lineage.at(-1)?.id ?? 0;
        return !reported.has(id) && reported.add(id);
      });
    }
  }

  async *#down(rows: readonly Row[]): AsyncGenerator<readonly Lineage[]> {
    const candidates = rows.filter((row) => this.#matches(row));
    const first = candidates[0];
    if (first === undefined) return;
    if (first.level === this.#level) {
      const lineages = await this.#loader.lineages(candidates);
      yield lineages.filter((lineage) => lineage.every((row) => this.#matches(row)));
      return;
    }
    // Not to go down from what something above excludes.
    const fitting = (await this.#loader.lineages(candidates)).filter((lineage) =>
      lineage.every((row) => this.#matches(row)),
    );
    for await (const children of this.#childrenOf(fitting.map((lineage) => lineage.at(-1) as Row))) {
      yield* this.#down(children);
    }
  }

  async *#childrenOf(parents: readonly Row[]): AsyncGenerator<readonly Row[]> {
    const first = parents[0];
    const level = first && levelBelow(first.level);
    if (level === undefined || level === 'PATIENT') return;
    const { db, descend: statements } = this.#statements;
    for await (const nodes of descend(statements[level], db, parents, this.#pacer)) {
      yield await this.#loader.load(
        level,
        nodes.map((node) => node.id),
      );
    }
  }

  /** Relational queries: one descendant on each level below must match (PS3.4 §C.4.1.2.2.1). */
  async #hasDescendant(row: Row): Promise<boolean> {
    const below = LEVELS.slice(LEVELS.indexOf(row.level) + 1);
    if (below.every((level) => this.#criteria[level].length === 0)) return true;
    for await (const children of this.#childrenOf([row])) {
      for (const child of children) {
        if (this.#matches(child) && (await this.#hasDescendant(child))) return true;
      }
    }
    return false;
  }

  #matches(row: Row): boolean {
    let verdict = this.#verdicts.get(row);
    if (verdict === undefined) {
      verdict = this.#criteria[row.level].every((criterion) => criterion.test(row.attributes));
      this.#verdicts.set(row, verdict);
    }
    return verdict;
  }

  #isBelow(level: QueryLevel): boolean {
    return LEVELS.indexOf(level) > LEVELS.indexOf(this.#level);
  }
}

/** What has been found is encoded and sent while more is looked for, the first few soonest. */
async function* slices<T>(steps: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  let length = FIRST_SLICE;
  for await (const step of steps) {
    for (let start = 0; start < step.length; length = SLICE) {
      yield step.slice(start, start + length);
      start += length;
    }
  }
}

/** Keys of unknown attributes are not supported for matching and so left out (PS3.4 §C.2.2.1.3). */
export function criteriaByLevel(request: FindRequest): Record<QueryLevel, readonly Criterion[]> {
  const keys: Record<QueryLevel, DicomJson> = { PATIENT: {}, STUDY: {}, SERIES: {}, IMAGE: {} };
  const deepest = LEVELS.indexOf(request.lowerLevelKeys === true ? 'IMAGE' : request.level);
  for (const [attribute, key] of Object.entries(request.identifier)) {
    const level = levelOf(attribute);
    if (level === undefined) continue;
    if (LEVELS.indexOf(level) <= deepest) keys[level][attribute] = key;
    // Deviation (PS3.4 §C.6.2.1.2): takes Modality at STUDY level for Modalities in Study because many
    // requestors ask so.
    else if (attribute === TAG.Modality && request.level === 'STUDY')
      keys.STUDY[TAG.ModalitiesInStudy] ??= key;
  }
  const { fuzzyNames = false, combinedDateTime = false } = request;
  return {
    PATIENT: criteriaOf(keys.PATIENT, fuzzyNames, combinedDateTime),
    STUDY: criteriaOf(keys.STUDY, fuzzyNames, combinedDateTime),
    SERIES: criteriaOf(keys.SERIES, fuzzyNames, combinedDateTime),
    IMAGE: criteriaOf(keys.IMAGE, fuzzyNames, combinedDateTime),
  };
}

function levelBelow(level: QueryLevel): QueryLevel | undefined {
  return LEVELS[LEVELS.indexOf(level) + 1];
}
