// What is on the disk of the simulated NAS.
import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Machine } from './machine.ts';

/** Paths of everything, without what MariaDB keeps; sorted. */
export function filesOf(machine: Machine): string[] {
  const root = machine.path('/');
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('volume1/@database/') && !path.startsWith('volume1/@tmp'))
    .sort();
}

/** The user numbers to whom a folder and everything below it belong. */
export function ownersBelow(machine: Machine, folder: string): Set<number> {
  const root = machine.path(folder);
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return new Set(['', ...paths].map((path) => lstatSync(join(root, path)).uid));
}
