// Two made-up changes of the schema in each engine, which leave nothing alone: columns, rows, a table, a foreign key.
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { createConnection } from 'mariadb';
import type { Engine } from '../../src/catalog/engine.ts';
import { openMariadb } from '../../src/catalog/mariadb/engine.ts';
import { type CopyingMigration, MIGRATIONS as MARIADB } from '../../src/catalog/mariadb/migrations.ts';
import { openSqlite } from '../../src/catalog/sqlite/engine.ts';
import { MIGRATIONS as SQLITE } from '../../src/catalog/sqlite/migrations.ts';
import { mariadbAddress } from './mariadb-server.ts';

/** Called before each statement, counted from 0. */
export type BeforeStatement = (statement: number) => void | Promise<void>;

export interface SteppedEngine {
  readonly steps: readonly (readonly string[])[];
  open(url: string): Promise<Engine>;
  /** By a later version of the program. */
  openLater(url: string, before?: BeforeStatement): Promise<Engine>;
  /** Everything there is: what makes each table, and its rows. */
  state(url: string): Promise<unknown>;
}

export const SQLITE_STEPS: SteppedEngine = {
  steps: [
    [
      'alter table study add column note text',
      "update study set note = 'x', study_date = ''",
      'create table annotation (id integer primary key, study_id integer references study (id)) strict',
      'insert into annotation select id, id from study',
      'drop index series_by_study',
      'delete from search_key',
    ],
    ['alter table series drop column received_at', 'delete from total', 'delete from intake'],
  ],
  open: (url) => openSqlite(fileOf(url)),
  openLater: (url, before) => openSqlite(fileOf(url), [...SQLITE, ...madeUp(SQLITE_STEPS, before)]),
  state: async (url) => {
    const database = new DatabaseSync(fileOf(url));
    try {
      const tables = database.prepare('select * from sqlite_schema order by type, name').all();
      return tables.map((table) => [
        { ...table, rootpage: 0 },
        table.type === 'table' ? database.prepare(`select * from ${table.name} order by 1, 2`).all() : [],
      ]);
    } finally {
      database.close();
    }
  },
};

export const MARIADB_STEPS: SteppedEngine = {
  steps: [
    [
      "alter table study add column note varchar(8) not null default ''",
      "update study set note = 'x', study_date = ''",
      `create table annotation (id bigint primary key, study_id bigint not null,
        constraint annotation_of_study foreign key (study_id) references study (id)) engine = InnoDB`,
      'insert into annotation select id, id from study',
      'alter table series drop foreign key series_of_study',
      'delete from search_key',
    ],
    ['alter table series drop column received_at', 'delete from total', 'delete from intake'],
  ],
  open: (url) => openMariadb(mariadbAddress(url)),
  openLater: (url, before) => openMariadb(mariadbAddress(url), { migrations: laterMariadb(before) }),
  state: async (url) => {
    const { host, port, user, password, database } = mariadbAddress(url);
    const connection = await createConnection({ host, port, user, password, database });
    try {
      const tables = await connection.query<Record<string, string>[]>('show tables');
      const names = tables.flatMap((row) => Object.values(row)).sort();
      const state: unknown[] = [];
      for (const name of names) {
        const table = await connection.query(`show create table ${name}`);
        const rows = await connection.query(`select * from ${name} order by 1, 2`);
        state.push([[...table], [...rows]]);
      }
      return state;
    } finally {
      await connection.end();
    }
  },
};

export function laterMariadb(before?: BeforeStatement): CopyingMigration[] {
  return [...MARIADB, ...madeUp(MARIADB_STEPS, before)];
}

const fileOf = (url: string) => url.slice('sqlite:'.length);

function madeUp({ steps }: SteppedEngine, before: BeforeStatement = () => undefined): CopyingMigration[] {
  let statement = 0;
  return steps.map((statements, at) => ({
    version: 2 + at,
    changes: ['study', 'series', 'search_key', 'total', 'intake'],
    makes: ['annotation'],
    up: async (db) => {
      for (const words of statements) {
        await before(statement);
        statement += 1;
        await sql.raw(words).execute(db);
      }
    },
  }));
}
