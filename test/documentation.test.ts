// docs/conformance.md says what the source says: SOP classes, transfer syntaxes, identity, deviations.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { KEPT_KEYWORDS } from '../src/catalog/attributes.ts';
import { STORAGE_SOP_CLASSES } from '../src/dicom/sop-class.ts';
import { TRANSFER_SYNTAXES } from '../src/dicom/transfer-syntax.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../src/dicom/uid.ts';

const SOURCE = join(import.meta.dirname, '..', 'src');
const page = readFileSync(join(SOURCE, '..', 'docs', 'conformance.md'), 'utf8');

/** The rows of the table below a heading. */
function rowsBelow(heading: string): string[] {
  const section = page.slice(page.indexOf(`\n## ${heading}`)).split(/\n## /)[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
}

/** Every `Deviation (…): …` of a source text, to the end of its comment. */
function deviationsIn(text: string): { rule: string; what: string }[] {
  const comments = text.match(/(?:^[ \t]*\/\/.*\n)+|\/\*\*[\s\S]*?\*\//gm) ?? [];
  return comments.flatMap((comment) => {
    const words = comment
      .replace(/^[ \t]*(?:\/\/|\/\*\*|\*\/?)|\*\/$/gm, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    return words
      .split('Deviation (')
      .slice(1)
      .map((part) => ({
        rule: part.slice(0, part.indexOf('):')),
        what: part.slice(part.indexOf('):') + 2).trim(),
      }));
  });
}

test('Annex A lists the storage SOP classes', () => {
  assert.deepEqual(
    rowsBelow('Annex A'),
    STORAGE_SOP_CLASSES.map(({ uid, name, retired }) => `| ${uid} | ${name} | ${retired ? 'retired' : ''} |`),
  );
});

test('Annex B lists the transfer syntaxes', () => {
  assert.deepEqual(
    rowsBelow('Annex B'),
    TRANSFER_SYNTAXES.map(({ uid, name }) => `| ${uid} | ${name} |`),
  );
});

test('section 7 lists every deviation that the source marks', () => {
  const marked = globSync('**/*.ts', { cwd: SOURCE }).flatMap((file) =>
    deviationsIn(readFileSync(join(SOURCE, file), 'utf8')).map(
      ({ rule, what }) => `| ${rule} | ${what} | \`${relative('.', file)}\` |`,
    ),
  );
  const listed = rowsBelow('7. Deviations');
  assert.deepEqual(
    marked.filter((row) => !listed.includes(row)),
    [],
    'marked, not listed',
  );
  assert.deepEqual(
    listed.filter((row) => !marked.includes(row)),
    [],
    'listed, not marked',
  );
});

test('section 3.3 lists the attributes that the catalogue keeps', () => {
  const words = new Set(page.match(/\w+/g));
  const missing = Object.values(KEPT_KEYWORDS).flatMap((group) =>
    Object.keys(group).filter((word) => !words.has(word)),
  );
  assert.deepEqual(missing, []);
});

test('the identity is ours', () => {
  assert.ok(page.includes(`| Implementation Class UID | ${IMPLEMENTATION_CLASS_UID} |`));
  assert.ok(page.includes(`| Implementation Version Name | ${IMPLEMENTATION_VERSION_NAME} |`));
});

describe('links between pages', () => {
  const root = join(SOURCE, '..');
  for (const file of globSync(['*.md', 'docs/**/*.md'], { cwd: root })) {
    test(`${file} leads somewhere`, () => {
      const links = [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)];
      const broken = links
        .map((link) => join(file, '..', link[1] ?? ''))
        .filter((to) => globSync(to, { cwd: root }).length === 0);
      assert.deepEqual(broken, []);
    });
  }
});
