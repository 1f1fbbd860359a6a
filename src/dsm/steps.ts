// The steps of the package's life that decide something. Each returns what Package Center should say, and throws a
// Refusal where it must not go on.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../util/errors.ts';
import { checkEntries, checkMemory, checkPort, checkRootPassword, refuse, type TryLogin } from './checks.ts';
import type { PackageContext } from './context.ts';
import { archiveDirectoryOf, catalogOf, entriesOf, settingsOf, shareOf, writeEntries } from './settings.ts';
import { startFailure } from './start-failure.ts';
import { compareVersions } from './version.ts';
import { words } from './words.ts';

export const STEPS = ['preinst', 'postinst', 'preupgrade', 'preuninst', 'failed'] as const;
export type Step = (typeof STEPS)[number];

/** What the steps need of the rest of the program. */
export interface Outside {
  readonly tryLogin: TryLogin;
  /** Brings the catalogue to this program's schema, or leaves it as it was. */
  readonly bringForward: (catalog: string) => Promise<void>;
}

type Run = (context: PackageContext, outside: Outside) => Promise<string>;

const RUN: Readonly<Record<Step, Run>> = { preinst, postinst, preupgrade, preuninst, failed: startFailure };

export function runStep(step: Step, context: PackageContext, outside: Outside): Promise<string> {
  return RUN[step](context, outside);
}

/** The dialog's tick boxes come as these words. */
const isTicked = (value: string | undefined) => value === 'true';

async function preinst(context: PackageContext, { tryLogin }: Outside): Promise<string> {
  // In an upgrade preupgrade has looked, and by now the old package is gone: nothing may fail here any more.
  if (context.status === 'UPGRADE') return '';
  const rootPassword = context.entry('wizard_mariadb_root_password');
  if (rootPassword === undefined) refuse(context, 'noWizard');
  const entries = entriesOf(context);
  checkEntries(context, entries);
  await checkMemory(context);
  await checkPort(context, entries.port);
  await checkRootPassword(context, tryLogin, rootPassword);
  return '';
}

async function postinst(context: PackageContext): Promise<string> {
  await clearCache(join(context.var, 'cache'));
  if (context.status === 'UPGRADE') return '';
  const entries = entriesOf(context);
  await mkdir(join(context.var, 'run'), { recursive: true });
  await writeEntries(context, entries);
  return words(context.language, 'installed', entries.aeTitle, `${entries.port}`);
}

/** Code compiled by another version, which Node passes over. The open window may write there at this moment: what cannot be
 *  removed takes room until the next time, and is no reason not to install. */
async function clearCache(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

async function preupgrade(context: PackageContext, { bringForward }: Outside): Promise<string> {
  if (compareVersions(context.oldVersion, context.version) > 0)
    refuse(context, 'downgrade', context.oldVersion);
  await checkMemory(context);
  const settings = await settingsOf(context).catch((error: unknown) =>
    refuse(context, 'settingsBroken', messageOf(error)),
  );
  const share = shareOf(context, archiveDirectoryOf(settings));
  const entered = context.entry('wizard_share');
  // Without its name DSM would not give us the folder again.
  if (share !== undefined && entered === undefined) refuse(context, 'noWizard');
  if (share !== undefined && entered !== share) refuse(context, 'otherShare', share);
  const catalog = catalogOf(settings);
  if (catalog !== undefined) {
    await bringForward(catalog).catch((error: unknown) => refuse(context, 'upgradeFailed', messageOf(error)));
  }
  return '';
}

async function preuninst(context: PackageContext, { tryLogin }: Outside): Promise<string> {
  if (isTicked(context.entry('wizard_drop_database'))) {
    const password = context.entry('wizard_mariadb_root_password');
    if (password === undefined) refuse(context, 'rootPasswordMissing');
    await checkRootPassword(context, tryLogin, password);
  }
  const once = isTicked(context.entry('wizard_delete_archive'));
  const twice = isTicked(context.entry('wizard_delete_archive_really'));
  if (once !== twice) refuse(context, 'deleteOnce');
  if (once && twice) await deleteArchive(context);
  return '';
}

/** Only the folder that is ours: the shared folder may hold other things. */
async function deleteArchive(context: PackageContext): Promise<void> {
  const directory = archiveDirectoryOf(await settingsOf(context).catch(() => undefined));
  if (directory === undefined) return;
  await rm(directory, { recursive: true, force: true }).catch((error: unknown) =>
    refuse(context, 'archiveNotDeleted', messageOf(error)),
  );
}
