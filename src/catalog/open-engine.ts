// Which engine serves a catalogue URL.

import { CATALOG_WANTS, parseCatalogAddress } from '../util/catalog-address.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';

/** Opens what a catalogue URL names, brought to the current schema. The other engine is not loaded: its driver
 *  takes about 5 MB. */
export async function openEngine(url: string): Promise<Engine> {
  const address = parseCatalogAddress(url, process.cwd());
  if (address === undefined) {
    // The URL itself may hold a password.
    throw new CatalogError(
      'catalog-request',
      `The catalogue's address is of no known kind; write ${CATALOG_WANTS}`,
    );
  }
  if (address.engine === 'sqlite') {
    const { openSqlite } = await import('./sqlite/engine.ts');
    return openSqlite(address.file);
  }
  const { openMariadb } = await import('./mariadb/engine.ts');
  return openMariadb(address);
}
