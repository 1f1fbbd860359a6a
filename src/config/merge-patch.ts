// JSON Merge Patch (RFC 7396) of settings, and which settings differ between two configurations.
import type { Settings } from './migrate.ts';

/** Deeper than any setting is. */
const MAX_DEPTH = 10;

/** `null` in the patch takes a setting away, so that its default holds again. Lists are replaced as a whole. */
export function mergePatch(settings: Settings, patch: Settings, depth = 0): Settings {
  const merged = new Map(Object.entries(settings));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isGroup(value) && depth < MAX_DEPTH) {
      const before = merged.get(key);
      merged.set(key, mergePatch(isGroup(before) ? before : {}, value, depth + 1));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** The keys, such as `dimse.port`, whose values differ; a list counts as one value. */
export function changedKeys(before: Settings, after: Settings, prefix = ''): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const [old, young] = [before[key], after[key]];
    if (isGroup(old) && isGroup(young)) return changedKeys(old, young, `${prefix}${key}.`);
    return JSON.stringify(old) === JSON.stringify(young) ? [] : [`${prefix}${key}`];
  });
}

function isGroup(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
