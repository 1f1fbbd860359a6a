// Encoding what this program says itself (PS3.5 §7).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeDataSet } from '../../../src/dicom/data-set-writer.ts';
import { type DicomJson, type JsonElement, toDicomJson } from '../../../src/dicom/dicom-json.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  elementOf,
  IMPLICIT,
  implicit,
  item,
  long,
  readWhole,
  short,
  shortBig,
  u16,
} from './bytes.ts';

const ALL = [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED];
const UTF8 = ['ISO_IR 192'];

function encode(json: DicomJson, transferSyntaxUid = EXPLICIT, characterSets?: string[]): Buffer {
  return encodeDataSet(json, {
    transferSyntaxUid,
    ...(characterSets === undefined ? {} : { characterSets }),
  });
}

describe('bytes', () => {
  const json: DicomJson = {
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^John' }] },
    '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }] },
    '00280010': { vr: 'US', Value: [512] },
  };

  test('Explicit VR Little Endian: sorted tags, defined lengths', () => {
    assert.deepEqual(
      encode(json),
      Buffer.concat([
        long(0x00081140, 'SQ', item(short(0x00081155, 'UI', '1.2\0'))),
        short(0x00100010, 'PN', 'Doe^John'),
        short(0x00280010, 'US', u16(512)),
      ]),
    );
  });

  test('Implicit VR Little Endian', () => {
    assert.deepEqual(
      encode(json, IMPLICIT),
      Buffer.concat([
        implicit(0x00081140, item(implicit(0x00081155, '1.2\0'))),
        implicit(0x00100010, 'Doe^John'),
        implicit(0x00280010, u16(512)),
      ]),
    );
  });

  test('Explicit VR Big Endian', () => {
    const { '00081140': _, ...flat } = json;
    assert.deepEqual(
      encode({ ...flat, '00280009': { vr: 'AT', Value: ['00181063'] } }, BIG_ENDIAN),
      Buffer.concat([
        shortBig(0x00100010, 'PN', 'Doe^John'),
        shortBig(0x00280009, 'AT', Buffer.from('00181063', 'hex')),
        shortBig(0x00280010, 'US', Buffer.from([2, 0])),
      ]),
    );
  });

  test('deflated to an even length (PS3.5 §A.5)', () => {
    for (let length = 1; length < 20; length += 1) {
      const bytes = encode(
        { '00100020': { vr: 'LO', Value: ['abcdefghijklmnopqrstuvwxyz'.slice(length)] } },
        DEFLATED,
      );
      assert.equal(bytes.length % 2, 0);
    }
  });

  test('values are padded to even lengths: UIDs and bytes with NUL, text with blanks (PS3.5 §6.2)', () => {
    const bytes = encode({
      '00080018': { vr: 'UI', Value: ['1.2'] },
      '00100020': { vr: 'LO', Value: ['abc'] },
      '00420011': { vr: 'OB', InlineBinary: Buffer.from([1]) },
    });
    const dataSet = readWhole(bytes);
    assert.equal(elementOf(dataSet, 0x00080018).value.toString('latin1'), '1.2\0');
    assert.equal(elementOf(dataSet, 0x00100020).value.toString('latin1'), 'abc ');
    assert.deepEqual(elementOf(dataSet, 0x00420011).value, Buffer.from([1, 0]));
  });

  test('a value too long for its header goes as UN (PS3.5 §6.2.2)', () => {
    const text = 'x'.repeat(70_000);
    const bytes = encode({
      '00104000': { vr: 'LT', Value: [text] },
      '00200010': { vr: 'SH', Value: ['S1'] },
    });
    assert.equal(bytes.toString('latin1', 4, 6), 'UN');
    const dataSet = readWhole(bytes, { limits: { valueBytes: 100_000 } });
    assert.deepEqual(
      [elementOf(dataSet, 0x00104000).vr, elementOf(dataSet, 0x00104000).value.length],
      ['LT', 70_000],
    );
    assert.equal(dataSet.string(0x00200010), 'S1');
  });

  test('InlineBinary as bytes or base64', () => {
    const value = Buffer.from([1, 2, 3, 4]);
    for (const InlineBinary of [value, value.toString('base64')]) {
      const dataSet = readWhole(encode({ '7FE00010': { vr: 'OW', InlineBinary } }));
      assert.deepEqual(elementOf(dataSet, 0x7fe00010).value, value);
    }
  });

  test('empty elements are written, group lengths are not', () => {
    const dataSet = readWhole(
      encode({
        '00100010': { vr: 'PN' },
        '00100020': { vr: 'LO', Value: [] },
        '00100000': { vr: 'UL', Value: [4] },
      }),
    );
    assert.deepEqual(
      [...dataSet.elements.values()].map(({ tag, length }) => [tag, length]),
      [
        [0x00100010, 0],
        [0x00100020, 0],
      ],
    );
  });

  test('an empty data set has no bytes', () => {
    for (const uid of [IMPLICIT, EXPLICIT, BIG_ENDIAN]) assert.equal(encode({}, uid).length, 0);
  });
});

describe('Specific Character Set', () => {
  const chinese: DicomJson = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Wang', Ideographic: '王' }] } };
  const characterSetOf = (bytes: Buffer): string[] => readWhole(bytes).characterSets;

  test('is written when the text needs it', () => {
    assert.deepEqual(characterSetOf(encode(chinese, EXPLICIT, ['GB18030'])), ['GB18030']);
    assert.deepEqual(characterSetOf(encode(chinese, EXPLICIT, ['', 'ISO 2022 IR 58'])), [
      '',
      'ISO 2022 IR 58',
    ]);
  });

  test('and not when ASCII does', () => {
    const ascii: DicomJson = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Wang' }] } };
    assert.equal(readWhole(encode(ascii, EXPLICIT, UTF8)).has(0x00080005), false);
  });

  test('text deep inside counts', () => {
    const bytes = encode({ '00081140': { vr: 'SQ', Value: [chinese] } }, EXPLICIT, UTF8);
    assert.deepEqual(characterSetOf(bytes), UTF8);
  });

  test('what is asked for replaces what the attributes came with, items included', () => {
    const own: JsonElement = { vr: 'CS', Value: ['GB18030'] };
    const json: DicomJson = {
      ...chinese,
      '00080005': own,
      '00081140': { vr: 'SQ', Value: [{ ...chinese, '00080005': own }] },
    };
    const dataSet = readWhole(encode(json, EXPLICIT, UTF8));
    assert.deepEqual(dataSet.characterSets, UTF8);
    assert.equal(dataSet.items(0x00081140)[0]?.has(0x00080005), false);
    assert.deepEqual(toDicomJson(dataSet)['00081140'], { vr: 'SQ', Value: [chinese] });
  });

  test('without one asked for, the data set says', () => {
    const json: DicomJson = { ...chinese, '00080005': { vr: 'CS', Value: ['GB18030'] } };
    const dataSet = readWhole(encode(json));
    assert.deepEqual(dataSet.characterSets, ['GB18030']);
    assert.deepEqual(toDicomJson(dataSet)['00100010'], chinese['00100010']);
  });

  test('and where it says nothing, UTF-8 loses nothing', () => {
    const dataSet = readWhole(encode(chinese));
    assert.deepEqual(dataSet.characterSets, UTF8);
    assert.deepEqual(toDicomJson(dataSet)['00100010'], chinese['00100010']);
  });

  test('the default repertoire has question marks for the rest', () => {
    const dataSet = readWhole(encode(chinese, EXPLICIT, []));
    assert.equal(dataSet.has(0x00080005), false);
    assert.equal(dataSet.string(0x00100010), 'Wang=?');
  });
});

describe('numbers as text (PS3.5 §6.2)', () => {
  test('DS has at most 16 characters and keeps what fits', () => {
    const cases: [number, string][] = [
      [0.5, '0.5'],
      [-12345.678, '-12345.678'],
      [0.000010558274005, '1.0558274005e-5'],
      [1 / 3, '0.33333333333333'],
      [-1.23456789012e-300, '-1.23456789e-300'],
      [1e21, '1e+21'],
    ];
    for (const [number, text] of cases) {
      const written =
        readWhole(encode({ '00280030': { vr: 'DS', Value: [number] } })).string(0x00280030) ?? '';
      assert.ok(written.length <= 16, written);
      assert.equal(written, text);
    }
  });

  test('numbers that JSON has no form for come as text', () => {
    const json: DicomJson = {
      '00189087': { vr: 'FD', Value: ['NaN', '-Infinity', '1.5'] },
      '00720082': { vr: 'SV', Value: ['-1152921504606846976'] },
    };
    assert.deepEqual(toDicomJson(readWhole(encode(json))), {
      '00189087': { vr: 'FD', Value: ['NaN', '-Infinity', 1.5] },
      '00720082': { vr: 'SV', Value: ['-1152921504606846976'] },
    });
  });

  test('IS and DS that are no numbers go as they came', () => {
    const dataSet = readWhole(encode({ '00200013': { vr: 'IS', Value: ['5A', 6] } }));
    assert.deepEqual(dataSet.strings(0x00200013), ['5A', '6']);
  });
});

describe('what cannot be encoded is a DicomError that names the tag', () => {
  const cases: [string, DicomJson][] = [
    ['a number out of range', { '00280010': { vr: 'US', Value: [70_000] } }],
    ['text for a number', { '00280010': { vr: 'US', Value: ['many'] } }],
    ['nothing for a number', { '00280010': { vr: 'US', Value: [null] } }],
    ['a fraction for 16 bits', { '00280010': { vr: 'US', Value: [1.5] } }],
    ['an empty text for a number', { '00189087': { vr: 'FD', Value: [''] } }],
    ['a fraction for 64 bits', { '00280010': { vr: 'SV', Value: [1.5] } }],
    ['a word for a tag', { '00280009': { vr: 'AT', Value: ['PatientName'] } }],
    ['a name where a text is', { '00100020': { vr: 'LO', Value: [{ Alphabetic: 'x' }] } }],
    ['a text where an item is', { '00081140': { vr: 'SQ', Value: ['x'] } }],
    ['values for bytes', { '7FE00010': { vr: 'OW', Value: [1, 2] } }],
    ['an unknown VR', { '00100010': { vr: 'XX', Value: ['x'] } }],
  ];
  for (const [name, json] of cases) {
    test(name, () => {
      assert.throws(() => encode(json), {
        code: 'unencodable',
        tag: Number.parseInt(Object.keys(json)[0]!, 16),
      });
    });
  }

  test('a name that is no tag', () => {
    assert.throws(() => encode({ PatientName: { vr: 'PN' } }), { code: 'unencodable' });
  });

  test('fragments', () => {
    const json: DicomJson = { '7FE00010': { vr: 'OB', InlineBinary: Buffer.alloc(2) } };
    assert.throws(() => encode(json, '1.2.840.10008.1.2.4.70'), { code: 'unencodable', tag: 0x7fe00010 });
  });

  test('sequences without end', () => {
    let json: DicomJson = {};
    for (let depth = 0; depth < 10_000; depth += 1) json = { '00081140': { vr: 'SQ', Value: [json] } };
    assert.throws(() => encode(json), { code: 'limit' });
  });
});

describe('encode, read, JSON: the same again', () => {
  const word = fc
    .string({ unit: fc.constantFrom(...'ABCxyz019 .-_äЖ山王홍'), minLength: 1, maxLength: 12 })
    .map((text) => text.trim() || 'x');
  const letters = fc.string({ unit: fc.constantFrom(...'ABC_019'), minLength: 1, maxLength: 10 });
  const several = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.array(value, { minLength: 1, maxLength: 3 });
  const element = (
    vr: string,
    value: fc.Arbitrary<NonNullable<JsonElement['Value']>[number]>,
  ): fc.Arbitrary<JsonElement> =>
    fc.oneof(
      { weight: 5, arbitrary: several(value).map((Value) => ({ vr, Value })) },
      { weight: 1, arbitrary: fc.constant({ vr }) },
    );
  const single = (vr: string): fc.Arbitrary<JsonElement> => word.map((text) => ({ vr, Value: [text] }));
  const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

  const flat = fc.record(
    {
      '00080008': element('CS', letters),
      '00080018': element('UI', fc.constantFrom('1.2.3', '1.2.840.10008.1.1')),
      '00080030': element('TM', fc.constantFrom('101112.5', '07')),
      '00081050': element(
        'PN',
        fc.record(
          { Alphabetic: word, Ideographic: word },
          { requiredKeys: ['Alphabetic'], noNullPrototype: true },
        ),
      ),
      '00100020': element('LO', word),
      '00104000': single('LT'),
      '00200013': element('IS', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      '00280009': element('AT', fc.constantFrom('00181063', 'FFFEE000')),
      '00280010': element('US', fc.nat(65535)),
      '00280030': element(
        'DS',
        fc.integer().map((value) => value / 64),
      ),
      '00280106': element('US', fc.nat(65535)),
      '00189087': element(
        'FD',
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      ),
      '00180013': element('FL', float),
      '00080119': element('UC', word),
      '0040A160': single('UT'),
      '00720082': element('SV', fc.maxSafeInteger()),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const nested = fc.tuple(flat, fc.array(flat, { maxLength: 3 })).map(([top, items]): DicomJson => {
    const sequence: JsonElement =
      items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items as DicomJson[] };
    return { ...(top as DicomJson), '00081140': sequence };
  });

  for (const uid of ALL) {
    test(uid, () => {
      fc.assert(
        fc.property(nested, fc.constantFrom(UTF8, ['GB18030']), (json, sets) => {
          const { '00080005': _, ...again } = toDicomJson(
            readWhole(encode(json, uid, sets), { transferSyntaxUid: uid }),
          );
          assert.deepEqual(again, json);
        }),
        { numRuns: 300 },
      );
    });
  }
});
