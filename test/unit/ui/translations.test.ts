// The app's words: complete in both languages, all of them used, nothing asked for that is not there.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { configSchema } from '../../../src/config/schema.ts';
import { PEER_PRESETS } from '../../../src/http/peer-presets.ts';
import { STEP_NAMES } from '../../../src/http/peer-tests.ts';
import { fieldsOf } from '../../../ui/src/settings-paths.ts';

const UI = join(import.meta.dirname, '../../../ui/src');
const LANGUAGES = ['en', 'zh-CN'] as const;

type Words = ReadonlyMap<string, string>;

function flat(group: object, above = ''): [string, string][] {
  return Object.entries(group).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${above}${key}`, value]] : flat(value, `${above}${key}.`),
  );
}

function read(name: string): Words {
  return new Map(flat(JSON.parse(readFileSync(join(UI, 'i18n', `${name}.json`), 'utf8'))));
}

const words = new Map<string, Words>(LANGUAGES.map((language) => [language, read(language)]));
const wordsOf = (language: string) => words.get(language) ?? new Map<string, string>();
/** Plurals differ by language: `count.images_one` is one form of `count.images`. */
const stem = (key: string) => key.replace(/_(?:zero|one|two|few|many|other)$/, '');
const keysOf = (language: string) => new Set([...wordsOf(language).keys()].map(stem));

const sources = globSync('**/*.{ts,tsx}', { cwd: UI }).map((file) => readFileSync(join(UI, file), 'utf8'));
const KEY = /^[a-z][A-Za-z]*(?:\.[\w -]+)+$/;

/** Keys that the sources write out, and patterns for those they put together. */
const literals = new Set<string>();
const patterns: RegExp[] = [];
for (const source of sources) {
  for (const [, text = ''] of source.matchAll(/'([^'\n]*)'/g)) if (KEY.test(text)) literals.add(text);
  for (const [, text = ''] of source.matchAll(/`([^`\n]+)`/g)) {
    if (!/^[a-z][A-Za-z]*\.(?:[\w.-]*\$\{)/.test(text)) continue;
    const pattern = text.split(/\$\{(?:[^{}]|\{[^}]*\})*\}/).map((part) => part.replaceAll('.', '\\.'));
    patterns.push(new RegExp(`^${pattern.join('.+')}$`));
  }
}
/** The first arguments of t(…): these keys have to be there. */
const asked = sources.flatMap((source) =>
  [...source.matchAll(/\bt\(([^`]*?)[,)]/g)]
    .flatMap(([, argument = '']) => [...argument.matchAll(/'([^'\n]*)'/g)].map((match) => match[1] ?? ''))
    .filter((text) => KEY.test(text)),
);

describe('words of the app', () => {
  test('both languages have the same keys', () => {
    const [english, chinese] = [keysOf('en'), keysOf('zh-CN')];
    assert.deepEqual([...english.symmetricDifference(chinese)], []);
  });

  for (const language of LANGUAGES) {
    test(`${language}: every key that is asked for is there`, () => {
      assert.ok(asked.length > 100, 'the reader of sources finds them');
      const known = keysOf(language);
      assert.deepEqual(
        asked.filter((key) => !known.has(key)),
        [],
      );
    });

    test(`${language}: every plural that the language needs`, () => {
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      const counted = [...wordsOf(language).keys()].filter((key) => key !== stem(key)).map(stem);
      const lacking = counted.flatMap((key) =>
        forms.map((form) => `${key}_${form}`).filter((key) => !wordsOf(language).has(key)),
      );
      assert.deepEqual(lacking, []);
    });

    test(`${language}: no key that nothing uses`, () => {
      const unused = [...keysOf(language)].filter(
        (key) => !literals.has(key) && !patterns.some((pattern) => pattern.test(key)),
      );
      assert.deepEqual(unused, []);
    });
  }

  test('both languages fill in the same values', () => {
    const filled = (language: string) =>
      new Map(
        [...wordsOf(language)].map(([key, text]) => [
          stem(key),
          [...text.matchAll(/\{\{(\w+)/g)].map(([, name]) => name).sort(),
        ]),
      );
    const chinese = filled('zh-CN');
    for (const [key, names] of filled('en')) assert.deepEqual(chinese.get(key), names, key);
  });

  test('Chinese words are Chinese', () => {
    const names = /^(?:DCMTK|Orthanc|GE Innova .*|Unicode（UTF-8）|.*\{\{count\}\}.*)$/;
    const english = [...wordsOf('zh-CN')].filter(
      ([, text]) => !/\p{Script=Han}/u.test(text) && !names.test(text),
    );
    assert.deepEqual(english, []);
  });
});

describe('codes of the daemon', () => {
  const codes = [
    ...PEER_PRESETS.flatMap(({ id, hints }) => [`preset.${id}`, ...hints.map((hint) => `hint.${hint}`)]),
    ...STEP_NAMES.flatMap((name) => [`test.step.${name}.title`, `test.step.${name}.text`]),
  ];
  for (const language of LANGUAGES) {
    test(`${language}: kinds of devices, hints and steps of the full test have words`, () => {
      assert.deepEqual(
        codes.filter((key) => !wordsOf(language).has(key)),
        [],
      );
    });
  }
});

describe('settings', () => {
  const fields = fieldsOf(z.toJSONSchema(configSchema, { io: 'input' }) as Parameters<typeof fieldsOf>[0]);

  test('every setting of the daemon has Chinese words', () => {
    const chinese = read('settings-zh-CN');
    const wanted = fields.flatMap(({ path }) => [`${path}.title`, `${path}.description`]);
    assert.deepEqual([...new Set(chinese.keys()).symmetricDifference(new Set(wanted))].sort(), []);
  });

  test('every choice of a setting is named', () => {
    const wanted = fields.flatMap(({ path, schema }) =>
      (schema.enum ?? []).map((one) => `choice.${path}.${one}`),
    );
    for (const language of LANGUAGES) {
      assert.deepEqual(
        wanted.filter((key) => !wordsOf(language).has(key)),
        [],
      );
    }
  });

  test('every group of settings has a title', () => {
    const wanted = fields.map(({ path }) => path.split('.')).filter((keys) => keys.length > 1);
    const shown = new Set(wanted.map(([group]) => `settings.group.${group}`));
    for (const ours of ['dimse', 'http', 'log']) shown.delete(`settings.group.${ours}`);
    for (const language of LANGUAGES) {
      assert.deepEqual(
        [...shown].filter((key) => !wordsOf(language).has(key)),
        [],
      );
    }
  });
});
