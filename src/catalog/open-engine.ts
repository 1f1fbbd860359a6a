// Which engine serves a catalogue URL.

import { CATALOG_WANTS, parseCatalogAddress } from '../util/catalog-address.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import { openMariadb } from './mariadb/engine.ts';
import { openSqlite } from './sqlite/engine.ts';

/** Opens what a catalogue URL names, brought to the current schema. */
export async function openEngine(url: string): Promise<Engine> {
  const address = parseCatalogAddress(url, process.cwd());
  if (address === undefined) {
    // The URL itself may hold a password.
    throw new CatalogError(
      'catalog-request',
      `The catalogue's address is of no known kind; write ${CATALOG_WANTS}`,
    );
  }
  return address.engine === 'sqlite' ? openSqlite(address.file) : openMariadb(address);
}
