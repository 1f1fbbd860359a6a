// Reading data sets as PS3.5 §7 and Annex A have them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { readDataSet } from '../../../src/dicom/data-set-reader.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  elementOf,
  IMPLICIT,
  ITEM_END,
  implicit,
  item,
  long,
  openItem,
  readWhole,
  SEQUENCE_END,
  short,
  shortBig,
  tagBytes,
  UNDEFINED,
  u16,
  u32,
} from './bytes.ts';

const PATIENT = Buffer.concat([
  short(0x00100010, 'PN', 'Doe^John'),
  short(0x00100020, 'LO', 'ID1 '),
  short(0x00280010, 'US', u16(512)),
]);

describe('elements in each encoding', () => {
  test('Explicit VR Little Endian (PS3.5 §7.1.2)', () => {
    const dataSet = readWhole(Buffer.concat([PATIENT, long(0x00420011, 'OB', Buffer.from([1, 2, 3, 4]))]));
    assert.deepEqual([...dataSet.elements.keys()], [0x00100010, 0x00100020, 0x00280010, 0x00420011]);
    assert.equal(elementOf(dataSet, 0x00100010).vr, 'PN');
    assert.equal(dataSet.string(0x00100020), 'ID1');
    assert.equal(dataSet.number(0x00280010), 512);
    assert.deepEqual(elementOf(dataSet, 0x00420011).value, Buffer.from([1, 2, 3, 4]));
    assert.equal(elementOf(dataSet, 0x00420011).length, 4);
  });

  test('Implicit VR Little Endian, VRs from the dictionary (PS3.5 §7.1.3)', () => {
    const bytes = Buffer.concat([
      implicit(0x00090010, 'CREATOR '),
      implicit(0x00091001, 'anything'),
      implicit(0x00100010, 'Doe^John'),
      implicit(0x00280010, u16(512)),
    ]);
    const dataSet = readWhole(bytes, { transferSyntaxUid: IMPLICIT });
    assert.deepEqual(
      [...dataSet.elements.values()].map(({ vr }) => vr),
      ['LO', 'UN', 'PN', 'US'],
    );
    assert.equal(dataSet.number(0x00280010), 512);
  });

  test('Explicit VR Big Endian (PS3.5 §A.3)', () => {
    const bytes = Buffer.concat([
      shortBig(0x00100020, 'LO', 'ID1 '),
      shortBig(0x00280010, 'US', Buffer.from([2, 0])),
    ]);
    const dataSet = readWhole(bytes, { transferSyntaxUid: BIG_ENDIAN });
    assert.equal(dataSet.bigEndian, true);
    assert.equal(dataSet.string(0x00100020), 'ID1');
    assert.equal(dataSet.number(0x00280010), 512);
  });

  test('Deflated Explicit VR Little Endian (PS3.5 §A.5)', () => {
    const result = readDataSet(deflateRawSync(PATIENT), { transferSyntaxUid: DEFLATED, complete: true });
    assert.ok(result.done);
    assert.equal(result.dataSet.string(0x00100010), 'Doe^John');
    assert.equal(result.endOffset, PATIENT.length);
  });

  test('US or SS follows Pixel Representation in Implicit VR', () => {
    for (const [representation, vr, value] of [
      [0, 'US', 65535],
      [1, 'SS', -1],
    ] as const) {
      const bytes = Buffer.concat([
        implicit(0x00280103, u16(representation)),
        implicit(0x00280106, u16(0xffff)),
      ]);
      const dataSet = readWhole(bytes, { transferSyntaxUid: IMPLICIT, keep: new Set([0x00280106]) });
      assert.equal(elementOf(dataSet, 0x00280106).vr, vr);
      assert.equal(dataSet.number(0x00280106), value);
    }
  });

  test('values are views of the bytes, not copies', () => {
    const value = elementOf(readWhole(PATIENT), 0x00100010).value;
    assert.equal(value.buffer, PATIENT.buffer);
  });

  test('no bytes are an empty data set', () => {
    assert.equal(readWhole(Buffer.alloc(0)).elements.size, 0);
    assert.equal(readWhole(Buffer.alloc(0), { transferSyntaxUid: IMPLICIT }).elements.size, 0);
  });
});

describe('sequences (PS3.5 §7.5)', () => {
  const uid = short(0x00081155, 'UI', '1.2\0');
  const forms: [string, Buffer][] = [
    ['defined sequence, defined items', long(0x00081140, 'SQ', Buffer.concat([item(uid), item(uid)]))],
    [
      'defined sequence, undefined items',
      long(0x00081140, 'SQ', Buffer.concat([openItem(uid), openItem(uid)])),
    ],
    [
      'undefined sequence, defined items',
      Buffer.concat([long(0x00081140, 'SQ', '', UNDEFINED), item(uid), item(uid), SEQUENCE_END]),
    ],
    [
      'undefined sequence, undefined items',
      Buffer.concat([long(0x00081140, 'SQ', '', UNDEFINED), openItem(uid), openItem(uid), SEQUENCE_END]),
    ],
  ];
  for (const [name, bytes] of forms) {
    test(name, () => {
      const dataSet = readWhole(Buffer.concat([bytes, PATIENT]));
      assert.deepEqual(
        dataSet.items(0x00081140).map((one) => one.string(0x00081155)),
        ['1.2', '1.2'],
      );
      assert.equal(dataSet.string(0x00100010), 'Doe^John');
    });

    test(`${name}: stepped over when not kept`, () => {
      const dataSet = readWhole(Buffer.concat([bytes, PATIENT]), { keep: new Set([0x00100010]) });
      assert.deepEqual([...dataSet.elements.keys()], [0x00100010]);
    });
  }

  test('empty sequences and empty items', () => {
    const bytes = Buffer.concat([
      long(0x00081110, 'SQ', ''),
      long(0x00081111, 'SQ', '', UNDEFINED),
      SEQUENCE_END,
      long(0x00081140, 'SQ', Buffer.concat([item(), openItem()])),
    ]);
    const dataSet = readWhole(bytes);
    assert.deepEqual(
      [0x00081110, 0x00081111, 0x00081140].map((tag) => dataSet.items(tag).length),
      [0, 0, 2],
    );
  });

  test('sequences in items of sequences', () => {
    const inner = long(0x00081140, 'SQ', item(uid));
    const dataSet = readWhole(long(0x00081115, 'SQ', item(short(0x0020000e, 'UI', '1.3\0'), inner)));
    const [series] = dataSet.items(0x00081115);
    assert.equal(series?.string(0x0020000e), '1.3');
    assert.equal(series?.items(0x00081140)[0]?.string(0x00081155), '1.2');
  });

  test('in Implicit VR', () => {
    const bytes = implicit(0x00081140, item(implicit(0x00081155, '1.2\0')));
    assert.equal(
      readWhole(bytes, { transferSyntaxUid: IMPLICIT }).items(0x00081140)[0]?.string(0x00081155),
      '1.2',
    );
  });

  test('UN of undefined length is a sequence in Implicit VR (PS3.5 §6.2.2)', () => {
    const bytes = Buffer.concat([
      long(0x00091001, 'UN', '', UNDEFINED),
      openItem(implicit(0x00091002, 'private '), implicit(0x00100020, 'ID1 ')),
      SEQUENCE_END,
      PATIENT,
    ]);
    const dataSet = readWhole(bytes);
    assert.equal(elementOf(dataSet, 0x00091001).vr, 'SQ');
    assert.equal(dataSet.items(0x00091001)[0]?.string(0x00100020), 'ID1');
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('the same in a big endian data set: the sequence is little endian', () => {
    const bytes = Buffer.concat([
      Buffer.from('00091001', 'hex'),
      Buffer.from('UN\0\0\xff\xff\xff\xff', 'latin1'),
      openItem(implicit(0x00280010, u16(7))),
      SEQUENCE_END,
      shortBig(0x00280010, 'US', Buffer.from([0, 9])),
    ]);
    const dataSet = readWhole(bytes, { transferSyntaxUid: BIG_ENDIAN });
    assert.equal(dataSet.items(0x00091001)[0]?.number(0x00280010), 7);
    assert.equal(dataSet.number(0x00280010), 9);
  });

  test('an unknown private element of undefined length in Implicit VR is a sequence', () => {
    const bytes = Buffer.concat([
      implicit(0x00091001, '', UNDEFINED),
      implicit(0xfffee000, '', UNDEFINED),
      implicit(0x00091002, 'x '),
      ITEM_END,
      SEQUENCE_END,
    ]);
    const dataSet = readWhole(bytes, { transferSyntaxUid: IMPLICIT });
    assert.equal(elementOf(dataSet.items(0x00091001)[0]!, 0x00091002).value.toString(), 'x ');
  });

  test('a standard attribute as UN has the VR of the dictionary (PS3.5 §6.2.2)', () => {
    const bytes = Buffer.concat([
      long(0x00081140, 'UN', item(implicit(0x00081155, '1.2\0'))),
      long(0x00100010, 'UN', 'Doe^John'),
      long(0x00110011, 'UN', 'creator '),
      long(0x00111101, 'UN', 'nobody knows'),
    ]);
    const dataSet = readWhole(bytes);
    assert.deepEqual(
      [...dataSet.elements.values()].map(({ vr }) => vr),
      ['SQ', 'PN', 'LO', 'UN'],
    );
    assert.equal(dataSet.items(0x00081140)[0]?.string(0x00081155), '1.2');
  });
});

describe('encapsulated Pixel Data (PS3.5 §A.4)', () => {
  const pixels = Buffer.concat([
    long(0x7fe00010, 'OB', '', UNDEFINED),
    implicit(0xfffee000, ''),
    implicit(0xfffee000, 'fragment'),
    SEQUENCE_END,
  ]);
  const trailing = long(0xfffcfffc, 'OB', Buffer.alloc(4));

  test('fragments are stepped over, what follows is read', () => {
    const dataSet = readWhole(Buffer.concat([PATIENT, pixels, trailing]), {
      transferSyntaxUid: '1.2.840.10008.1.2.4.70',
    });
    const { value, length, vr } = elementOf(dataSet, 0x7fe00010);
    assert.deepEqual([vr, value.length, length], ['OB', 0, UNDEFINED]);
    assert.equal(dataSet.has(0xfffcfffc), true);
  });

  test('inside an item, as in an icon', () => {
    const icon = long(0x00880200, 'SQ', openItem(short(0x00280010, 'US', u16(64)), pixels));
    const dataSet = readWhole(Buffer.concat([icon, PATIENT.subarray(0, 0)]));
    assert.equal(dataSet.items(0x00880200)[0]?.number(0x00280010), 64);
  });
});

describe('reading only a part', () => {
  const pixels = long(0x7fe00010, 'OW', Buffer.alloc(1000));

  test('stopBefore ends at the first tag that is not below it, and says where', () => {
    const bytes = Buffer.concat([PATIENT, pixels]);
    for (const stopBefore of [0x7fe00010, 0x30000000]) {
      const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete: true, stopBefore });
      assert.ok(result.done);
      assert.equal(result.endOffset, PATIENT.length);
      assert.equal(result.dataSet.elements.size, 3);
    }
  });

  test('a truncated Pixel Data still lets the head be read', () => {
    const bytes = Buffer.concat([PATIENT, pixels.subarray(0, 100)]);
    for (const complete of [true, false]) {
      const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete, stopBefore: 0x7fe00010 });
      assert.ok(result.done);
      assert.equal(result.dataSet.string(0x00100010), 'Doe^John');
    }
  });

  test('keep leaves all but the wanted ones out, and Specific Character Set in', () => {
    const bytes = Buffer.concat([short(0x00080005, 'CS', 'GB18030 '), PATIENT]);
    const dataSet = readWhole(bytes, { keep: new Set([0x00100020]) });
    assert.deepEqual([...dataSet.elements.keys()], [0x00080005, 0x00100020]);
  });

  test('a beginning that does not reach stopBefore wants more, at least to the end of the value', () => {
    const bytes = Buffer.concat([PATIENT, long(0x00420011, 'OB', Buffer.alloc(5000)), pixels]);
    const part = bytes.subarray(0, PATIENT.length + 20);
    const result = readDataSet(part, {
      transferSyntaxUid: EXPLICIT,
      complete: false,
      stopBefore: 0x7fe00010,
    });
    assert.equal(result.done, false);
    assert.ok(!result.done && result.wantedBytes >= PATIENT.length + 12 + 5000);
  });

  test('reading on with wantedBytes each time gets there, whatever the cut', () => {
    const bytes = Buffer.concat([
      long(0x00081140, 'SQ', '', UNDEFINED),
      openItem(short(0x00081155, 'UI', '1.2\0')),
      SEQUENCE_END,
      PATIENT,
      pixels,
    ]);
    let length = 0;
    let steps = 0;
    for (;;) {
      const options = { transferSyntaxUid: EXPLICIT, complete: false, stopBefore: 0x7fe00010 };
      const result = readDataSet(bytes.subarray(0, length), options);
      if (result.done) {
        assert.equal(result.dataSet.string(0x00100010), 'Doe^John');
        break;
      }
      assert.ok(result.wantedBytes > length, 'progress');
      length = result.wantedBytes;
      steps += 1;
    }
    assert.ok(steps < 20);
  });

  test('values above the limit are stepped over and known by their length', () => {
    const bytes = Buffer.concat([long(0x00420011, 'OB', Buffer.alloc(5000)), PATIENT]);
    const dataSet = readWhole(bytes, { limits: { valueBytes: 1000 } });
    assert.deepEqual(
      [elementOf(dataSet, 0x00420011).value.length, elementOf(dataSet, 0x00420011).length],
      [0, 5000],
    );
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('a deflated data set is inflated only as far as needed', () => {
    // 40 MB behind the head: more than is ever inflated.
    const bytes = deflateRawSync(
      Buffer.concat([
        PATIENT,
        tagBytes(0x7fe00010),
        Buffer.from('OW\0\0'),
        u32(40_000_000),
        Buffer.alloc(40_000_000),
      ]),
    );
    const result = readDataSet(bytes, {
      transferSyntaxUid: DEFLATED,
      complete: true,
      stopBefore: 0x7fe00010,
    });
    assert.ok(result.done);
    assert.equal(result.endOffset, PATIENT.length);
  });

  test('and where a long head stands before what shrinks a thousandfold', () => {
    const noise = Buffer.from(Array.from({ length: 60_000 }, () => Math.floor(Math.random() * 256)));
    const head = Buffer.concat([long(0x00420011, 'OB', noise), short(0x00280010, 'US', u16(512))]);
    const pixels = Buffer.concat([long(0x7fe00010, 'OW', '', 40_000_000), Buffer.alloc(40_000_000)]);
    const bytes = deflateRawSync(Buffer.concat([head, pixels]));
    const dataSet = readWhole(bytes, { transferSyntaxUid: DEFLATED, stopBefore: 0x7fe00010 });
    assert.equal(dataSet.number(0x00280010), 512);
  });

  test('the beginning of a deflated data set gives its head, or wants more', () => {
    const noise = Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * 7919) % 251));
    const bytes = deflateRawSync(Buffer.concat([PATIENT, long(0x7fe00010, 'OW', noise)]), { level: 1 });
    const options = { transferSyntaxUid: DEFLATED, complete: false, stopBefore: 0x7fe00010 };
    assert.equal(readDataSet(bytes.subarray(0, 200), options).done, true);
    assert.equal(readDataSet(bytes.subarray(0, 5), options).done, false);
  });
});
