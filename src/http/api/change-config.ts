// A change of settings as the API makes it: one that cannot be is a problem for the requestor, one that is made stands
// in the audit, without passwords.
import { ConfigError } from '../../config/errors.ts';
import type { Change, Edit, LiveConfig } from '../../config/live-config.ts';
import type { Settings } from '../../config/migrate.ts';
import type { Config } from '../../config/schema.ts';
import { codeOf, PacsError } from '../../util/errors.ts';
import type { Audit } from '../audit.ts';
import { ApiError } from '../problem.ts';
import { blanked } from '../secret-settings.ts';

export type ChangeConfig = (
  user: string,
  action: string,
  target: string,
  edit: Edit | Settings,
) => Promise<Change>;

export function changeConfig(
  config: LiveConfig,
  audit: Audit,
  changed: (change: Change) => void,
): ChangeConfig {
  return async (user, action, target, edit) => {
    const change = await (typeof edit === 'function' ? config.change(edit) : config.restore(edit)).catch(
      (error: unknown) => {
        throw refused(error);
      },
    );
    changed(change);
    const { keys, before, after } = change;
    if (keys.length > 0) {
      await audit.record({ user, action, target, ...differing(before, after, keys) });
    }
    return change;
  };
}

function refused(error: unknown): unknown {
  if (error instanceof ConfigError) return new ApiError(422, 'invalid', error.message);
  if (error instanceof PacsError && codeOf(error) === 'ul-listen-failed')
    return new ApiError(422, 'cannot-listen', error.message);
  if (codeOf(error) === 'config-not-written' && error instanceof PacsError)
    return new ApiError(507, 'config-not-written', error.message);
  return error;
}

/** What differs, by key; of lists the entries that differ. */
function differing(before: Config, after: Config, keys: readonly string[]) {
  const valueIn = (config: Config, key: string) =>
    key.split('.').reduce<unknown>((inner, part) => (inner as Settings | undefined)?.[part], blanked(config));
  const picked = (config: Config, other: Config) =>
    Object.fromEntries(keys.map((key) => [key, without(valueIn(config, key), valueIn(other, key))]));
  return { before: picked(before, after), after: picked(after, before) };
}

function without(value: unknown, other: unknown): unknown {
  if (!Array.isArray(value) || !Array.isArray(other)) return value;
  const known = new Set(other.map((one) => JSON.stringify(one)));
  return value.filter((one) => !known.has(JSON.stringify(one)));
}
