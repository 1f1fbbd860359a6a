// Kysely's dialect for MariaDB: its MySQL compiler with our driver.

import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type QueryCompiler,
} from 'kysely';
import { MariadbDriver, type MariadbDriverOptions } from './driver.ts';

export class MariadbDialect implements Dialect {
  readonly #options: MariadbDriverOptions;

  constructor(options: MariadbDriverOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new MariadbDriver(this.#options);
  }

  createQueryCompiler(): QueryCompiler {
    return new MysqlQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new MysqlAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new MysqlIntrospector(db);
  }
}
