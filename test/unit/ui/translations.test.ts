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

/** Where the daemon writes its codes down, how to find them there, and the words that each needs. */
const CODES: readonly (readonly [what: string, files: string, code: RegExp, key: string])[] = [
  ['problems', 'http/**/*.ts', /(?:ApiError|refuse|refused)\(\s*\d{3},\s*'([a-z-]+)'/g, 'problem.*'],
  ['problems of the archive', 'http/problem.ts', /^ {2}'?([a-z-]+)'?: [45]\d\d,$/gm, 'problem.*'],
  ['levels of safety', 'http/safety.ts', /\badd\('\w+', '([a-z-]+)'/g, 'safety.reason.*'],
  ['notices', '{main,archive}/*.ts', /\braise\(\{\s*code: '([a-z-]+)'/g, 'notice.*'],
  ['passing notices', 'main/api.ts', /\bnotices\.set\('\w+', '([a-z-]+)'/g, 'notice.*'],
  ['troubles of destinations', 'jobs/forwarding.ts', /code: '([a-z-]+)', destination/g, 'notice.*'],
  ['diagnoses', 'scu/diagnosis.ts', /^ {2}\| '([a-z-]+)'/gm, 'echo.*.what'],
  ['advice', 'scu/diagnosis.ts', /^ {2}\| '([a-z-]+)'/gm, 'echo.*.do'],
  ['kinds of findings', 'catalog/upkeep.ts', /^ {2}\| '([a-z-]+)'/gm, 'finding.kind.*.text'],
  [
    'actions on findings',
    'http/api/integrity.ts',
    /^ {2}'?([a-z-]+)'?: '[a-z-]+',$/gm,
    'finding.action.*.text',
  ],
  ['kinds of jobs', 'jobs/*-job.ts', /^ {4}kind: '([a-z]+)'/gm, 'jobs.kind.*'],
  ['doings', 'main/associations.ts', /\[CommandField\.\w+, '([a-z]+)'\]/g, 'doing.*'],
  ['purposes of callers', 'scp/unknown-callers.ts', /[=|] '([a-z]+)'/g, 'tried.*'],
  ['changes', 'http/**/*.ts', /(?:action: |userOf\(caller\), )'([a-z]+-?[a-z]+)'/g, 'log.action.*'],
];
/** Only programs meet them: the app sends JSON, its header, and UIDs that it was given. */
const FOR_PROGRAMS = [
  'not-json',
  'header-missing',
  'gone',
  'invalid-uid',
  'invalid-request',
  'too-many-listeners',
];

describe('codes of the daemon, as its sources write them', () => {
  const SOURCES = join(import.meta.dirname, '../../../src');
  for (const [what, files, code, key] of CODES) {
    test(`${what} have words`, () => {
      const found = globSync(files, { cwd: SOURCES })
        .flatMap((file) => [...readFileSync(join(SOURCES, file), 'utf8').matchAll(code)])
        .map(([, one = '']) => one);
      assert.ok(found.length > 0, 'the reader of sources finds them');
      for (const language of LANGUAGES) {
        const known = keysOf(language);
        const lacking = found.filter(
          (one) => !FOR_PROGRAMS.includes(one) && !known.has(key.replace('*', one)),
        );
        assert.deepEqual([...new Set(lacking)], [], language);
      }
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
