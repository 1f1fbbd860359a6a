// Brings an older config.json forward, one version after the other (a package upgrade never loses a setting).
import { ConfigError } from './errors.ts';

export type Settings = Record<string, unknown>;

/** Entry n takes settings of version n + 1 to version n + 2; it returns a new object. */
export type Migration = (settings: Settings) => Settings;

export const MIGRATIONS: readonly Migration[] = [];

/** The settings in this program's form. A file written by hand may leave `version` out: it is a current one. */
export function migrate(
  settings: Settings,
  where: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Settings {
  const newest = migrations.length + 1;
  const { version = newest } = settings;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw new ConfigError(`${where}: version: wants a whole number from 1 to ${newest}`);
  }
  if (version > newest) {
    throw new ConfigError(
      `${where}: version: ${version} was written by a newer AngioVault; this one reads up to ${newest}`,
    );
  }
  let current = settings;
  for (let from = version; from < newest; from += 1) {
    const step = migrations[from - 1];
    if (step !== undefined) current = { ...step(current), version: from + 1 };
  }
  return current;
}
