// What has to hold before the package changes anything on the NAS. The first that does not is told.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { PackageContext } from './context.ts';
import { MARIADB_SOCKET } from './places.ts';
import { AE_TITLE, PASSWORD, PORT, SHARE } from './rules.ts';
import type { Entries } from './settings.ts';
import { type WordsKey, words } from './words.ts';

const MIN_TOTAL_KIB = 900 * 1024;
const MIN_FREE_KIB = 200 * 1024;
/** What keeps the step from going on, in words for the person at the dialog. */
export class Refusal extends Error {}

export function refuse(context: PackageContext, key: WordsKey, ...values: readonly string[]): never {
  throw new Refusal(words(context.language, key, ...values));
}

/** Asks the database server; handed in, because only the catalogue knows it. */
export type TryLogin = (login: {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}) => Promise<
  { readonly is: 'accepted' } | { readonly is: 'refused' | 'unreachable'; readonly reason: string }
>;

export function checkEntries(
  context: PackageContext,
  { aeTitle, port, share, databasePassword }: Entries,
): void {
  if (!AE_TITLE.test(aeTitle)) refuse(context, 'aeTitle', aeTitle);
  if (!PORT.test(`${port}`)) refuse(context, 'portNumber', context.entry('wizard_port') ?? '');
  if (!SHARE.test(share)) refuse(context, 'share', share);
  if (!PASSWORD.test(databasePassword)) refuse(context, 'passwordPolicy');
}

export async function checkMemory(context: PackageContext, file = '/proc/meminfo'): Promise<void> {
  const text = await readFile(file, 'latin1');
  const kibOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
  const inMib = (kib: number) => `${Math.floor(kib / 1024)}`;
  const total = kibOf('MemTotal');
  const free = kibOf('MemAvailable');
  if (total < MIN_TOTAL_KIB) refuse(context, 'memoryTotal', inMib(total));
  if (free < MIN_FREE_KIB) refuse(context, 'memoryFree', inMib(free));
}

export async function checkPort(context: PackageContext, port: number): Promise<void> {
  const probe = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)));
  });
  if (!isFree) refuse(context, 'portTaken', `${port}`);
}

export async function checkRootPassword(
  context: PackageContext,
  tryLogin: TryLogin,
  password: string,
): Promise<void> {
  const answer = await tryLogin({ socketPath: MARIADB_SOCKET, user: 'root', password });
  if (answer.is === 'refused') refuse(context, 'rootPassword', answer.reason);
  if (answer.is === 'unreachable') refuse(context, 'databaseAway', answer.reason);
}
