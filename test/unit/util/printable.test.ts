// Hostile text is printed on one line, and nothing readable is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable } from '../../../src/util/printable.ts';

test('line ends, tabs and escapes are written out', () => {
  assert.equal(
    printable('a\r\n\tb\u001b[2Jc\u0000\u007f\u0085'),
    'a\\r\\n\\tb\\u001b[2Jc\\u0000\\u007f\\u0085',
  );
});

test('separators and reading-direction marks are written out', () => {
  assert.equal(printable('a\u2028b\u2029c\u202ed\u2066e'), 'a\\u2028b\\u2029c\\u202ed\\u2066e');
});

test('half a surrogate pair is written out', () => assert.equal(printable('a\ud800b'), 'a\\ud800b'));

test('names in any script stay as they are', () => {
  const names = 'Müller^Jürgen 王^小东 김희중 Люкceмбypг قباني 😀';
  assert.equal(printable(names), names);
});

test('no text leaves with a control character or a second line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), /[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
    }),
  );
});
