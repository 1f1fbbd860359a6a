// Walks along the search keys in short steps. Each starts where the last one ended (a keyset), so that no step
// costs more than another.

import { sql } from 'kysely';
import type { Engine } from './engine.ts';
import { AFTER_ALL_KEYS, TRUNCATED } from './normalise.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepare } from './prepared.ts';
import { type AccessPath, type Kind, NEWEST_FIRST } from './search-keys.ts';
import type { KeyRange } from './wild-card.ts';

/** Entities per step. */
export const STEP = 128;
/** Search keys that one step of a scan looks through. */
const SCAN_STEP = 8192;
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
}

interface ScanStep extends Step {
  readonly contains: string;
  readonly lastKey: string;
  readonly lastOwner: number;
}

interface KeyRow {
  readonly search_key: string;
  readonly owner_id: number;
}

export interface WalkStatements {
  readonly forwards: Prepared<Step, KeyRow>;
  readonly backwards: Prepared<Step, KeyRow>;
  readonly scanEnd: Prepared<Step, KeyRow>;
  readonly scan: Prepared<ScanStep, KeyRow>;
  readonly count: Prepared<Step, { count: number }>;
}

const POSITION = ['search_key', 'owner_id'] as const;

export function prepareWalk({ db, beyond }: Engine): WalkStatements {
  const keys = db.selectFrom('search_key').select(POSITION);
  return {
    // Only one lower (upper) bound each: with two the engine may seek to the wrong one.
    forwards: prepare((slot) =>
      keys
        .where(
          'kind',
          '=',
          slot((step): number => step.kind),
        )
        .where(beyond(POSITION, 'asc', [slot((step) => step.key), slot((step) => step.owner)]))
        .where(
          'search_key',
          '<',
          slot((step) => step.to),
        )
        .orderBy('search_key')
        .orderBy('owner_id')
        .limit(STEP),
    ),
    backwards: prepare((slot) =>
      keys
        .where(
          'kind',
          '=',
          slot((step): number => step.kind),
        )
        .where(beyond(POSITION, 'desc', [slot((step) => step.key), slot((step) => step.owner)]))
        .where(
          'search_key',
          '>=',
          slot((step) => step.from),
        )
        .orderBy('search_key', 'desc')
        .orderBy('owner_id', 'desc')
        .limit(STEP),
    ),
    scanEnd: prepare((slot) =>
      keys
        .where(
          'kind',
          '=',
          slot((step): number => step.kind),
        )
        .where(beyond(POSITION, 'asc', [slot((step) => step.key), slot((step) => step.owner)]))
        .orderBy('search_key')
        .orderBy('owner_id')
        .limit(1)
        .offset(SCAN_STEP),
    ),
    scan: prepare((slot) =>
      keys
        .where(
          'kind',
          '=',
          slot((step): number => step.kind),
        )
        .where(beyond(POSITION, 'asc', [slot((step) => step.key), slot((step) => step.owner)]))
        .where(
          'search_key',
          '<=',
          slot((step) => step.lastKey),
        )
        .where((eb) =>
          eb.not(beyond(POSITION, 'asc', [slot((step) => step.lastKey), slot((step) => step.lastOwner)])),
        )
        .where((eb) =>
          eb.or([
            sql<boolean>`instr(${eb.ref('search_key')}, ${slot((step) => step.contains)}) > 0`,
            sql<boolean>`instr(${eb.ref('search_key')}, ${TRUNCATED}) > 0`,
          ]),
        )
        .orderBy('search_key')
        .orderBy('owner_id'),
    ),
    count: prepare((slot) =>
      db
        .selectFrom(
          keys
            .where(
              'kind',
              '=',
              slot((step): number => step.kind),
            )
            .where(
              'search_key',
              '>=',
              slot((step) => step.from),
            )
            .where(
              'search_key',
              '<',
              slot((step) => step.to),
            )
            .limit(MANY)
            .as('some'),
        )
        .select((eb) => eb.fn.countAll<number>().as('count')),
    ),
  };
}

/** All candidates of a path, in steps. An owner with several fitting keys comes up several times. */
export async function* walk(
  statements: WalkStatements,
  db: Connection,
  path: AccessPath,
  pacer: Pacer,
): AsyncGenerator<readonly Candidate[]> {
  for (const [number, range] of path.ranges.entries()) {
    const steps =
      range.contains === undefined
        ? stepsOf(statements, db, path.kind, range, pacer)
        : scanSteps(statements, db, path.kind, range.contains, pacer);
    for await (const rows of steps) {
      yield rows.map((row) => ({ id: row.owner_id, key: row.search_key, range: number }));
    }
  }
}

/** What a path costs, in candidates; MANY when there are that many or more. */
export async function estimate(
  statements: WalkStatements,
  db: Connection,
  path: AccessPath,
  pacer: Pacer,
): Promise<number> {
  let sum = 0;
  for (const range of path.ranges) {
    if (range.contains !== undefined) return SCAN_COST;
    const [counted] = await pacer.turn(() => statements.count(db, startOf(path.kind, range)));
    sum += counted?.count ?? 0;
    if (sum >= MANY) return MANY;
  }
  return sum;
}

function startOf(kind: Kind, range: KeyRange): Step {
  return { kind, from: range.from, to: range.to ?? AFTER_ALL_KEYS, key: range.from, owner: -1 };
}

async function* stepsOf(
  statements: WalkStatements,
  db: Connection,
  kind: Kind,
  range: KeyRange,
  pacer: Pacer,
): AsyncGenerator<readonly KeyRow[]> {
  const backwards = NEWEST_FIRST.has(kind);
  const statement = backwards ? statements.backwards : statements.forwards;
  const start = startOf(kind, range);
  let step: Step = backwards ? { ...start, key: start.to } : start;
  for (;;) {
    const rows = await pacer.turn(() => statement(db, step));
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < STEP) return;
    step = { ...step, key: last.search_key, owner: last.owner_id };
  }
}

/** Looks through every key of a kind, a stretch at a time; the database filters, so few rows come up here. */
async function* scanSteps(
  statements: WalkStatements,
  db: Connection,
  kind: Kind,
  contains: string,
  pacer: Pacer,
): AsyncGenerator<readonly KeyRow[]> {
  let step = startOf(kind, { from: '', to: undefined });
  for (;;) {
    const [end] = await pacer.turn(() => statements.scanEnd(db, step));
    const last = { lastKey: end?.search_key ?? AFTER_ALL_KEYS, lastOwner: end?.owner_id ?? 0 };
    const rows = await pacer.turn(() => statements.scan(db, { ...step, ...last, contains }));
    for (let start = 0; start < rows.length; start += STEP) yield rows.slice(start, start + STEP);
    if (end === undefined) return;
    step = { ...step, key: end.search_key, owner: end.owner_id };
  }
}
