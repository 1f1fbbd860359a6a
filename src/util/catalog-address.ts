// Where the catalogue lives: `sqlite:FILE`, or `mariadb://user:password@host:port/database[?socketPath=…]`.
import { resolve } from 'node:path';

export interface SqliteAddress {
  readonly engine: 'sqlite';
  readonly file: string;
}

export interface MariadbAddress {
  readonly engine: 'mariadb';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly socketPath?: string;
}

export type CatalogAddress = SqliteAddress | MariadbAddress;

export const CATALOG_WANTS =
  'sqlite:FILE or mariadb://user:password@host:port/database, optionally with ?socketPath=/run/…';

const MARIADB_PORT = 3306;

/** The parts of a catalogue address; a relative file is taken from `directory`. Undefined = another form. */
export function parseCatalogAddress(text: string, directory: string): CatalogAddress | undefined {
  const file = /^sqlite:(?<file>[^:].*)$/s.exec(text)?.groups?.file;
  if (file !== undefined)
    return file.includes('\0') ? undefined : { engine: 'sqlite', file: resolve(directory, file) };
  return text.startsWith('mariadb://') ? parseMariadb(text) : undefined;
}

function parseMariadb(text: string): MariadbAddress | undefined {
  const url = URL.parse(text);
  if (url === null || url.hash !== '' || url.hostname === '') return undefined;
  const { socketPath, ...unknown } = Object.fromEntries(url.searchParams);
  if (Object.keys(unknown).length > 0) return undefined;
  if (socketPath !== undefined && !socketPath.startsWith('/')) return undefined;
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (user === undefined || user === '' || password === undefined) return undefined;
  if (database === undefined || !/^[\w$-]{1,64}$/.test(database)) return undefined;
  return {
    engine: 'mariadb',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? MARIADB_PORT : Number(url.port),
    user,
    password,
    database,
    ...(socketPath === undefined ? {} : { socketPath }),
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A per cent sign that is not an escape: the address has another form.
    return undefined;
  }
}
