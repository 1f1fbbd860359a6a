// Asking a data set for values (PS3.5 §6.2).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decimalOf, trimPadding } from '../../../src/dicom/data-set.ts';
import { BIG_ENDIAN, item, long, readWhole, short, shortBig, u16, u32 } from './bytes.ts';

describe('text of the default repertoire', () => {
  const dataSet = readWhole(
    Buffer.concat([
      short(0x00080005, 'CS', '\\ISO 2022 IR 87 '),
      short(0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\ AXIAL '),
      short(0x00080018, 'UI', '1.2.3\0'),
      short(0x00080050, 'SH', ''),
      short(0x00080060, 'CS', '    '),
      short(0x00100040, 'CS', 'M\0'),
    ]),
  );

  test('the first value, without padding', () => {
    assert.equal(dataSet.string(0x00080018), '1.2.3');
    assert.equal(dataSet.string(0x00080008), 'ORIGINAL');
  });

  test('all values', () => {
    assert.deepEqual(dataSet.strings(0x00080008), ['ORIGINAL', 'PRIMARY', 'AXIAL']);
  });

  test('absent, empty and blank are undefined', () => {
    for (const tag of [0x00100010, 0x00080050, 0x00080060]) assert.equal(dataSet.string(tag), undefined);
    assert.deepEqual(dataSet.strings(0x00100010), []);
    assert.deepEqual(dataSet.strings(0x00080050), []);
  });

  test('a blank first character set keeps its place (PS3.3 §C.12.1.1.2)', () => {
    assert.deepEqual(dataSet.characterSets, ['', 'ISO 2022 IR 87']);
  });

  test('Deviation (PS3.5 §6.2): NUL where a blank should pad', () => {
    assert.equal(dataSet.string(0x00100040), 'M');
  });
});

describe('numbers', () => {
  const dataSet = readWhole(
    Buffer.concat([
      short(0x00200013, 'IS', '+007 '),
      short(0x00280010, 'US', Buffer.concat([u16(512), u16(7)])),
      short(0x00280030, 'DS', '0.5\\0.25'),
      short(0x00280106, 'SS', u16(0xffff)),
      short(0x00281050, 'DS', 'wide'),
      short(0x00281051, 'DS', '1e3 '),
      short(0x00282000, 'OB', u16(1)),
      short(0x00289001, 'UL', u32(0xfffffffe)),
      short(0x00289002, 'UL', u16(1)),
    ]),
  );
  const cases: [number, number | undefined][] = [
    [0x00200013, 7],
    [0x00280010, 512],
    [0x00280030, 0.5],
    [0x00280106, -1],
    [0x00281050, undefined],
    [0x00281051, 1000],
    [0x00289001, 0xfffffffe],
    [0x00289002, undefined],
    [0x00080005, undefined],
  ];
  for (const [tag, number] of cases) {
    test(`${tag.toString(16)} is ${number}`, () => assert.equal(dataSet.number(tag), number));
  }

  test('big endian', () => {
    const bytes = shortBig(0x00280010, 'US', Buffer.from([1, 2]));
    assert.equal(readWhole(bytes, { transferSyntaxUid: BIG_ENDIAN }).number(0x00280010), 0x0102);
  });
});

test('items of a sequence, none of anything else', () => {
  const dataSet = readWhole(long(0x00081140, 'SQ', item(short(0x00081155, 'UI', '1.2\0'))));
  assert.equal(dataSet.items(0x00081140).length, 1);
  assert.deepEqual(dataSet.items(0x00081155), []);
});

test('decimals as IS and DS write them, nothing else (PS3.5 §6.2)', () => {
  for (const [text, number] of [
    ['0', 0],
    ['-0', 0],
    ['12', 12],
    ['-1.5', -1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['1E-2', 0.01],
  ] as const) {
    assert.equal(decimalOf(text), number, text);
    assert.ok(!Object.is(decimalOf(text), -0));
  }
  for (const text of [
    '',
    ' ',
    'x',
    '0x10',
    '1,5',
    '1 2',
    'Infinity',
    'NaN',
    '1e999',
    '9'.repeat(20),
    '1'.repeat(1000),
    '--1',
    '1e',
  ]) {
    assert.equal(decimalOf(text), undefined, text);
  }
});

test('padding is trimmed at both ends, or at the end only', () => {
  assert.equal(trimPadding(' \0a b\0 '), 'a b');
  assert.equal(trimPadding('  a ', false), '  a');
  assert.equal(trimPadding(' \0 '), '');
});
