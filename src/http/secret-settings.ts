// The one secret among the settings, the password in the catalogue's address: it is shown to nobody, and what was
// shown instead comes back as "unchanged".
import type { Settings } from '../config/migrate.ts';

const BLANK = '***';
const PASSWORD = /^(?<before>mariadb:\/\/[^:@/]*:)(?<password>[^/]*)(?=@)/;

/** With three asterisks where the password is. */
export function blankedAddress(catalog: string): string {
  return catalog.replace(PASSWORD, `$<before>${BLANK}`);
}

export function blanked<T extends { catalog: string }>(settings: T): T {
  return { ...settings, catalog: blankedAddress(settings.catalog) };
}

/** The password of `current` where there are asterisks, so that other parts of the address can be changed. */
export function withSecret(settings: Settings, current: string): Settings {
  const { catalog } = settings;
  if (typeof catalog !== 'string' || PASSWORD.exec(catalog)?.groups?.password !== BLANK) return settings;
  const password = PASSWORD.exec(current)?.groups?.password ?? BLANK;
  return { ...settings, catalog: catalog.replace(PASSWORD, (_, before: string) => `${before}${password}`) };
}
