// Search keys of person names (PS3.5 §6.2.1).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suffixKeys } from '../../../src/catalog/name-suffixes.ts';
import { TRUNCATED } from '../../../src/catalog/normalise.ts';
import { fuzzyKeys, nameCriterion, nameKeys } from '../../../src/catalog/person-name.ts';

/** Owners of more endings than are kept. */
const LEFT_OUT = { from: TRUNCATED, to: `${TRUNCATED}\0` };

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
      'ONZ',
      'ONEILZOE',
      'NEILZOE',
      'WXD',
      'WANGXIAODONG',
      'XIAODONG',
      'DONG',
    ]);
  });

  test('pinyin: whole from every syllable, and by initials, of Chinese characters and of pinyin', () => {
    const pinyinOf = (name: Parameters<typeof fuzzyKeys>[0]) =>
      fuzzyKeys(name).filter((key) => /^[A-Z]+$/.test(key));
    assert.deepEqual(pinyinOf({ Alphabetic: '张三' }), ['ZS', 'ZHANGSAN', 'SAN']);
    assert.deepEqual(pinyinOf({ Ideographic: '张^三' }), ['ZS', 'ZHANGSAN', 'SAN']);
    // Surnames that are read otherwise elsewhere; Ü as it is typed.
    assert.deepEqual(pinyinOf({ Alphabetic: '单田芳' })[0], 'STF');
    assert.deepEqual(pinyinOf({ Alphabetic: '吕布' }), ['LB', 'LVBU', 'BU']);
    const keys = pinyinOf({ Alphabetic: 'WANG^XIAODONG' });
    assert.deepEqual(keys, ['WANG', 'XIAODONG', 'WXD', 'WANGXIAODONG', 'DONG']);
    assert.ok(pinyinOf({ Alphabetic: 'LI^NANA' }).includes('LNN'));
    assert.deepEqual(pinyinOf({ Alphabetic: 'Smith' }), ['SMITH']);
  });

  test('endings begin at every character but carets and blanks', () => {
    assert.deepEqual(suffixKeys(['LI^NA XU', '王^小']), [
      'LI^NA XU',
      'I^NA XU',
      'NA XU',
      'A XU',
      'XU',
      'U',
      '王^小',
      '小',
    ]);
  });

  test('endings are few and short, however long the name; TRUNCATED says that some are left out', () => {
    const short = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(0x20000 + i)).join('');
    assert.equal(suffixKeys([short]).length, 64);
    assert.ok(suffixKeys([short]).every((key) => [...key].length <= 16));
    assert.deepEqual(suffixKeys([`${short}X`]).slice(-1), [TRUNCATED]);
    const names = Array.from({ length: 1000 }, (_, i) => `NAME${i}`);
    assert.equal(suffixKeys(names).length, 193);
    assert.deepEqual(suffixKeys(names).slice(-1), [TRUNCATED]);
  });

  test('a name of thousands of characters has few parts', () => {
    assert.ok(fuzzyKeys({ Ideographic: '王'.repeat(5000) }).length <= 16);
  });
});

describe('a key for names', () => {
  test('nothing but blanks, carets of nothing, stars: every name', () => {
    assert.equal(nameCriterion({ Alphabetic: '  ' }, false), undefined);
    assert.equal(nameCriterion({ Alphabetic: '*' }, false), undefined);
    assert.equal(nameCriterion({}, true), undefined);
  });

  test('the range does not ask for carets that a stored key may lack', () => {
    assert.deepEqual(nameCriterion({ Alphabetic: 'Wang^*' }, false)?.ways, [
      { among: 'groups', ranges: [{ from: 'WANG', to: 'WANH' }] },
    ]);
    assert.deepEqual(nameCriterion({ Alphabetic: '*Xiao^' }, false)?.ways, [
      { among: 'suffixes', ranges: [{ from: 'XIAO', to: 'XIAP' }, LEFT_OUT] },
    ]);
  });

  test('a leading caret, an empty family name, is kept in the range: stored keys have it', () => {
    assert.deepEqual(nameCriterion({ Alphabetic: '^山*' }, false)?.ways, [
      { among: 'groups', ranges: [{ from: '^山', to: '^屲' }] },
    ]);
  });

  test('what a name holds is looked for among its endings, by the longest literal, without carets in front', () => {
    assert.deepEqual(nameCriterion({ Alphabetic: '*a?^Xiao*' }, false)?.ways, [
      { among: 'suffixes', ranges: [{ from: 'XIAO', to: 'XIAP' }, LEFT_OUT] },
    ]);
    assert.deepEqual(nameCriterion({ Alphabetic: 'W*DONG*' }, false)?.ways, [
      { among: 'groups', ranges: [{ from: 'W', to: 'X' }] },
      { among: 'suffixes', ranges: [{ from: 'DONG', to: 'DONH' }, LEFT_OUT] },
    ]);
    assert.deepEqual(nameCriterion({ Alphabetic: '*^*' }, false)?.ways, []);
  });
});
