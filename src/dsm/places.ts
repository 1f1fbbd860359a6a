// Where on the NAS the files are by which the parts of the package meet.

import { join } from 'node:path';
import type { PackageContext } from './context.ts';

/** Of the package MariaDB 10; by TCP it answers only where somebody has allowed that. */
export const MARIADB_SOCKET = '/run/mysqld/mysqld10.sock';

export function configFileOf({ var: directory }: PackageContext): string {
  return join(directory, 'config.json');
}

export function relaySecretFileOf({ var: directory }: PackageContext): string {
  return join(directory, 'relay-secret');
}

/** In a folder that a start makes anew, below what only this user may enter. */
export function relaySocketOf({ var: directory }: PackageContext): string {
  return join(directory, 'run', 'http.socket');
}
