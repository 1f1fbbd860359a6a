// Data sets as DICOM JSON (PS3.18 Annex F).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeText } from '../../../src/dicom/character-set.ts';
import { type JsonElement, toDicomJson } from '../../../src/dicom/dicom-json.ts';
import { BIG_ENDIAN, item, long, readWhole, short, shortBig, UNDEFINED, u16, u32 } from './bytes.ts';

function jsonOf(bytes: Buffer, key: string, transferSyntaxUid?: string): JsonElement | undefined {
  return toDicomJson(readWhole(bytes, transferSyntaxUid === undefined ? {} : { transferSyntaxUid }))[key];
}

describe('values by VR (PS3.18 §F.2.3)', () => {
  const double = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return bytes;
  };
  const big = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  };
  const cases: [string, Buffer, string, JsonElement][] = [
    [
      'CS',
      short(0x00080008, 'CS', 'ORIGINAL\\ PRIMARY '),
      '00080008',
      { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY'] },
    ],
    ['UI', short(0x00080018, 'UI', '1.2.3\0'), '00080018', { vr: 'UI', Value: ['1.2.3'] }],
    [
      'LT is one value, leading blanks kept',
      short(0x00104000, 'LT', '  a\\b '),
      '00104000',
      { vr: 'LT', Value: ['  a\\b'] },
    ],
    [
      'UC keeps leading blanks',
      long(0x00080119, 'UC', ' a\\b '),
      '00080119',
      { vr: 'UC', Value: [' a', 'b'] },
    ],
    [
      'UR is one value',
      long(0x00081190, 'UR', 'http://x/a\\b'),
      '00081190',
      { vr: 'UR', Value: ['http://x/a\\b'] },
    ],
    ['IS', short(0x00200013, 'IS', '+05\\-3'), '00200013', { vr: 'IS', Value: [5, -3] }],
    ['IS that is no number', short(0x00200013, 'IS', '5A\\6 '), '00200013', { vr: 'IS', Value: ['5A', 6] }],
    ['DS', short(0x00280030, 'DS', '0.50\\1e-3 '), '00280030', { vr: 'DS', Value: [0.5, 0.001] }],
    [
      'DS that is no number',
      short(0x00280030, 'DS', 'NaN\\1,5 '),
      '00280030',
      { vr: 'DS', Value: ['NaN', '1,5'] },
    ],
    [
      'US',
      short(0x00280010, 'US', Buffer.concat([u16(512), u16(65535)])),
      '00280010',
      { vr: 'US', Value: [512, 65535] },
    ],
    ['SS', short(0x00280106, 'SS', u16(0xfffe)), '00280106', { vr: 'SS', Value: [-2] }],
    ['UL', short(0x00209157, 'UL', u32(4294967295)), '00209157', { vr: 'UL', Value: [4294967295] }],
    ['FD', short(0x00189087, 'FD', double(1.5)), '00189087', { vr: 'FD', Value: [1.5] }],
    [
      'FD without a finite value',
      short(0x00189087, 'FD', Buffer.concat([double(Number.NaN), double(-Infinity)])),
      '00189087',
      { vr: 'FD', Value: ['NaN', '-Infinity'] },
    ],
    [
      'SV within and beyond 53 bits',
      long(0x00720082, 'SV', Buffer.concat([big(-5n), big(2n ** 60n)])),
      '00720082',
      { vr: 'SV', Value: [-5, '1152921504606846976'] },
    ],
    [
      'AT',
      short(0x00280009, 'AT', Buffer.from('18006310feffffff', 'hex')),
      '00280009',
      { vr: 'AT', Value: ['00181063', 'FFFEFFFF'] },
    ],
    [
      'PN',
      short(0x00100010, 'PN', 'Doe^John^^^ '),
      '00100010',
      { vr: 'PN', Value: [{ Alphabetic: 'Doe^John^^^' }] },
    ],
    [
      'PN groups',
      short(0x00100010, 'PN', 'A^B=C=D '),
      '00100010',
      { vr: 'PN', Value: [{ Alphabetic: 'A^B', Ideographic: 'C', Phonetic: 'D' }] },
    ],
    [
      'PN without an alphabetic group',
      short(0x00100010, 'PN', '=C'),
      '00100010',
      { vr: 'PN', Value: [{ Ideographic: 'C' }] },
    ],
    ['empty', short(0x00100010, 'PN', ''), '00100010', { vr: 'PN' }],
    ['blank', short(0x00100020, 'LO', '    '), '00100020', { vr: 'LO' }],
    [
      'an empty value among others',
      short(0x00080008, 'CS', 'A\\\\B '),
      '00080008',
      { vr: 'CS', Value: ['A', null, 'B'] },
    ],
    [
      'an empty name among others',
      short(0x00081050, 'PN', 'A\\==\\B'),
      '00081050',
      { vr: 'PN', Value: [{ Alphabetic: 'A' }, null, { Alphabetic: 'B' }] },
    ],
    ['an empty sequence', long(0x00081140, 'SQ', ''), '00081140', { vr: 'SQ' }],
    ['an empty bulk value', long(0x7fe00010, 'OW', ''), '7FE00010', { vr: 'OW' }],
    [
      'a private element',
      Buffer.concat([short(0x00091001, 'LO', 'x ')]),
      '00091001',
      { vr: 'LO', Value: ['x'] },
    ],
    [
      'a number cut short',
      short(0x00280010, 'US', Buffer.from([1, 2, 3])),
      '00280010',
      { vr: 'US', Value: [0x0201] },
    ],
  ];
  for (const [name, bytes, key, expected] of cases) {
    test(name, () => assert.deepEqual(jsonOf(bytes, key), expected));
  }

  test('big endian numbers and tags', () => {
    const bytes = Buffer.concat([
      shortBig(0x00280009, 'AT', Buffer.from('00181063', 'hex')),
      shortBig(0x00280010, 'US', Buffer.from([2, 0])),
    ]);
    assert.deepEqual(jsonOf(bytes, '00280009', BIG_ENDIAN)?.Value, ['00181063']);
    assert.deepEqual(jsonOf(bytes, '00280010', BIG_ENDIAN)?.Value, [512]);
  });

  test('sequences nest', () => {
    const bytes = long(
      0x00081115,
      'SQ',
      Buffer.concat([item(long(0x00081140, 'SQ', item(short(0x00081155, 'UI', '1.2\0')))), item()]),
    );
    assert.deepEqual(jsonOf(bytes, '00081115'), {
      vr: 'SQ',
      Value: [{ '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }] } }, {}],
    });
  });
});

describe('what is left out', () => {
  test('bulk values of every kind', () => {
    const bytes = Buffer.concat([
      long(0x00091001, 'UN', 'private '),
      long(0x00420011, 'OB', 'ab'),
      long(0x00660016, 'OF', Buffer.alloc(4)),
      long(0x7fe00008, 'OF', Buffer.alloc(4)),
      long(0x7fe00009, 'OD', Buffer.alloc(8)),
      long(0x7fe00010, 'OW', Buffer.alloc(4)),
    ]);
    assert.deepEqual(toDicomJson(readWhole(bytes)), {});
  });

  test('values of more than 64 KiB', () => {
    const bytes = Buffer.concat([
      long(0x0040a160, 'UT', Buffer.alloc(65_536, 'x')),
      long(0x0040a170, 'UT', Buffer.alloc(65_538, 'x')),
    ]);
    const json = toDicomJson(readWhole(bytes, { limits: { valueBytes: 1 << 20 } }));
    assert.deepEqual(Object.keys(json), ['0040A160']);
  });

  test('values that were not kept in reading', () => {
    const bytes = long(0x0040a160, 'UT', Buffer.alloc(2000, 'x'));
    assert.deepEqual(toDicomJson(readWhole(bytes, { limits: { valueBytes: 1000 } })), {});
  });

  test('encapsulated Pixel Data', () => {
    const bytes = Buffer.concat([
      long(0x7fe00010, 'OB', '', UNDEFINED),
      Buffer.from('feffdde000000000', 'hex'),
    ]);
    assert.deepEqual(toDicomJson(readWhole(bytes)), {});
  });

  test('group lengths (PS3.18 §F.2.2)', () => {
    assert.deepEqual(toDicomJson(readWhole(short(0x00100000, 'UL', u32(8)))), {});
  });

  test('what is not to be kept, at top level only', () => {
    const bytes = Buffer.concat([
      long(0x00081140, 'SQ', item(short(0x00081155, 'UI', '1.2\0'))),
      short(0x00100010, 'PN', 'Doe '),
    ]);
    const json = toDicomJson(readWhole(bytes), { keep: new Set([0x00081140]) });
    assert.deepEqual(json, {
      '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }] },
    });
  });
});

describe('text (PS3.5 §6.1)', () => {
  const name = (sets: string[], text: string): Buffer =>
    short(0x00100010, 'PN', encodeText(text, sets, 'PN'));
  const gb = short(0x00080005, 'CS', 'GB18030 ');
  const latin = short(0x00080005, 'CS', 'ISO_IR 100');

  test('in the character set that the data set names', () => {
    const json = toDicomJson(readWhole(Buffer.concat([gb, name(['GB18030'], 'Wang^XiaoDong=王^小东')])));
    assert.deepEqual(json['00100010']?.Value, [{ Alphabetic: 'Wang^XiaoDong', Ideographic: '王^小东' }]);
    assert.deepEqual(json['00080005']?.Value, ['GB18030']);
  });

  test('or in one that is known better', () => {
    const dataSet = readWhole(Buffer.concat([latin, name(['GB18030'], '王^小东')]));
    const json = toDicomJson(dataSet, { characterSetOverride: ['GB18030'] });
    assert.deepEqual(json['00100010']?.Value, [{ Alphabetic: '王^小东' }]);
  });

  test('items inherit it, or have their own', () => {
    const inherited = item(name(['GB18030'], '王'));
    const own = item(short(0x00080005, 'CS', 'ISO_IR 100'), name(['ISO_IR 100'], 'Jérôme'));
    const dataSet = readWhole(Buffer.concat([gb, long(0x00081140, 'SQ', Buffer.concat([inherited, own]))]));
    const names = (override?: string[]): unknown[] => {
      const json = toDicomJson(dataSet, override === undefined ? {} : { characterSetOverride: override });
      return (json['00081140']?.Value ?? []).map((one) => (one as typeof json)['00100010']?.Value?.[0]);
    };
    assert.deepEqual(names(), [{ Alphabetic: '王' }, { Alphabetic: 'Jérôme' }]);
  });

  test('Deviation: also in VRs that should be ASCII', () => {
    const bytes = Buffer.concat([gb, short(0x00180015, 'CS', encodeText('头部', ['GB18030'], 'CS'))]);
    assert.deepEqual(toDicomJson(readWhole(bytes))['00180015']?.Value, ['头部']);
  });

  test('trailing NULs and blanks of each value and each name group go', () => {
    const bytes = short(0x00100010, 'PN', 'A^B \0= C \\D  ');
    assert.deepEqual(jsonOf(bytes, '00100010')?.Value, [
      { Alphabetic: 'A^B', Ideographic: 'C' },
      { Alphabetic: 'D' },
    ]);
  });
});
