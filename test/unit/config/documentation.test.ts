// docs/configuration.md lists every setting as the schema has it: its words, its default, its place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { configSchema } from '../../../src/config/schema.ts';

interface Described {
  title?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Described>;
  items?: Described;
}

interface Setting {
  key: string;
  described: Described;
}

/** Every setting by the key under which it is found in the file; `[]` stands for any entry of a list. */
function settingsIn(described: Described, prefix = ''): Setting[] {
  return Object.entries(described.properties ?? {}).flatMap(([name, inner]) => {
    const key = `${prefix}${name}`;
    const entries = inner.items?.properties === undefined ? [] : settingsIn(inner.items, `${key}[].`);
    return inner.properties === undefined
      ? [{ key, described: inner }, ...entries]
      : settingsIn(inner, `${key}.`);
  });
}

const schema: Described = JSON.parse(JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' })));
const settings = settingsIn(schema);
const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

describe('every setting has its row in docs/configuration.md', () => {
  for (const { key, described } of settings) {
    const standard = described.default === undefined ? '' : `\`${JSON.stringify(described.default)}\``;
    const row = `| \`${key}\` | ${standard} | ${described.description} |`;
    test(key, () => assert.ok(page.includes(row), `this row is missing:\n${row}`));
  }
});

test('the page lists nothing else', () => {
  const rows = [...page.matchAll(/^\| `([\w.[\]]+)` \|/gm)].map((match) => match[1]);
  assert.deepEqual(
    rows,
    settings.map(({ key }) => key),
  );
});

test('every setting has a title for the settings form', () => {
  for (const { key, described } of settings) assert.ok(described.title, key);
});

test('the example on the page is a configuration that is taken', () => {
  const example = /```json\n(?<json>.*?)```/s.exec(page)?.groups?.json ?? '';
  assert.deepEqual(configSchema.safeParse(JSON.parse(example)).error?.issues, undefined);
});
