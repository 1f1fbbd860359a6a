// The study list, newest first, a page at a time. A page either looks along the studies by date and tries each, or
// gathers the few that a narrow key leads to and puts them in order.

import { TAG } from './attributes.ts';
import { MAX_STUDY_PAGE, type StudyPageRequest } from './catalog.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import { criteriaByLevel, type Lineage } from './find.ts';
import type { Criterion } from './match.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, MAX_LIST, type Prepared, prepareList } from './prepared.ts';
import { prepareRowStatements, type Row, RowLoader, type RowStatements } from './rows.ts';
import {
  type AccessPath,
  ALL_STUDIES,
  accessPaths,
  type DatePath,
  datePathOf,
  isFirstEncounter,
  OWNER_LEVEL,
} from './search-keys.ts';
import { type TextCriterion, textCriteria } from './study-text.ts';
import { estimate, MANY, prepareWalk, STEP, type WalkStatements, walk, walkBackwards } from './walk.ts';

/** Most studies that are tried for one page. */
const MAX_TRIED = 1024;
/** Whoever types waits no longer for a page, however slow the disk is: what has been found comes first. */
const LONGEST_MS = 50;
/** Most studies that are put in order for one page. */
const MAX_ORDERED = 20_000;
/** Studies that are to be put in order are all wanted at once: fewer, longer statements. */
const LONG_STEP = 1024;

/** A study's place in the list: its date, then when it came to the archive. */
interface Position {
  readonly date: string;
  readonly id: number;
}

/** A study to try. */
interface Candidate extends Position {
  /** Whether this is the place where the study belongs. */
  isPlaceOf(study: Row): boolean;
}

export interface StudyPageStatements {
  readonly db: Connection;
  readonly walk: WalkStatements;
  readonly rows: RowStatements;
  readonly ofStudies: Prepared<readonly number[], Position>;
  readonly ofUids: Prepared<readonly string[], Position>;
  readonly ofPatients: Prepared<readonly number[], Position>;
}

export function prepareStudyPage(engine: Engine): StudyPageStatements {
  const { db } = engine;
  const positions = db.selectFrom('study').select(['id', 'study_date as date']);
  return {
    db,
    walk: prepareWalk(engine),
    rows: prepareRowStatements(db),
    ofStudies: prepareList((ids: readonly number[]) => positions.where('id', 'in', ids)),
    ofUids: prepareList((uids: readonly string[]) => positions.where('uid', 'in', uids)),
    // A patient may have any number of studies: no more are read than make too many.
    ofPatients: prepareList((ids: readonly number[]) =>
      positions.where('patient_id', 'in', ids).limit(MAX_ORDERED + 1),
    ),
  };
}

/** One page; see StudyPage. */
export async function studyPage(
  statements: StudyPageStatements,
  request: StudyPageRequest,
  pacer: Pacer,
): Promise<{ lineages: readonly Lineage[]; next: string | undefined }> {
  const { limit } = request;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_STUDY_PAGE) {
    throw new CatalogError('catalog-request', `A page has 1 to ${MAX_STUDY_PAGE} studies, not ${limit}`);
  }
  const after = request.after === undefined ? undefined : parsePosition(request.after);
  const list = new StudyList(statements, request, pacer);
  const lineages: Lineage[] = [];
  let last: Position | undefined;
  let tried = 0;
  for await (const candidates of list.candidates(after)) {
    for (const { lineage, position } of await list.matching(candidates)) {
      if (lineages.length === limit) return { lineages, next: last && formatPosition(last) };
      lineages.push(lineage);
      last = position;
    }
    tried += candidates.length;
    const end = candidates.at(-1);
    const isEnough = tried >= MAX_TRIED || pacer.elapsedMs > LONGEST_MS;
    if (isEnough && end !== undefined) return { lineages, next: formatPosition(end) };
  }
  return { lineages, next: undefined };
}

class StudyList {
  readonly #statements: StudyPageStatements;
  readonly #criteria: { readonly PATIENT: readonly Criterion[]; readonly STUDY: readonly Criterion[] };
  readonly #words: readonly TextCriterion[];
  readonly #pacer: Pacer;
  readonly #loader: RowLoader;

  constructor(statements: StudyPageStatements, request: StudyPageRequest, pacer: Pacer) {
    const { identifier, fuzzyNames = false, text = {} } = request;
    this.#statements = statements;
    this.#criteria = criteriaByLevel({ level: 'STUDY', identifier, fuzzyNames });
    this.#words = textCriteria(text);
    this.#pacer = pacer;
    this.#loader = new RowLoader(statements.db, statements.rows, pacer);
  }

  /** Among them is every match behind `after`; in the order of the list. */
  async *candidates(after: Position | undefined): AsyncGenerator<readonly Candidate[]> {
    const { PATIENT, STUDY } = this.#criteria;
    const { db, walk: statements, ofUids } = this.#statements;
    const uids = STUDY.find(({ attribute }) => attribute === TAG.StudyInstanceUID)?.exact;
    if (uids !== undefined) {
      yield* inOrder(await this.#pacer.turn(() => ofUids(db, [...new Set(uids)])), after);
      return;
    }
    const paths = accessPaths([...PATIENT, ...STUDY]);
    let [byDate, dated] = [ALL_STUDIES, MANY];
    let [narrow, least]: [readonly AccessPath[] | undefined, number] = [undefined, MANY];
    for (const path of paths) {
      const cost = await estimate(statements, db, path, this.#pacer);
      const datePath = datePathOf(path);
      // Of two with many studies the later one: a modality with a range of dates is narrower than that range.
      if (datePath !== undefined && cost <= dated) [byDate, dated] = [datePath, cost];
      if (datePath === undefined && cost < least) [narrow, least] = [[path], cost];
    }
    for (const { paths: ways } of this.#words) {
      let cost = 0;
      for (const path of ways) cost += await estimate(statements, db, path, this.#pacer);
      if (cost < least) [narrow, least] = [ways, cost];
    }
    const few = narrow && least < dated ? await this.#positionsAlong(narrow) : undefined;
    if (few !== undefined) yield* inOrder(few, after);
    else yield* this.#byDate(byDate, after);
  }

  /** Those of the candidates that match. */
  async matching(candidates: readonly Candidate[]): Promise<{ lineage: Lineage; position: Position }[]> {
    const { PATIENT, STUDY } = this.#criteria;
    const ids = candidates.map(({ id }) => id);
    const studies = (await this.#loader.load('STUDY', ids)).filter((row) => fits(STUDY, row));
    const lineages = new Map(
      (await this.#loader.lineages(studies)).map((lineage) => [lineage.at(-1)?.id, lineage]),
    );
    return candidates.flatMap((position) => {
      const lineage = lineages.get(position.id);
      const [patient, study] = lineage ?? [];
      if (lineage === undefined || patient === undefined || study === undefined) return [];
      return fits(PATIENT, patient) && this.#hasWords(patient, study) && position.isPlaceOf(study)
        ? [{ lineage, position }]
        : [];
    });
  }

  async *#byDate(path: DatePath, after: Position | undefined): AsyncGenerator<readonly Candidate[]> {
    const { db, walk: statements } = this.#statements;
    const { kind, ranges, beforeDate } = path;
    const place = after && { key: beforeDate + after.date, owner: after.id };
    for (const range of ranges) {
      for await (const rows of walkBackwards(statements, db, { kind, range, after: place }, this.#pacer)) {
        yield rows.map(({ search_key: key, owner_id: id }) => ({
          id,
          date: key.slice(beforeDate.length),
          isPlaceOf: (study) => isFirstEncounter(path, 0, key, study.attributes),
        }));
      }
    }
  }

  #hasWords(patient: Row, study: Row): boolean {
    return this.#words.every((word) => word.test(patient.attributes, study.attributes));
  }

  /** The studies that any of the paths leads to; undefined when there are too many. */
  async #positionsAlong(paths: readonly AccessPath[]): Promise<readonly Position[] | undefined> {
    const { db, walk: statements, ofPatients, ofStudies } = this.#statements;
    const patients = new Set<number>();
    const studies = new Set<number>();
    for (const path of paths) {
      const owners = OWNER_LEVEL[path.kind] === 'PATIENT' ? patients : studies;
      for await (const found of walk(statements, db, path, this.#pacer, LONG_STEP)) {
        for (const { id } of found) owners.add(id);
        if (owners.size > MANY) return undefined;
      }
    }
    const positions = new Map<number, Position>();
    for (const [owners, ofOwners] of [
      [patients, ofPatients],
      [studies, ofStudies],
    ] as const) {
      for (const ids of lists(owners)) {
        for (const position of await this.#pacer.turn(() => ofOwners(db, ids)))
          positions.set(position.id, position);
        if (positions.size > MAX_ORDERED) return undefined;
      }
    }
    return [...positions.values()];
  }
}

function fits(criteria: readonly Criterion[], row: Row): boolean {
  return criteria.every((criterion) => criterion.test(row.attributes));
}

function* lists(ids: ReadonlySet<number>): Generator<readonly number[]> {
  const all = [...ids];
  for (let start = 0; start < all.length; start += MAX_LIST) yield all.slice(start, start + MAX_LIST);
}

function* inOrder(
  positions: readonly Position[],
  after: Position | undefined,
): Generator<readonly Candidate[]> {
  const behind = positions
    .filter((position) => after === undefined || newestFirst(after, position) < 0)
    .sort(newestFirst)
    .map((position) => ({ ...position, isPlaceOf: () => true }));
  for (let start = 0; start < behind.length; start += STEP) yield behind.slice(start, start + STEP);
}

function newestFirst(a: Position, b: Position): number {
  if (a.date !== b.date) return a.date < b.date ? 1 : -1;
  return b.id - a.id;
}

function formatPosition({ date, id }: Position): string {
  return `${date}.${id}`;
}

function parsePosition(text: string): Position {
  const [, date, id] = /^(\d{8}|)\.(\d{1,15})$/.exec(text.slice(0, 32)) ?? [];
  if (date === undefined || id === undefined) {
    throw new CatalogError(
      'catalog-request',
      'The place in the study list where to go on is none that a page named',
    );
  }
  return { date, id: Number(id) };
}
