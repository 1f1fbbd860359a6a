// Which engine serves a catalogue URL.

import { CATALOG_WANTS, type CatalogAddress, parseCatalogAddress } from '../util/catalog-address.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';

/** Opens what a catalogue URL names, brought to the current schema. The other engine is not loaded: its driver
 *  takes about 5 MB. */
export async function openEngine(url: string): Promise<Engine> {
  const address = addressOf(url);
  if (address.engine === 'sqlite') {
    const { openSqlite } = await import('./sqlite/engine.ts');
    return openSqlite(address.file);
  }
  const { openMariadb } = await import('./mariadb/engine.ts');
  return openMariadb(address);
}

/** Brings the schema to what this version of the program needs, or leaves it as it was. On MariaDB an older version that
 *  is started after that takes it back, until this one has opened it. */
export async function bringForward(url: string): Promise<void> {
  const address = addressOf(url);
  if (address.engine === 'sqlite') {
    const { openSqlite } = await import('./sqlite/engine.ts');
    return (await openSqlite(address.file)).close();
  }
  const { bringForwardMariadb } = await import('./mariadb/engine.ts');
  await bringForwardMariadb(address);
}

function addressOf(url: string): CatalogAddress {
  const address = parseCatalogAddress(url, process.cwd());
  if (address !== undefined) return address;
  // The URL itself may hold a password.
  throw new CatalogError(
    'catalog-request',
    `The catalogue's address is of no known kind; write ${CATALOG_WANTS}`,
  );
}
