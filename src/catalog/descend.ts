// From entities to those one level below, in steps of bounded size: the kept counters tell how many there are.

import type { QueryLevel } from './catalog.ts';
import type { Engine } from './engine.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepare, prepareList } from './prepared.ts';
import { STEP } from './walk.ts';

/** An entity to descend from: how many are directly below it. */
export interface Node {
  readonly id: number;
  readonly children: number;
}

interface ChildNode extends Node {
  /** Instance Number; 0 on other levels. */
  readonly number: number;
}

interface Continuation {
  readonly parent: number;
  readonly number: number;
  readonly id: number;
}

interface Children {
  /** All of several parents. */
  readonly ofMany: Prepared<readonly number[], ChildNode>;
  /** The next of one parent. */
  readonly ofOne: Prepared<Continuation, ChildNode>;
}

/** By the level of the children. */
export type DescendStatements = Readonly<Record<Exclude<QueryLevel, 'PATIENT'>, Children>>;

export function prepareDescend({ db, beyond }: Engine): DescendStatements {
  const studies = db.selectFrom('study').select((eb) => ['id', 'series as children', eb.lit(0).as('number')]);
  const series = db
    .selectFrom('series')
    .select((eb) => ['id', 'instances as children', eb.lit(0).as('number')]);
  const instances = db.selectFrom('instance').select((eb) => ['id', eb.lit(0).as('children'), 'number']);
  return {
    STUDY: {
      ofMany: prepareList((parents: readonly number[]) =>
        studies.where('patient_id', 'in', parents).orderBy('patient_id').orderBy('id'),
      ),
      ofOne: prepare((slot) =>
        studies
          .where('patient_id', '=', slot('parent'))
          .where('id', '>', slot('id'))
          .orderBy('id')
          .limit(STEP),
      ),
    },
    SERIES: {
      ofMany: prepareList((parents: readonly number[]) =>
        series.where('study_id', 'in', parents).orderBy('study_id').orderBy('id'),
      ),
      ofOne: prepare((slot) =>
        series.where('study_id', '=', slot('parent')).where('id', '>', slot('id')).orderBy('id').limit(STEP),
      ),
    },
    IMAGE: {
      ofMany: prepareList((parents: readonly number[]) =>
        instances.where('series_id', 'in', parents).orderBy('series_id').orderBy('number').orderBy('id'),
      ),
      ofOne: prepare((slot) =>
        instances
          .where('series_id', '=', slot('parent'))
          .where(beyond(['number', 'id'], 'asc', [slot('number'), slot('id')]))
          .orderBy('number')
          .orderBy('id')
          .limit(STEP),
      ),
    },
  };
}

/** The children of all `parents`, some at a time. */
export async function* descend(
  { ofMany, ofOne }: Children,
  db: Connection,
  parents: readonly Node[],
  pacer: Pacer,
): AsyncGenerator<readonly Node[]> {
  let small: number[] = [];
  let expected = 0;
  for (const parent of parents) {
    if (small.length > 0 && expected + parent.children > STEP) {
      yield await pacer.turn(() => ofMany(db, small));
      small = [];
      expected = 0;
    }
    if (parent.children <= STEP) {
      small.push(parent.id);
      expected += parent.children;
      continue;
    }
    let from: Continuation = { parent: parent.id, number: Number.MIN_SAFE_INTEGER, id: -1 };
    for (;;) {
      const children = await pacer.turn(() => ofOne(db, from));
      if (children.length > 0) yield children;
      const last = children.at(-1);
      if (last === undefined || children.length < STEP) break;
      from = { parent: parent.id, number: last.number, id: last.id };
    }
  }
  if (small.length > 0) yield await pacer.turn(() => ofMany(db, small));
}
