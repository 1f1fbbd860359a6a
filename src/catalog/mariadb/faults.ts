// What goes wrong with a MariaDB server, sorted by what to do about it.

import { SqlError } from 'mariadb';
import type { MariadbAddress } from '../../util/catalog-address.ts';
import { messageOf } from '../../util/errors.ts';
import { CatalogError, type CatalogErrorCode } from '../errors.ts';

/** A connection broke in the middle of a statement: that may have happened or not. */
export class ConnectionLost extends Error {}

/** The server is there and does not serve: another one of its cluster may. */
export class ServerUnfit extends ConnectionLost {}

/** The server is there and says nothing; asking once more would only wait once more. */
export class ServerSilent extends ServerUnfit {}

// Error numbers of the server (mariadb.com/kb/en/mariadb-error-code-reference).
const LOCK_WAIT_TIMEOUT = 1205;
const CONFLICTS = new Set([
  1020, // ER_CHECKREAD: the row has changed since the transaction began
  1062, // ER_DUP_ENTRY: another process has added the same entity at the same time
  LOCK_WAIT_TIMEOUT,
  1213, // ER_LOCK_DEADLOCK
]);

/** Whether the same transaction may succeed when it begins again, because another process was in its way. */
export function isConflict(error: unknown): boolean {
  return error instanceof SqlError && CONFLICTS.has(error.errno);
}

const UNFIT = new Set([
  1047, // ER_UNKNOWN_COM_ERROR: a Galera node that does not belong to its cluster
  1053, // ER_SERVER_SHUTDOWN
  1180, // ER_ERROR_DURING_COMMIT: among others of a Galera node that has just lost its cluster
  1927, // ER_CONNECTION_KILLED
]);

/** Whether a server that answers so serves nobody at the moment. Whether the statement happened is not known. */
export function isUnfit(error: unknown): error is SqlError {
  return error instanceof SqlError && UNFIT.has(error.errno);
}

/** Where nothing is locked, that is how a node answers which did not hear from its cluster what to wait for. */
export function unfitBeforeTransaction(error: unknown): unknown {
  const isUnheard = error instanceof SqlError && error.errno === LOCK_WAIT_TIMEOUT;
  return isUnheard ? new ServerUnfit(error.sqlMessage ?? error.message, { cause: error }) : error;
}

const CODES: ReadonlyMap<number, CatalogErrorCode> = new Map<number, CatalogErrorCode>([
  ...[...CONFLICTS].map((errno) => [errno, 'catalog-busy'] as const),
  [1021, 'catalog-full'], // ER_DISK_FULL
  [1026, 'catalog-full'], // ER_ERROR_ON_WRITE
  [1030, 'catalog-full'], // ER_GET_ERRNO, of a storage engine that cannot write
  [1114, 'catalog-full'], // ER_RECORD_FILE_FULL
  [1034, 'catalog-corrupt'], // ER_NOT_KEYFILE
  [1054, 'catalog-corrupt'], // ER_BAD_FIELD_ERROR
  [1146, 'catalog-corrupt'], // ER_NO_SUCH_TABLE
  [1712, 'catalog-corrupt'], // ER_INDEX_CORRUPT
  [1932, 'catalog-corrupt'], // ER_NO_SUCH_TABLE_IN_ENGINE
  ...[...UNFIT].map((errno) => [errno, 'catalog-unreachable'] as const),
  [1040, 'catalog-unreachable'], // ER_CON_COUNT_ERROR
  [1044, 'catalog-unreachable'], // ER_DBACCESS_DENIED_ERROR
  [1045, 'catalog-unreachable'], // ER_ACCESS_DENIED_ERROR
  [1049, 'catalog-unreachable'], // ER_BAD_DB_ERROR
  [1129, 'catalog-unreachable'], // ER_HOST_IS_BLOCKED
  [1130, 'catalog-unreachable'], // ER_HOST_NOT_PRIVILEGED
  [1142, 'catalog-unreachable'], // ER_TABLEACCESS_DENIED_ERROR
  [1203, 'catalog-unreachable'], // ER_TOO_MANY_USER_CONNECTIONS
  [1226, 'catalog-unreachable'], // ER_USER_LIMIT_REACHED
  [1264, 'catalog-request'], // ER_WARN_DATA_OUT_OF_RANGE
  [1366, 'catalog-request'], // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
  [1406, 'catalog-request'], // ER_DATA_TOO_LONG
]);

const ADVICE: ReadonlyMap<number, string> = new Map([
  [1044, 'grant the user every right on this database'],
  [1045, 'see to user name and password'],
  [1049, 'create the database first'],
  [1142, 'grant the user every right on this database'],
]);

const GENERAL_ADVICE: Readonly<Partial<Record<CatalogErrorCode, string>>> = {
  'catalog-busy': 'other daemons hold what is to be written; it is tried again',
  'catalog-corrupt': 'it is damaged or no catalogue: restore a copy, or rebuild it from the volume',
  'catalog-full': "free some space on the database server's volume",
  'catalog-unreachable': 'see whether the database server runs and can be reached',
};

/** Without user and password. */
export function nameOf({ host, port, socketPath, database, others = [] }: MariadbAddress): string {
  const servers = [{ host, port }, ...others].map((server) => `${server.host}:${server.port}`);
  return `'${database}' at ${socketPath ?? servers.join(', ')}`;
}

/** `otherwise`: the code of what has no row in the table above. */
export function describeFailure(
  address: MariadbAddress,
  error: unknown,
  otherwise: CatalogErrorCode = 'catalog-failed',
): CatalogError {
  if (error instanceof CatalogError) return error;
  const sqlError = error instanceof SqlError ? error : undefined;
  const known = error instanceof ConnectionLost ? 'catalog-unreachable' : CODES.get(sqlError?.errno ?? 0);
  const code = known ?? otherwise;
  const advice = ADVICE.get(sqlError?.errno ?? 0) ?? GENERAL_ADVICE[code];
  const what = sqlError?.sqlMessage ?? messageOf(error);
  const words = `Catalogue ${nameOf(address)}: ${what}${advice === undefined ? '' : `; ${advice}`}`;
  return new CatalogError(code, words, { cause: error });
}
