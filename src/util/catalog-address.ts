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
  /** Further servers of the same cluster, asked when one cannot be reached. */
  readonly others?: readonly { readonly host: string; readonly port: number }[];
}

export type CatalogAddress = SqliteAddress | MariadbAddress;

export const CATALOG_WANTS =
  'sqlite:FILE or mariadb://user:password@host:port/database (of a cluster: host:port,host:port), optionally with ?socketPath=/run/…';

const MARIADB_PORT = 3306;

/** The parts of a catalogue address; a relative file is taken from `directory`. Undefined = another form. */
export function parseCatalogAddress(text: string, directory: string): CatalogAddress | undefined {
  const file = /^sqlite:(?<file>[^:].*)$/s.exec(text)?.groups?.file;
  if (file !== undefined)
    return file.includes('\0') ? undefined : { engine: 'sqlite', file: resolve(directory, file) };
  return text.startsWith('mariadb://') ? parseMariadb(text) : undefined;
}

/** Each server of a list as an address of its own; the others are kept beside the first. */
function parseMariadb(text: string): MariadbAddress | undefined {
  const [, before = '', servers = '', behind = ''] =
    /^(mariadb:\/\/[^/?#]*@)([^/?#]*)(.*)$/s.exec(text) ?? [];
  const addresses = servers.split(',').map((server) => parseServer(`${before}${server}${behind}`));
  const [first, ...others] = addresses.filter((address) => address !== undefined);
  if (first === undefined || others.length + 1 < addresses.length) return undefined;
  if (others.length === 0) return first;
  // A socket leads to one server only.
  if (first.socketPath !== undefined) return undefined;
  return { ...first, others: others.map(({ host, port }) => ({ host, port })) };
}

function parseServer(text: string): MariadbAddress | undefined {
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
