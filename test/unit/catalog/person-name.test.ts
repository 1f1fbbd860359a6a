// Search keys of person names (PS3.5 §6.2.1).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fuzzyKeys, nameCriterion, nameKeys } from '../../../src/catalog/person-name.ts';

describe('search keys of a name', () => {
  test('one per component group, upper case, padding and empty components gone', () => {
    const name = { Alphabetic: ' Wang ^ XiaoDong^^ ', Ideographic: '王^小东', Phonetic: '' };
    assert.deepEqual(nameKeys(name), ['WANG^XIAODONG', '王^小东']);
  });

  test('half-width kana are kana, combined accents are accents', () => {
    assert.deepEqual(nameKeys({ Phonetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ' }), ['ヤマダ^タロウ']);
    assert.deepEqual(nameKeys({ Alphabetic: 'Mu\u0308ller' }), ['MÜLLER']);
  });

  test('no name has no keys', () => {
    assert.deepEqual(nameKeys({}), []);
    assert.deepEqual(nameKeys({ Alphabetic: '^^^^' }), []);
  });

  test('parts for fuzzy matching: without accents, endings of names written without blanks', () => {
    assert.deepEqual(fuzzyKeys({ Alphabetic: "O'Neil^Zoë", Ideographic: '王^小东' }), [
      'O',
      'NEIL',
      'ZOE',
      '王',
      '小东',
      '东',
    ]);
  });

  test('a name of thousands of characters has few parts', () => {
    assert.ok(fuzzyKeys({ Ideographic: '王'.repeat(5000) }).length <= 8);
  });
});

describe('a key for names', () => {
  test('nothing but blanks, carets of nothing, stars: every name', () => {
    assert.equal(nameCriterion({ Alphabetic: '  ' }, false), undefined);
    assert.equal(nameCriterion({ Alphabetic: '*' }, false), undefined);
    assert.equal(nameCriterion({}, true), undefined);
  });

  test('the range does not ask for carets that a stored key may lack', () => {
    assert.deepEqual(nameCriterion({ Alphabetic: 'Wang^*' }, false)?.ranges, [{ from: 'WANG', to: 'WANH' }]);
    assert.deepEqual(nameCriterion({ Alphabetic: '*Xiao^' }, false)?.ranges, [
      { from: '', to: undefined, contains: 'XIAO' },
    ]);
  });

  test('a leading caret, an empty family name, is kept in the range: stored keys have it', () => {
    assert.deepEqual(nameCriterion({ Alphabetic: '^山*' }, false)?.ranges, [{ from: '^山', to: '^屲' }]);
    assert.deepEqual(nameCriterion({ Alphabetic: '*^Xiao*' }, false)?.ranges, [
      { from: '', to: undefined, contains: '^XIAO' },
    ]);
  });
});
