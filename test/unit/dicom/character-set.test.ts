// Text in every character set that DICOM has (PS3.5 §6.1.2, Annexes H to K).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText } from '../../../src/dicom/character-set.ts';

// name, character sets, text, bytes in hexadecimal as the standard prints them
const ANNEXES: [string, string[], string, string][] = [
  [
    'H.3.1 Japanese, kanji and hiragana',
    ['', 'ISO 2022 IR 87'],
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
    '59616d6164615e5461726f753d 1b24423b3345441b2842 5e 1b244242404f3a1b2842 3d 1b24422464245e24401b2842 5e 1b2442243f246d24261b2842',
  ],
  [
    'H.3.2 Japanese, half-width katakana and kanji',
    ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    'd4cfc0de5ec0dbb33d 1b24423b3345441b284a 5e 1b244242404f3a1b284a 3d 1b24422464245e24401b284a 5e 1b2442243f246d24261b284a',
  ],
  [
    'I.2 Korean',
    ['', 'ISO 2022 IR 149'],
    'Hong^Gildong=洪^吉洞=홍^길동',
    '486f6e675e47696c646f6e673d 1b242943fbf3 5e 1b242943d1ced4d7 3d 1b242943c8ab 5e 1b242943b1e6b5bf',
  ],
  [
    'J.1 Chinese in UTF-8',
    ['ISO_IR 192'],
    'Wang^XiaoDong=王^小東=',
    '57616e675e5869616f446f6e673d e78e8b 5e e5b08fe69db1 3d',
  ],
  [
    'J.2 Chinese in GB18030',
    ['GB18030'],
    'Wang^XiaoDong=王^小东=',
    '57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d',
  ],
  [
    'J.3 Chinese in GBK',
    ['GBK'],
    'Wang^XiaoDong=王^小东=',
    '57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d',
  ],
  [
    'K.2 Chinese with GB 2312 as code extension',
    ['', 'ISO 2022 IR 58'],
    'Zhang^XiaoDong=张^小东=',
    '5a68616e675e5869616f446f6e673d 1b242941d5c5 5e 1b242941d0a1b6ab 3d',
  ],
];

const SINGLE_BYTE: [string, string, string][] = [
  ['ISO_IR 100', 'Buc^Jérôme', '4275635e4ae972f46d65'],
  ['ISO_IR 101', 'Wałęsa', '5761b3ea7361'],
  ['ISO_IR 109', 'Ĉapelĥ', 'c66170656cb6'],
  ['ISO_IR 110', 'Āboliņš', 'c0626f6c69f1b9'],
  ['ISO_IR 144', 'Люкceмбypг', 'bbeeda6365dcd17970d3'],
  ['ISO_IR 127', 'قباني^لنزار', 'e2c8c7e6ea5ee4e6d2c7d1'],
  ['ISO_IR 126', 'Διονυσιος', 'c4e9efedf5f3e9eff2'],
  ['ISO_IR 138', 'שרון^דבורה', 'f9f8e5ef5ee3e1e5f8e4'],
  ['ISO_IR 148', 'Şükrü', 'defc6b72fc'],
  ['ISO_IR 166', 'นามสกุล', 'b9d2c1cac1d8c5'],
  ['ISO_IR 13', 'ﾔﾏﾀﾞ^ﾀﾛｳ', 'd4cfc0de5ec0dbb3'],
];

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('the examples of the standard, both ways', () => {
  for (const [name, sets, text, hex] of ANNEXES) {
    test(`PS3.5 §${name}: decoded`, () => assert.equal(decodeText(bytesOf(hex), sets, 'PN'), text));
    test(`PS3.5 §${name}: encoded`, () => assert.deepEqual(encodeText(text, sets, 'PN'), bytesOf(hex)));
  }
  for (const [set, text, hex] of SINGLE_BYTE) {
    const bytes = set === 'ISO_IR 166' ? encodeText(text, [set], 'PN') : bytesOf(hex);
    test(`${set}: decoded`, () => assert.equal(decodeText(bytes, [set], 'PN'), text));
    test(`${set}: encoded`, () => assert.deepEqual(encodeText(text, [set], 'PN'), bytes));
    test(`${set}: also under its name with code extensions`, () => {
      assert.equal(decodeText(bytes, [set.replace('ISO_IR', 'ISO 2022 IR')], 'PN'), text);
    });
  }

  test('Thai has its letters at A1–FB', () => {
    assert.deepEqual(encodeText('กขฮ', ['ISO_IR 166'], 'LO'), Buffer.from([0xa1, 0xa2, 0xce]));
  });
});

describe('code extensions (PS3.5 §6.1.2.5)', () => {
  const japanese = ['', 'ISO 2022 IR 87', 'ISO 2022 IR 159'];
  const decode = (text: string, sets: string[], vr: string): string =>
    decodeText(Buffer.from(text, 'latin1'), sets, vr);

  test('supplementary kanji in three-byte escapes', () => {
    assert.equal(decode('\x1b$(D0!\x1b(B', japanese, 'LO'), '丂');
    assert.equal(encodeText('丂', japanese, 'LO').toString('latin1'), '\x1b$(D0!\x1b(B');
  });

  test('5C, 5E and 3D are halves of kanji while G0 has two bytes', () => {
    // Pairs whose second byte is a backslash, a caret, an equals sign.
    for (const second of ['\\', '^', '=']) {
      const text = decode(`\x1b$B$${second}\x1b(B`, japanese, 'PN');
      assert.equal(text.length, 1);
      assert.ok(text > '\u3000');
    }
  });

  test('after each delimiter value 1 is active again, even if the sender forgot to switch back (§6.1.2.5.3)', () => {
    const sets = ['ISO 2022 IR 100', 'ISO 2022 IR 144'];
    // é in G1 = IR 100; after the escape B4 is Cyrillic; after each delimiter it is an acute accent.
    assert.equal(decode('\xe9\x1b-L\xb4^\xb4', sets, 'PN'), 'éД^´');
    assert.equal(decode('\xe9\x1b-L\xb4=\xb4', sets, 'PN'), 'éД=´');
    assert.equal(decode('\xe9\x1b-L\xb4\\\xb4', sets, 'LO'), 'éД\\´');
    assert.equal(decode('\xe9\x1b-L\xb4\r\n\xb4', sets, 'LT'), 'éД\r\n´');
    assert.equal(decode('\xe9\x1b-L\xb4\t\xb4', sets, 'LT'), 'éД\t´');
  });

  test('what is no delimiter of the VR switches nothing back', () => {
    const sets = ['ISO 2022 IR 100', 'ISO 2022 IR 144'];
    assert.equal(decode('\x1b-L\xb4^=\xb4', sets, 'LO'), 'Д^=Д');
    assert.equal(decode('\x1b-L\xb4\\\xb4', sets, 'LT'), 'Д\\Д');
  });

  test('G0 and G1 are independent', () => {
    const sets = ['ISO 2022 IR 13', 'ISO 2022 IR 87'];
    assert.equal(decode('\x1b$B;3\xd4ED\x1b(J\xcf', sets, 'LO'), '山ﾔ田ﾏ');
  });

  test('several sets in one value, each escape once', () => {
    const sets = ['ISO 2022 IR 100', 'ISO 2022 IR 149', 'ISO 2022 IR 87'];
    const text = 'é 山 é 홍\\홍 山';
    const bytes = encodeText(text, sets, 'LO');
    assert.equal(decodeText(bytes, sets, 'LO'), text);
  });

  test('every component that needs an escape has one of its own', () => {
    const bytes = encodeText('洪^吉洞\\洪', ['', 'ISO 2022 IR 149'], 'PN');
    assert.equal(bytes.toString('latin1').split('\x1b$)C').length - 1, 3);
  });

  test('ASCII is active at the end of each value', () => {
    assert.ok(encodeText('山', japanese, 'LO').toString('latin1').endsWith('\x1b(B'));
  });

  test('Deviation: Korean and Chinese without repeated escapes', () => {
    assert.equal(decode('\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7', ['', 'ISO 2022 IR 149'], 'PN'), '洪^吉洞');
    assert.equal(decode('\xd5\xc5^\xd0\xa1', ['', 'ISO 2022 IR 58'], 'PN'), '张^小');
  });

  test('Deviation: katakana in G0, kanji of 1978, unknown escapes', () => {
    assert.equal(decode('\x1b(ITO^\x1b(ITO', ['', 'ISO 2022 IR 13'], 'PN'), 'ﾔﾏ^ﾔﾏ');
    assert.equal(decode('\x1b$@;3\x1b(B', japanese, 'LO'), '山');
    assert.equal(decode('a\x1b#9b', japanese, 'LO'), 'ab');
  });

  test('Deviation: escapes although only one set is named', () => {
    assert.equal(decode('\x1b$B;3ED\x1b(B', ['ISO_IR 100'], 'PN'), '山田');
    assert.equal(decode('\x1b$B;3ED\x1b(B', [], 'PN'), '山田');
  });

  test('cut in the middle of anything, it is still text', () => {
    const bytes = encodeText(
      '山田ﾔé홍张',
      ['ISO 2022 IR 13', 'ISO 2022 IR 87', 'ISO 2022 IR 149', 'ISO 2022 IR 58'],
      'LO',
    );
    for (let length = 0; length <= bytes.length; length += 1) {
      assert.equal(typeof decodeText(bytes.subarray(0, length), japanese, 'LO'), 'string');
    }
  });
});

describe('the backslash between values (PS3.5 §6.2, §6.1.2.3)', () => {
  test('5C as second byte in GBK and GB18030 is no separator', () => {
    for (const [set, lead] of [
      ['GBK', 0x81],
      ['GB18030', 0x81],
      ['GBK', 0xd5],
    ] as const) {
      const text = decodeText(Buffer.from([lead, 0x5c, 0x5c, 0x41]), [set], 'LO');
      assert.equal(text.split('\\').length, 2);
      assert.equal(text.split('\\')[1], 'A');
      assert.deepEqual(encodeText(text, [set], 'LO'), Buffer.from([lead, 0x5c, 0x5c, 0x41]));
    }
  });

  test('5C in ISO_IR 13 separates values, and is a yen sign where nothing is separated', () => {
    const bytes = Buffer.from([0xb6, 0x5c, 0xc0, 0x7e]);
    assert.equal(decodeText(bytes, ['ISO_IR 13'], 'LO'), 'ｶ\\ﾀ‾');
    assert.equal(decodeText(bytes, ['ISO_IR 13'], 'LT'), 'ｶ¥ﾀ‾');
    assert.deepEqual(encodeText('ｶ¥ﾀ‾', ['ISO_IR 13'], 'LT'), bytes);
    assert.equal(
      encodeText('¥', ['ISO_IR 13'], 'LO').toString(),
      '?',
      'no value gets separators it did not have',
    );
  });

  test('full-width backslashes stay what they are', () => {
    for (const sets of [
      ['', 'ISO 2022 IR 87'],
      ['', 'ISO 2022 IR 149'],
      ['', 'ISO 2022 IR 58'],
      ['GB18030'],
    ]) {
      assert.equal(decodeText(encodeText('a\uff3cb', sets, 'LO'), sets, 'LO'), 'a\uff3cb', sets.join('\\'));
    }
  });
});

describe('names of character sets', () => {
  const latin1 = Buffer.from('Jérôme', 'latin1');

  test('Deviation: other spellings of the Defined Terms', () => {
    for (const name of [
      'ISO-IR 100',
      'ISO_IR_100',
      'ISO IR 100',
      'iso_ir 100',
      'ISO_IR100',
      'ISO 2022 IR 100',
      'ISO2022 IR 100',
      ' ISO_IR 100 ',
      'ISO 8859-1',
      'LATIN1',
    ]) {
      assert.equal(decodeText(latin1, [name], 'PN'), 'Jérôme', name);
    }
    for (const name of ['UTF-8', 'utf8', 'ISO_IR 192', 'ISO IR 192', 'ISO 2022 IR 192']) {
      assert.equal(decodeText(Buffer.from('王'), [name], 'PN'), '王', name);
    }
    for (const name of ['GB18030', 'GB 18030', 'GBK', 'GB2312', 'gbk']) {
      assert.equal(decodeText(Buffer.from([0xcd, 0xf5]), [name], 'PN'), '王', name);
    }
  });

  test('Deviation: UTF-8 and GB18030 among other terms', () => {
    assert.equal(decodeText(Buffer.from('王'), ['', 'ISO_IR 192'], 'PN'), '王');
    assert.equal(decodeText(Buffer.from([0xcd, 0xf5]), ['ISO 2022 IR 6', 'GB18030'], 'PN'), '王');
  });

  test('Deviation: unknown names and none at all: UTF-8 when it is, else ISO_IR 100', () => {
    for (const sets of [[], [''], ['ISO_IR 6'], ['KLINGON'], ['ISO_IR 999'], ['\0\x01']]) {
      assert.equal(decodeText(Buffer.from('Jérôme 王'), sets, 'PN'), 'Jérôme 王');
      assert.equal(decodeText(latin1, sets, 'PN'), 'Jérôme');
    }
  });

  test('unmappable characters become question marks', () => {
    for (const sets of [
      [],
      ['ISO_IR 6'],
      ['KLINGON'],
      ['ISO_IR 100'],
      ['ISO_IR 13'],
      ['', 'ISO 2022 IR 87'],
    ]) {
      assert.equal(encodeText('x☃y', sets, 'LO').toString('latin1'), 'x?y', sets.join('\\'));
    }
    assert.equal(encodeText('王', ['ISO_IR 100'], 'PN').toString(), '?');
    assert.equal(encodeText('Jérôme', [], 'PN').toString(), 'J?r?me');
    assert.equal(encodeText('\u{1f600}', ['', 'ISO 2022 IR 58'], 'LO').toString(), '?');
    assert.deepEqual(encodeText('\u{20000}', ['GB18030'], 'LO'), Buffer.from([0x95, 0x32, 0x82, 0x36]));
  });

  test('no escape sequence gets into a value from its text', () => {
    for (const sets of [[], ['ISO_IR 100'], ['GB18030'], ['ISO_IR 192'], ['', 'ISO 2022 IR 87']]) {
      assert.equal(encodeText('a\x1b$Bb', sets, 'LO').includes(0x1b), false, sets.join('\\'));
    }
  });
});

describe('any bytes and any text', () => {
  const names = fc.constantFrom(
    '',
    'ISO_IR 100',
    'ISO 2022 IR 6',
    'ISO 2022 IR 13',
    'ISO 2022 IR 87',
    'ISO 2022 IR 159',
    'ISO 2022 IR 149',
    'ISO 2022 IR 58',
    'ISO 2022 IR 144',
    'GB18030',
    'GBK',
    'ISO_IR 192',
    'NONSENSE',
  );
  const vrs = fc.constantFrom('PN', 'LO', 'SH', 'LT', 'ST', 'UT', 'UC', 'CS');

  test('decoding never throws', () => {
    // Bytes that make escapes and delimiters likely.
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\x1b\x1b$)(-BCDIJA\\^=\r\n')));
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 60 }),
        fc.array(names, { maxLength: 4 }),
        vrs,
        (bytes, sets, vr) => {
          assert.equal(typeof decodeText(Buffer.from(bytes), sets, vr), 'string');
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('encoding never throws, and is decoded to the same text, or question marks', () => {
    const letter = fc.constantFrom(...'AZaz09 ^=éüßДжשקΔ山田太郎やまだﾔﾏ홍길동王小东张丂☃\n');
    fc.assert(
      fc.property(
        fc.array(letter, { maxLength: 20 }),
        fc.array(names, { maxLength: 4 }),
        vrs,
        (letters, sets, vr) => {
          const text = letters.join('');
          const decoded = decodeText(encodeText(text, sets, vr), sets, vr);
          assert.equal([...decoded].length, letters.length);
          [...decoded].forEach((character, index) => {
            assert.ok(character === letters[index] || character === '?', `${text} became ${decoded}`);
          });
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('UTF-8 and GB18030 lose nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        for (const set of ['ISO_IR 192', 'GB18030']) {
          assert.equal(decodeText(encodeText(text, [set], 'LT'), [set], 'LT'), text.replaceAll('\x1b', '?'));
        }
      }),
    );
  });
});
