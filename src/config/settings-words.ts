// What each setting says about itself, by its key: for the settings form, and for how a change comes into force.
import { z } from 'zod';
import { type Applies, configSchema } from './schema.ts';

interface Described {
  readonly applies?: Applies;
  readonly properties?: Readonly<Record<string, Described>>;
}

/** JSON Schema of the whole file, with title, description and default of every setting. */
export const settingsSchema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });

const appliesByKey = new Map(appliesIn(settingsSchema as Described, ''));

/** The keys of what a running program does not take over. */
export const RESTART_KEYS: readonly string[] = [...appliesByKey]
  .filter(([key, applies]) => applies === 'restart' && key !== 'version')
  .map(([key]) => key);

/** How all of these come into force, by the one that takes most. */
export function appliesOf(keys: readonly string[]): Applies {
  const found = keys.map((key) => appliesByKey.get(key) ?? 'restart');
  return found.find((one) => one === 'restart') ?? found.find((one) => one === 'listeners') ?? 'now';
}

function appliesIn(described: Described, prefix: string): [string, Applies][] {
  return Object.entries(described.properties ?? {}).flatMap(([name, inner]) => {
    const key = `${prefix}${name}`;
    if (inner.properties !== undefined) return appliesIn(inner, `${key}.`);
    return inner.applies === undefined ? [] : [[key, inner.applies] as [string, Applies]];
  });
}
