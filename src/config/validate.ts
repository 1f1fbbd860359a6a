// A value against its schema; what is wrong comes back as one ConfigError that names the key.
import type { z } from 'zod';
import { ConfigError } from './errors.ts';

const SHOWN_CHARACTERS = 40;

/** The value with its defaults, or a ConfigError `WHERE: KEY: wants …`. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new ConfigError(`${where}: cannot be read`);
  throw new ConfigError([where, ...describe(issue)].join(': '));
}

function describe(issue: z.core.$ZodIssue): string[] {
  const key = keyOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return [keyOf([...issue.path, issue.keys[0] ?? '']), issue.message];
  }
  return [...(key === '' ? [] : [key]), `${issue.message}${shown(issue.input)}`];
}

/** `peers[0].aeTitle`, as one would look it up in the file. */
function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** What stands there instead; never an address like that of a catalogue, which may hold a password. */
function shown(value: unknown): string {
  if (value === undefined) return ', is missing';
  if (typeof value === 'object' && value !== null) return '';
  if (typeof value === 'string' && value.includes('://')) return '';
  const json = JSON.stringify(value);
  return `, not ${json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}…` : json}`;
}
