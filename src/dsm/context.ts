// What Synology's Package Center tells a script of a package: environment variables, and what was entered in a wizard.

import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Language = 'enu' | 'chs';

/** Of what somebody types; a variable of the environment could be as long as it likes. */
const MAX_ENTRY_CHARACTERS = 256;

export interface PackageContext {
  readonly packageName: string;
  /** INSTALL, UPGRADE, UNINSTALL, START, STOP; empty when DSM boots or goes down. */
  readonly status: string;
  readonly language: Language;
  readonly version: string;
  readonly oldVersion: string;
  /** Settings, logs, what is running; kept by an upgrade and by DSM's own uninstallation. */
  readonly var: string;
  /** Where DSM links the shared folders of the package. */
  readonly shares: string;
  /** Undefined when no wizard asked, as in an installation from the command line. */
  entry(key: WizardKey): string | undefined;
}

export const WIZARD_KEYS = [
  'wizard_mariadb_root_password',
  'wizard_database_password',
  'wizard_share',
  'wizard_ae_title',
  'wizard_port',
  'wizard_create_db',
  'wizard_grant_user',
  'wizard_drop_database',
  'wizard_delete_archive',
  'wizard_delete_archive_really',
  'wizard_delete_settings',
] as const;
export type WizardKey = (typeof WIZARD_KEYS)[number];

/** `links` is where DSM links what belongs to packages. */
export function packageContext(environment: Environment, links = '/var/packages'): PackageContext {
  const packageName = environment.SYNOPKG_PKGNAME ?? 'AngioVault';
  const home = join(links, packageName);
  return {
    packageName,
    status: environment.SYNOPKG_PKG_STATUS ?? '',
    language: environment.SYNOPKG_DSM_LANGUAGE === 'chs' ? 'chs' : 'enu',
    version: environment.SYNOPKG_PKGVER ?? '',
    oldVersion: environment.SYNOPKG_OLD_PKGVER ?? '',
    // Before the package is there DSM names none of its folders.
    var: environment.SYNOPKG_PKGVAR ?? join(home, 'var'),
    shares: join(home, 'shares'),
    entry: (key) => {
      const value = environment[key];
      return value === undefined || value === '' ? undefined : value.slice(0, MAX_ENTRY_CHARACTERS);
    },
  };
}
