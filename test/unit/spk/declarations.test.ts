// What the package declares to DSM fits together: dialogs, resources, scripts, the app and its texts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { wizards } from '../../../spk/build/wizards.ts';
import { WIZARD_KEYS } from '../../../src/dsm/context.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const dialogOf = (content: string) => content.slice(content.indexOf('[\n'), content.lastIndexOf(']') + 1);
const keysIn = (content: string) => {
  const steps = JSON.parse(dialogOf(content)) as { items: { subitems: { key: string }[] }[] }[];
  return steps.flatMap(({ items }) => items.flatMap(({ subitems }) => subitems.map(({ key }) => key)));
};

describe('dialogs', () => {
  for (const { name, content } of wizards()) {
    test(`${name}: only keys that the program knows`, () => {
      const unknown = keysIn(content).filter((key) => !WIZARD_KEYS.some((known) => known === key));
      assert.deepEqual(unknown, []);
    });
    test(`${name}: every rule is one that a browser reads`, () => {
      const rules = [...dialogOf(content).matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
        ([, text]) => JSON.parse(text ?? '') as string,
      );
      for (const rule of rules) {
        assert.match(rule, /^\/.*\/$/);
        assert.doesNotThrow(() => new RegExp(rule.slice(1, -1)));
      }
    });
  }
  test('both languages ask the same', () => {
    for (const step of ['install', 'uninstall', 'upgrade']) {
      const asked = wizards()
        .filter(({ name }) => name.startsWith(step))
        .map(({ content }) => keysIn(content));
      for (const keys of asked) assert.deepEqual(keys, asked[0]);
    }
  });
});

test('every value in conf/resource is asked for when it is needed', () => {
  const wanted = new Set([...read('conf/resource').matchAll(/\{\{(\w+)\}\}/g)].map(([, key]) => key ?? ''));
  const askedIn = (step: string) =>
    new Set(
      wizards()
        .filter(({ name }) => name.startsWith(step))
        .flatMap(({ content }) => keysIn(content)),
    );
  const missingIn = (step: string, ...notNeeded: string[]) =>
    [...wanted].filter((key) => !askedIn(step).has(key) && !notNeeded.includes(key));
  assert.deepEqual(missingIn('install', 'wizard_drop_database'), []);
  // With the flags off nothing of the database is done, and no password needed.
  assert.deepEqual(missingIn('upgrade', 'wizard_mariadb_root_password', 'wizard_database_password'), []);
  assert.deepEqual(
    missingIn(
      'uninstall',
      'wizard_share',
      'wizard_create_db',
      'wizard_grant_user',
      'wizard_database_password',
    ),
    [],
  );
});

test('scripts are POSIX, and shellcheck has nothing to say', () => {
  const files = [
    ...globSync('scripts/*', { cwd: ROOT }),
    ...globSync('spk/target/bin/*', { cwd: ROOT }),
    'spk/ui/api.cgi',
  ];
  execFileSync('shellcheck', ['--shell=sh', '--external-sources', ...files.sort()], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  for (const { name, content } of wizards().filter((file) => file.name.endsWith('.sh'))) {
    execFileSync('shellcheck', ['--shell=sh', '-'], {
      input: content,
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    assert.ok(content.startsWith('#!/bin/sh\n'), name);
  }
});

test('the package starts Node as everybody else does', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { angiovault: string } };
  const launcher = read('spk/target/bin/angiovault');
  const options = scripts.angiovault
    .split(' ')
    .filter((word) => word.startsWith('--') || /^(?:UV_|MALLOC_)/.test(word));
  assert.deepEqual(
    options.filter((option) => !launcher.includes(option)),
    [],
  );
});

test('INFO, ui/config and the texts name the same things, in both languages', () => {
  const config = JSON.parse(read('spk/ui/config')) as Record<string, Record<string, object>>;
  const [script = '', parts = {}] = Object.entries(config)[0] ?? [];
  const application = /^dsmappname="(.*)"$/m.exec(read('INFO.template'))?.[1] ?? '';
  assert.ok(application in parts);
  assert.ok(read(`spk/ui/${script}`).includes(`'${application}'`));
  const wanted = new Set(
    [...JSON.stringify(config).matchAll(/"(\w+):(\w+)"/g)].map(([, section, key]) => `${section}:${key}`),
  );
  for (const language of ['enu', 'chs']) {
    let section = '';
    const there = new Set(
      read(`spk/ui/texts/${language}/strings`)
        .split('\n')
        .flatMap((line) => {
          section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
          const key = /^(\w+)="[^"]+"$/.exec(line)?.[1];
          return key === undefined ? [] : [`${section}:${key}`];
        }),
    );
    assert.deepEqual(
      [...wanted].filter((text) => !there.has(text)),
      [],
      language,
    );
  }
});
