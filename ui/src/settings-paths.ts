// The settings' JSON Schema, flattened to fields by path: what the form shows, and what a change sends.
import type { SettingSchema, Values } from './api/types.ts';

export interface Field {
  /** `dimse.port` */
  readonly path: string;
  readonly schema: SettingSchema;
}

/** Written by the program or edited on a page of its own. */
const ELSEWHERE = new Set(['version', 'peers', 'forwarding']);
/** What nobody needs who only wants it to work. */
const ADVANCED = /^(?:dimse\.(?!port$)|http\.|catalog$|log\.)/;

export const isAdvanced = (path: string): boolean => ADVANCED.test(path);

export function fieldsOf(schema: SettingSchema, above = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const path = above === '' ? key : `${above}.${key}`;
    if (ELSEWHERE.has(path)) return [];
    return property.properties === undefined ? [{ path, schema: property }] : fieldsOf(property, path);
  });
}

export function valueAt(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isGroup(value) ? value[key] : undefined), values);
}

const isGroup = (value: unknown): value is Values => typeof value === 'object' && value !== null;

/** The merge patch (RFC 7396) that sets these paths; null takes a setting back to its default. */
export function patchOf(changes: ReadonlyMap<string, unknown>): Values {
  const patch: Record<string, unknown> = {};
  for (const [path, value] of changes) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let group = patch;
    for (const key of keys) {
      const inner = group[key] ?? {};
      group[key] = inner;
      group = inner as Record<string, unknown>;
    }
    group[last] = value ?? null;
  }
  return patch;
}
