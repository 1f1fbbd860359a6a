// What the reader accepts although PS3.5 does not: each a habit of somebody's machine.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { readDataSet } from '../../../src/dicom/data-set-reader.ts';
import {
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
  tagBytes,
  UNDEFINED,
  u16,
} from './bytes.ts';

const NAME = short(0x00100010, 'PN', 'Doe^John');

describe('Deviation (PS3.5 §7.1): the wrong kind of VR encoding', () => {
  test('a data set declared explicit that is implicit', () => {
    const bytes = Buffer.concat([implicit(0x00080005, 'ISO_IR 100'), implicit(0x00100010, 'Doe^John')]);
    assert.equal(readWhole(bytes).string(0x00100010), 'Doe^John');
  });

  test('a data set declared implicit that is explicit', () => {
    const bytes = Buffer.concat([short(0x00080005, 'CS', 'ISO_IR 100'), NAME]);
    assert.equal(readWhole(bytes, { transferSyntaxUid: IMPLICIT }).string(0x00100010), 'Doe^John');
  });

  test('implicit items in an explicit data set', () => {
    const sequence = long(
      0x00081140,
      'SQ',
      item(implicit(0x00081155, '1.2\0'), implicit(0x00081150, '1.3\0')),
    );
    const dataSet = readWhole(Buffer.concat([sequence, NAME]));
    assert.equal(dataSet.items(0x00081140)[0]?.string(0x00081155), '1.2');
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('explicit items in a UN of undefined length', () => {
    const bytes = Buffer.concat([
      long(0x00091001, 'UN', '', UNDEFINED),
      openItem(short(0x00081155, 'UI', '1.2\0')),
      SEQUENCE_END,
    ]);
    assert.equal(readWhole(bytes).items(0x00091001)[0]?.string(0x00081155), '1.2');
  });

  test('one implicit element among explicit ones', () => {
    const bytes = Buffer.concat([NAME, implicit(0x00100020, 'ID1 '), short(0x00100040, 'CS', 'M ')]);
    const dataSet = readWhole(bytes);
    assert.equal(dataSet.string(0x00100020), 'ID1');
    assert.equal(dataSet.string(0x00100040), 'M');
  });
});

describe('Deviation (PS3.5 §7.1.2): VRs that nobody defined', () => {
  for (const vr of ['??', '  ', '--', 'pn', '\0\0']) {
    test(`${JSON.stringify(vr)} with a short header`, () => {
      const dataSet = readWhole(
        Buffer.concat([NAME, short(0x00100020, vr, 'ID1 '), short(0x00100040, 'CS', 'M ')]),
      );
      assert.equal(elementOf(dataSet, 0x00100020).vr, 'LO');
      assert.equal(dataSet.string(0x00100020), 'ID1');
      assert.equal(dataSet.string(0x00100040), 'M');
    });
  }

  test('two capital letters with a long header, as VRs of the future have', () => {
    const dataSet = readWhole(
      Buffer.concat([NAME, long(0x00110010, 'ZZ', 'value1'), short(0x00200010, 'SH', 'S1')]),
    );
    assert.equal(elementOf(dataSet, 0x00110010).value.toString(), 'value1');
    assert.equal(dataSet.string(0x00200010), 'S1');
  });

  test('two capital letters with a short header', () => {
    const dataSet = readWhole(
      Buffer.concat([NAME, short(0x00110010, 'ZZ', 'v1'), short(0x00200010, 'SH', 'S1')]),
    );
    assert.equal(elementOf(dataSet, 0x00110010).value.toString(), 'v1');
    assert.equal(dataSet.string(0x00200010), 'S1');
  });

  test('a long VR with a short header', () => {
    const dataSet = readWhole(Buffer.concat([short(0x00080015, 'UT', 'text'), NAME]));
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('at the end of the beginning, more bytes are wanted before it is judged', () => {
    const bytes = Buffer.concat([NAME, short(0x00100020, '??', 'ID1 '), short(0x00100040, 'CS', 'M ')]);
    const options = { transferSyntaxUid: EXPLICIT, complete: false, stopBefore: 0x00100030 };
    assert.equal(readDataSet(bytes.subarray(0, NAME.length + 12), options).done, false);
    assert.equal(readDataSet(bytes, options).done, true);
  });

  test('an unknown VR that leads nowhere is an error that names tag and offset', () => {
    const bytes = Buffer.concat([NAME, tagBytes(0x00100020), Buffer.from('??'), u16(40_000), NAME]);
    assert.throws(() => readWhole(bytes), {
      code: 'malformed',
      tag: 0x00100020,
      offset: NAME.length,
      message: /\(0010,0020\) PatientID, offset 16$/,
    });
  });
});

describe('Deviation (PS3.5 §7.5): sequences that end oddly', () => {
  const uid = short(0x00081155, 'UI', '1.2\0');

  test('delimiters although the length is defined', () => {
    const sequence = long(0x00081140, 'SQ', Buffer.concat([item(uid, ITEM_END), SEQUENCE_END]));
    const dataSet = readWhole(Buffer.concat([sequence, SEQUENCE_END, NAME]));
    assert.equal(dataSet.items(0x00081140).length, 1);
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('an undefined item without its delimiter before the end of the sequence', () => {
    const bytes = Buffer.concat([
      long(0x00081140, 'SQ', '', UNDEFINED),
      implicit(0xfffee000, '', UNDEFINED),
      uid,
      SEQUENCE_END,
      NAME,
    ]);
    assert.equal(readWhole(bytes).items(0x00081140)[0]?.string(0x00081155), '1.2');
  });

  test('a defined sequence with nonsense inside is stepped over', () => {
    const dataSet = readWhole(Buffer.concat([long(0x00081140, 'SQ', 'this is no item!'), NAME]));
    assert.equal(elementOf(dataSet, 0x00081140).items, undefined);
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('an item longer than its defined sequence likewise', () => {
    const sequence = long(0x00081140, 'SQ', implicit(0xfffee000, uid, 4000));
    assert.equal(readWhole(Buffer.concat([sequence, NAME])).string(0x00100010), 'Doe^John');
  });

  test('items whose sequence element was lost are stepped over', () => {
    const dataSet = readWhole(
      Buffer.concat([uid, item(short(0x00081155, 'UI', '1.9\0')), SEQUENCE_END, NAME]),
    );
    assert.equal(dataSet.string(0x00081155), '1.2');
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('fragments that end with the data set', () => {
    const bytes = Buffer.concat([
      NAME,
      long(0x7fe00010, 'OB', '', UNDEFINED),
      implicit(0xfffee000, 'fragment'),
    ]);
    assert.equal(elementOf(readWhole(bytes), 0x7fe00010).length, UNDEFINED);
  });
});

describe('other habits', () => {
  test('Deviation (PS3.5 §7.1): odd lengths', () => {
    const dataSet = readWhole(
      Buffer.concat([short(0x00100010, 'PN', 'Doe'), short(0x00100020, 'LO', 'ID1')]),
    );
    assert.equal(dataSet.string(0x00100010), 'Doe');
    assert.equal(dataSet.string(0x00100020), 'ID1');
  });

  test('Deviation (PS3.5 §7.1): elements out of order', () => {
    const dataSet = readWhole(Buffer.concat([short(0x00200010, 'SH', 'S1'), NAME]));
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('Deviation (PS3.5 §7.1): an element twice, the first counts', () => {
    const bytes = Buffer.concat([NAME, short(0x00200010, 'SH', 'S1'), short(0x00100010, 'PN', 'Roe ')]);
    assert.equal(readWhole(bytes).string(0x00100010), 'Doe^John');
  });

  test('Deviation (PS3.10 §7.2): zeros after the last element', () => {
    for (const zeros of [1, 7, 8, 500]) {
      assert.equal(readWhole(Buffer.concat([NAME, Buffer.alloc(zeros)])).elements.size, 1);
    }
  });

  test('zeros in the middle are no end', () => {
    const dataSet = readWhole(Buffer.concat([Buffer.alloc(8), NAME]));
    assert.equal(dataSet.string(0x00100010), 'Doe^John');
  });

  test('Deviation (PS3.5 §A.5): a zlib header around the deflate stream', () => {
    assert.equal(
      readWhole(deflateSync(NAME), { transferSyntaxUid: DEFLATED }).string(0x00100010),
      'Doe^John',
    );
  });

  test('group lengths and Data Set Trailing Padding are elements like others', () => {
    const bytes = Buffer.concat([
      short(0x00100000, 'UL', Buffer.alloc(4)),
      NAME,
      long(0xfffcfffc, 'OB', Buffer.alloc(8)),
    ]);
    assert.deepEqual([...readWhole(bytes).elements.keys()], [0x00100000, 0x00100010, 0xfffcfffc]);
  });
});
