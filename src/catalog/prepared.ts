// Statements built and compiled once by Kysely, then run with new parameters: building one costs more than
// running it. Lists are run in a few fixed lengths, so that few statements are ever prepared.

import type { Compilable, CompiledQuery, Kysely } from 'kysely';
import type { CatalogSchema } from './schema.ts';

/** The database, or a transaction in it. */
export type Connection = Kysely<CatalogSchema>;

/** Stands in the statement where a value comes later. */
class Slot {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/** Gives the builder a stand-in of the type that this property of the arguments has. */
export type SlotMaker<A> = <K extends keyof A>(name: K) => A[K];

export type Prepared<A, R> = (connection: Connection, args: A) => Promise<R[]>;

/** A statement with parameters taken from `args`. Constants in it stay as they are. */
export function prepare<A, R>(build: (slot: SlotMaker<A>) => Compilable<R>): Prepared<A, R> {
  let compiled: CompiledQuery<R> | undefined;
  return async (connection, args) => {
    compiled ??= build(<K extends keyof A>(name: K) => new Slot(name) as A[K]).compile();
    const parameters = compiled.parameters.map((value) =>
      value instanceof Slot ? args[value.name as keyof A] : value,
    );
    return (await connection.executeQuery<R>({ ...compiled, parameters })).rows;
  };
}

/** Longest list in one statement. */
export const MAX_LIST = 256;
const LIST_LENGTHS = [1, 8, 16, 32, 64, 128, MAX_LIST];

/** A statement over a list of values, such as `id in (…)`. A list between two lengths is filled up with its
 *  last value, so the statement must not care for repetitions. */
export function prepareList<T, R>(build: (list: readonly T[]) => Compilable<R>): Prepared<readonly T[], R> {
  const byLength = bySize<readonly T[], R>((length) =>
    prepare((slot) => build(Array.from({ length }, (_, i) => slot(i)))),
  );
  return async (connection, list) => {
    const rows: R[] = [];
    for (let start = 0; start < list.length; start += MAX_LIST) {
      const part = list.slice(start, start + MAX_LIST);
      const length = LIST_LENGTHS.find((candidate) => candidate >= part.length) ?? MAX_LIST;
      while (part.length < length) part.push(part.at(-1) as T);
      const found = await byLength(length)(connection, part);
      if (list.length <= MAX_LIST) return found;
      for (const row of found) rows.push(row);
    }
    return rows;
  };
}

const ROW_COUNTS = [64, 16, 4, 1];

/** A statement that takes rows, such as an insert. Any number is cut into few sizes. */
export function prepareRows<T extends object, R>(
  columns: readonly (keyof T & string)[],
  build: (rows: readonly T[]) => Compilable<R>,
): Prepared<readonly T[], R> {
  const byCount = bySize<readonly unknown[], R>((count) =>
    prepare((slot) => {
      const rowOf = (i: number) => columns.map((column, j) => [column, slot(i * columns.length + j)]);
      return build(Array.from({ length: count }, (_, i) => Object.fromEntries(rowOf(i))));
    }),
  );
  return async (connection, rows) => {
    let start = 0;
    while (start < rows.length) {
      const count = ROW_COUNTS.find((candidate) => candidate <= rows.length - start) ?? 1;
      const part = rows.slice(start, start + count);
      await byCount(count)(
        connection,
        part.flatMap((row) => columns.map((column) => row[column])),
      );
      start += count;
    }
    return [];
  };
}

function bySize<A, R>(make: (size: number) => Prepared<A, R>): (size: number) => Prepared<A, R> {
  const made = new Map<number, Prepared<A, R>>();
  return (size) => {
    let prepared = made.get(size);
    if (prepared === undefined) {
      prepared = make(size);
      made.set(size, prepared);
    }
    return prepared;
  };
}
