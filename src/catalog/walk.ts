// Walks along the search keys in short steps. Each starts where the last one ended (a keyset), so that no step
// costs more than another.

import type { Engine } from './engine.ts';
import { AFTER_ALL_KEYS } from './normalise.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepare, type SlotMaker } from './prepared.ts';
import { type AccessPath, type Kind, NEWEST_FIRST } from './search-keys.ts';
import type { KeyRange } from './wild-card.ts';

/** Entities per step, unless said otherwise. */
export const STEP = 128;
const LAST_OWNER = Number.MAX_SAFE_INTEGER;
/** Estimates stop counting here. */
export const MANY = 5000;
/** Looking through all keys of a kind costs about as much as loading so many entities. */
const SCAN_COST = 4000;

/** An entity that an access path leads to. */
export interface Candidate {
  readonly id: number;
  readonly key: string;
  /** Which range of the path. */
  readonly range: number;
}

interface Step {
  readonly kind: Kind;
  readonly from: string;
  readonly to: string;
  /** Where the last step ended. */
  readonly key: string;
  readonly owner: number;
  /** Rows, at most. */
  readonly most: number;
}

interface ScanStep extends Step {
  readonly contains: string;
}

interface KeyRow {
  readonly search_key: string;
  readonly owner_id: number;
}

export interface WalkStatements {
  readonly forwards: Prepared<Step, KeyRow>;
  readonly backwards: Prepared<Step, KeyRow>;
  /** Where one statement of a scan has looked through enough keys, if that matters to the engine. */
  readonly stretchEnd: Prepared<Step, { search_key: string }> | undefined;
  readonly scan: Prepared<ScanStep, KeyRow>;
  readonly count: Prepared<Step, { count: number }>;
}

const POSITION = ['search_key', 'owner_id'] as const;

export function prepareWalk({ db, beyond, mayHold, scanStretch }: Engine): WalkStatements {
  const keys = db.selectFrom('search_key');
  const past = (slot: SlotMaker<Step>, direction: 'asc' | 'desc') =>
    beyond(POSITION, direction, [slot('key'), slot('owner')]);
  return {
    // Only one lower (upper) bound each: with two the engine may seek to the wrong one.
    forwards: prepare((slot) =>
      keys
        .select(POSITION)
        .where('kind', '=', slot('kind'))
        .where(past(slot, 'asc'))
        .where('search_key', '<', slot('to'))
        .orderBy('search_key')
        .orderBy('owner_id')
        .limit(slot('most')),
    ),
    backwards: prepare((slot) =>
      keys
        .select(POSITION)
        .where('kind', '=', slot('kind'))
        .where(past(slot, 'desc'))
        .where('search_key', '>=', slot('from'))
        .orderBy('search_key', 'desc')
        .orderBy('owner_id', 'desc')
        .limit(slot('most')),
    ),
    stretchEnd:
      scanStretch === undefined
        ? undefined
        : prepare((slot) =>
            keys
              .select('search_key')
              .where('kind', '=', slot('kind'))
              .where('search_key', '>', slot('key'))
              .orderBy('search_key')
              .limit(1)
              .offset(scanStretch),
          ),
    // What is looked for comes first: few keys hold it, and only those are compared with the position.
    scan: prepare((slot) =>
      keys
        .select(POSITION)
        .where('kind', '=', slot('kind'))
        .where(mayHold(slot('contains')))
        .where(past(slot, 'asc'))
        .where('search_key', '<=', slot('to'))
        .orderBy('search_key')
        .orderBy('owner_id')
        .limit(slot('most')),
    ),
    count: prepare((slot) =>
      db
        .selectFrom(
          keys
            .select(POSITION)
            .where('kind', '=', slot('kind'))
            .where('search_key', '>=', slot('from'))
            .where('search_key', '<', slot('to'))
            .limit(slot('most'))
            .as('some'),
        )
        .select(({ fn }) => fn.countAll<number>().as('count')),
    ),
  };
}

/** All candidates of a path, in steps of at most so many. An owner with several fitting keys comes up several times. */
export async function* walk(
  statements: WalkStatements,
  db: Connection,
  path: AccessPath,
  pacer: Pacer,
  most: number = STEP,
): AsyncGenerator<readonly Candidate[]> {
  for (const [number, range] of path.ranges.entries()) {
    const steps =
      range.contains === undefined
        ? stepsOf(statements, db, path.kind, range, pacer, most)
        : scanOf(statements, db, path.kind, range.contains, pacer, most);
    for await (const rows of steps) {
      yield rows.map((row) => ({ id: row.owner_id, key: row.search_key, range: number }));
    }
  }
}

/** Where a walk along the index is. */
export type Place = Pick<Step, 'key' | 'owner'>;

/** The keys of a range from the newest to the oldest, in steps, those behind `after`. */
export function walkBackwards(
  statements: WalkStatements,
  db: Connection,
  {
    kind,
    range,
    after,
  }: { readonly kind: Kind; readonly range: KeyRange; readonly after: Place | undefined },
  pacer: Pacer,
  most: number = STEP,
): AsyncGenerator<readonly KeyRow[]> {
  const start = startOf(kind, range, most);
  return steps(statements.backwards, db, { ...start, ...(after ?? { key: start.to }) }, pacer);
}

/** What a path costs, in candidates; `most` when there are that many or more. */
export async function estimate(
  statements: WalkStatements,
  db: Connection,
  path: AccessPath,
  pacer: Pacer,
  most: number = MANY,
): Promise<number> {
  let sum = 0;
  for (const range of path.ranges) {
    if (range.contains !== undefined) return SCAN_COST;
    const step = startOf(path.kind, range, most - sum);
    const [counted] = await pacer.turn(() => statements.count(db, step));
    sum += counted?.count ?? 0;
    if (sum >= most) return most;
  }
  return sum;
}

function startOf(kind: Kind, range: KeyRange, most: number): Step {
  return { kind, from: range.from, to: range.to ?? AFTER_ALL_KEYS, key: range.from, owner: -1, most };
}

function stepsOf(
  statements: WalkStatements,
  db: Connection,
  kind: Kind,
  range: KeyRange,
  pacer: Pacer,
  most: number,
): AsyncGenerator<readonly KeyRow[]> {
  return NEWEST_FIRST.has(kind)
    ? walkBackwards(statements, db, { kind, range, after: undefined }, pacer, most)
    : steps(statements.forwards, db, startOf(kind, range, most), pacer);
}

/** Looks through every key of a kind, a stretch at a time; the database filters, so few rows come up here. */
async function* scanOf(
  statements: WalkStatements,
  db: Connection,
  kind: Kind,
  contains: string,
  pacer: Pacer,
  most: number,
): AsyncGenerator<readonly KeyRow[]> {
  const { stretchEnd } = statements;
  // A stretch ends behind the last owner of a key, and none begins in between.
  for (let step: Step = { ...startOf(kind, { from: '', to: undefined }, most), owner: LAST_OWNER }; ; ) {
    const [end] = stretchEnd === undefined ? [] : await pacer.turn(() => stretchEnd(db, step));
    const to = end?.search_key ?? step.to;
    yield* steps(statements.scan, db, { ...step, to, contains }, pacer);
    if (end === undefined) return;
    step = { ...step, key: to };
  }
}

async function* steps<S extends Step>(
  statement: Prepared<S, KeyRow>,
  db: Connection,
  start: S,
  pacer: Pacer,
): AsyncGenerator<readonly KeyRow[]> {
  for (let step = start; ; ) {
    const rows = await pacer.turn(() => statement(db, step));
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < step.most) return;
    step = { ...step, key: last.search_key, owner: last.owner_id };
  }
}
