// config.json as the package needs it: where DSM put things, and what the wizard asked for.

import { join } from 'node:path';
import { backUpSettingsFile, readSettingsFile, writeSettingsFile } from '../config/file.ts';
import type { Settings } from '../config/migrate.ts';
import { CONFIG_VERSION } from '../config/schema.ts';
import { parseCatalogAddress } from '../util/catalog-address.ts';
import { messageOf } from '../util/errors.ts';
import type { PackageContext } from './context.ts';
import { configFileOf, MARIADB_SOCKET, relaySecretFileOf, relaySocketOf } from './places.ts';

const DATABASE = 'angiovault';
const DEFAULT_AE_TITLE = 'ANGIOVAULT';
const DEFAULT_PORT = 11112;

export interface Entries {
  readonly aeTitle: string;
  readonly port: number;
  readonly share: string;
  readonly databasePassword: string;
}

export function entriesOf({ entry }: PackageContext): Entries {
  return {
    aeTitle: (entry('wizard_ae_title') ?? DEFAULT_AE_TITLE).trim(),
    port: Number(entry('wizard_port') ?? DEFAULT_PORT),
    share: entry('wizard_share') ?? 'angiovault',
    databasePassword: entry('wizard_database_password') ?? '',
  };
}

/** The settings that are there, or undefined. */
export async function settingsOf(context: PackageContext): Promise<Settings | undefined> {
  const settings = await readSettingsFile(configFileOf(context));
  return typeof settings === 'object' && settings !== null ? (settings as Settings) : undefined;
}

/** Where the archive lies according to the settings. */
export function archiveDirectoryOf(settings: Settings | undefined): string | undefined {
  const { directory } = { ...(settings?.archive as { directory?: unknown } | undefined) };
  return typeof directory === 'string' ? directory : undefined;
}

/** The shared folder of which `directory` is a part. */
export function shareOf({ shares }: PackageContext, directory: string | undefined): string | undefined {
  return directory?.startsWith(`${shares}/`) ? directory.slice(shares.length + 1).split('/')[0] : undefined;
}

/** The catalogue's address, complete, or undefined where the settings name none. */
export function catalogOf(settings: Settings | undefined): string | undefined {
  const { catalog } = { ...settings };
  return typeof catalog === 'string' && parseCatalogAddress(catalog, '/') !== undefined ? catalog : undefined;
}

/** Puts what was entered over what an earlier installation left; what cannot be read is kept beside. */
export async function writeEntries(context: PackageContext, entries: Entries): Promise<void> {
  const file = configFileOf(context);
  const left = await settingsOf(context).catch(async (error: unknown) => {
    process.stderr.write(`${messageOf(error)}; kept as ${await backUpSettingsFile(file, 0)}\n`);
    return undefined;
  });
  const group = (name: string) => ({ ...(left?.[name] as object | undefined) });
  const password = encodeURIComponent(entries.databasePassword);
  await writeSettingsFile(file, {
    ...left,
    version: left?.version ?? CONFIG_VERSION,
    aeTitle: entries.aeTitle,
    dimse: { ...group('dimse'), port: entries.port },
    // Whoever may log in to DSM's console would be let in by a port of this machine.
    http: {
      ...group('http'),
      port: 'off',
      socket: relaySocketOf(context),
      relaySecretFile: relaySecretFileOf(context),
    },
    catalog: `mariadb://${DATABASE}:${password}@localhost/${DATABASE}?socketPath=${MARIADB_SOCKET}`,
    archive: { ...group('archive'), directory: join(context.shares, entries.share, 'archive') },
  });
}
