// What the package's dialogs and scripts take.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AE_TITLE, PASSWORD, PORT, SHARE } from '../../../src/dsm/rules.ts';

test('ports from 1024 to 65535, and nothing else', () => {
  for (let port = 0; port <= 70_000; port += 1) {
    assert.equal(PORT.test(`${port}`), port >= 1024 && port <= 65535, `${port}`);
  }
  for (const text of ['', 'dicom', '1e4', ' 11112', '011112', '11112;'])
    assert.equal(PORT.test(text), false, text);
});

test('passwords: ten characters of four kinds, none that means something to JSON, SQL or a template', () => {
  assert.equal(PASSWORD.test('Kathe-ter/2026'), true);
  for (const text of ['Short-1a', 'nocapitals-123', 'NOSMALL-123456', 'NoDigits-here', 'NoSpecial12345']) {
    assert.equal(PASSWORD.test(text), false, text);
  }
  for (const character of [`'`, '"', '\\', '`', '{', '}', '&', '<', '>', ' ', '\n', 'é']) {
    assert.equal(PASSWORD.test(`Kathe-ter/2026${character}`), false, JSON.stringify(character));
  }
});

test('shared folders and AE titles: no path, no template, no blank in front', () => {
  for (const text of ['..', 'a/b', '-x', '', 'x'.repeat(33), '{{x}}', 'ä'])
    assert.equal(SHARE.test(text), false, text);
  for (const text of ['angiovault', 'Angio_2026', '1']) assert.equal(SHARE.test(text), true, text);
  for (const text of ['', ' ', ' A', 'x'.repeat(17), 'A\\B', '血管'])
    assert.equal(AE_TITLE.test(text), false, text);
  for (const text of ['VAULT', 'OP 1', 'x'.repeat(16)]) assert.equal(AE_TITLE.test(text), true, text);
});
