// Wild card patterns (PS3.4 §C.2.2.2.4) and the ranges of search keys they open.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareKeys, endOfPrefix, foldForms, foldValue, searchKey } from '../../../src/catalog/normalise.ts';
import { exactRange, patternRange, WildCard } from '../../../src/catalog/wild-card.ts';

const plain = (pattern: string): WildCard => WildCard.parse(pattern, foldForms);

describe('WildCard', () => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['', '', true],
    ['A', 'A', true],
    ['A', 'AB', false],
    ['*', '', true],
    ['*', 'ABC', true],
    ['A*', 'ABC', true],
    ['*C', 'ABC', true],
    ['A*C', 'ABBBC', true],
    ['A*C', 'ABBBD', false],
    ['A?C', 'ABC', true],
    ['A?C', 'AC', false],
    ['?', '\u{20BB7}', true],
    ['**', '', true],
    ['*?*', '', false],
    ['[AB]*', '[AB]C', true],
    ['[AB]*', 'AC', false],
    ['A.C', 'ABC', false],
    ['A\\*', 'A\\B', true],
    ['A_%', 'A_%', true],
    ['  A* ', 'AB', true],
  ];
  for (const [pattern, text, matches] of cases) {
    test(`'${pattern}' ${matches ? 'matches' : 'does not match'} '${text}'`, () => {
      assert.equal(plain(pattern).test(text), matches);
    });
  }

  test('a full-width star is a character, not a wild card', () => {
    assert.equal(plain('A＊').test('A*'), true);
    assert.equal(plain('A＊').test('AB'), false);
  });

  test('agrees with a regular expression for any pattern and text', () => {
    const letters = fc.string({ unit: fc.constantFrom('A', 'B', 'é'), maxLength: 12 });
    const patterns = fc.string({ unit: fc.constantFrom('A', 'B', 'é', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        const regular = new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`, 'u');
        assert.equal(plain(pattern).test(text), regular.test(text));
      }),
    );
  });

  test('a hostile pattern takes no time', () => {
    const started = performance.now();
    assert.equal(plain(`${'*a'.repeat(500)}*b`).test('a'.repeat(5000)), false);
    assert.ok(performance.now() - started < 2000);
  });
});

describe('ranges of search keys', () => {
  const isIn = (key: string, range: { from: string; to: string | undefined; contains?: string }): boolean =>
    compareKeys(key, range.from) >= 0 &&
    (range.to === undefined || compareKeys(key, range.to) < 0) &&
    (range.contains === undefined || key.includes(range.contains));

  test('whatever a pattern matches has a key in its range', () => {
    const unit = fc.constantFrom(
      'a',
      'B',
      'é',
      'ß',
      'ﬁ',
      '山',
      '\u{20BB7}',
      ' ',
      '\ud7ff',
      '\uffee',
      '\u{10fffd}',
      'ŉ',
    );
    const texts = fc.string({ unit, maxLength: 160 });
    const cuts = fc.tuple(fc.nat(5), fc.nat(5), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(texts, cuts, (text, [start, end, before, after]) => {
        const folded = foldValue(text);
        const inner = [...folded].slice(before ? start : 0, after ? -end || undefined : undefined).join('');
        const pattern = plain(`${before ? '*' : ''}${inner}${after ? '*' : ''}`);
        if (pattern.test(folded) && (before || after)) {
          const key = searchKey(folded);
          const range = patternRange(pattern);
          // A key that hides its end is always looked at.
          assert.ok(
            isIn(key, range) || (range.contains !== undefined && key.endsWith('\uffff')),
            `${folded} / ${inner}`,
          );
        }
        assert.ok(isIn(searchKey(folded), exactRange(folded)));
      }),
    );
  });

  test('a pattern with a beginning needs no scan', () => {
    assert.deepEqual(patternRange(plain('wang*x')), { from: 'WANG', to: 'WANH' });
    assert.deepEqual(patternRange(plain('*wang*x')), { from: '', to: undefined, contains: 'WANG' });
    assert.deepEqual(patternRange(plain('*?')), { from: '', to: undefined });
  });

  test('the end of a prefix skips surrogates and carries', () => {
    assert.equal(endOfPrefix('A'), 'B');
    assert.equal(endOfPrefix('\ud7ff'), '\ue000');
    assert.equal(endOfPrefix('A\u{10ffff}'), 'B');
    assert.equal(endOfPrefix('\u{10ffff}'), undefined);
  });

  test('keys compare as their UTF-8 bytes do', () => {
    const unit = fc.constantFrom('A', 'B', '山', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}');
    const keys = fc.string({ unit, maxLength: 6 });
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test('keys are never longer than 128 characters', () => {
    assert.equal([...searchKey('\u{20BB7}'.repeat(500))].length, 128);
    assert.equal(searchKey('x'.repeat(127)).length, 127);
  });
});
