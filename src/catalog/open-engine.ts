// Which engine serves a catalogue URL.

import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import { openSqlite } from './sqlite/engine.ts';

/** Opens what a catalogue URL names, brought to the current schema. */
export async function openEngine(url: string): Promise<Engine> {
  const file = /^sqlite:(?<file>.+)$/.exec(url)?.groups?.file;
  if (file !== undefined) return openSqlite(file);
  throw new CatalogError(
    'catalog-request',
    `Catalogue '${redact(url)}' is of no known kind; write sqlite:FILE`,
  );
}

/** Without the password. */
function redact(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}
