// Why the daemon did not become ready: the last thing it said, and what to do about it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageContext } from './context.ts';
import { settingsOf } from './settings.ts';
import { type WordsKey, words } from './words.ts';

/** `cannot serve: KEY: …`, as main/serve.ts says it. */
const HINTS: readonly (readonly [pattern: RegExp, hint: WordsKey])[] = [
  [/cannot serve: catalog:/, 'hintCatalog'],
  [/cannot serve: (?:archive|archive\.directory|data directory):/, 'hintArchive'],
  [/cannot serve: (?:dimse|http)\.\w+:/, 'hintPort'],
  [/config\.json|: wants /, 'hintSettings'],
];
const MAX_CHARACTERS = 600;

export async function startFailure(context: PackageContext): Promise<string> {
  const { language } = context;
  const last = await lastWords(join(context.var, 'run', 'ended'));
  const log = words(language, 'hintLog', join(context.var, 'logs', 'angiovault.log'));
  if (last !== '') {
    const hint = HINTS.find(([pattern]) => pattern.test(last))?.[1];
    return words(language, 'cannotStart', hint === undefined ? log : words(language, hint), last);
  }
  const hasSettings = (await settingsOf(context).catch(() => undefined)) !== undefined;
  return words(language, 'cannotStart', hasSettings ? log : words(language, 'hintBroken'), '').trim();
}

/** Without the time and level that the log puts in front. */
async function lastWords(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .trimEnd()
    .replace(/^\S+Z (?:error|warn) +/, '')
    .slice(0, MAX_CHARACTERS);
}
