// Bytes that mean harm or make no sense: a DicomError or a bounded read, never anything else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { type ReadResult, readDataSet } from '../../../src/dicom/data-set-reader.ts';
import { toDicomJson } from '../../../src/dicom/dicom-json.ts';
import { DicomError } from '../../../src/dicom/errors.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  IMPLICIT,
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

const ENCODINGS = [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, '1.2.840.10008.1.2.4.70', 'no such syntax'];

// Whatever is readable must also become JSON; whatever is not must say so with a DicomError.
function readOrDicomError(
  bytes: Buffer,
  transferSyntaxUid: string,
  complete: boolean,
): ReadResult | DicomError {
  try {
    const result = readDataSet(bytes, { transferSyntaxUid, complete });
    if (result.done) toDicomJson(result.dataSet);
    return result;
  } catch (error) {
    assert.ok(error instanceof DicomError, `threw ${String(error)}`);
    return error;
  }
}

const SMALL = Buffer.concat([
  short(0x00080005, 'CS', 'ISO_IR 100'),
  long(0x00081140, 'SQ', Buffer.concat([item(short(0x00081155, 'UI', '1.2\0')), openItem()])),
  long(0x00091001, 'UN', '', UNDEFINED),
  openItem(implicit(0x00091002, 'ab')),
  SEQUENCE_END,
  short(0x00100010, 'PN', 'Doe^John'),
  long(0x00420011, 'OB', Buffer.alloc(6)),
  long(0x7fe00010, 'OB', '', UNDEFINED),
  implicit(0xfffee000, ''),
  implicit(0xfffee000, 'fragment'),
  SEQUENCE_END,
  long(0xfffcfffc, 'OB', Buffer.alloc(2)),
]);

describe('random bytes only ever give DicomError', () => {
  for (const transferSyntaxUid of ENCODINGS) {
    test(transferSyntaxUid, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, complete) => {
          readOrDicomError(Buffer.from(bytes), transferSyntaxUid, complete);
        }),
        { numRuns: 2000 },
      );
    });
  }

  test('a right data set with some bytes changed', () => {
    const change = fc.tuple(fc.nat(SMALL.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, complete) => {
        const bytes = Buffer.from(SMALL);
        for (const [offset, byte] of changes) bytes[offset] = byte;
        readOrDicomError(bytes, EXPLICIT, complete);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('truncation at every byte', () => {
  const starts = new Set([0, ...elementStarts(SMALL)]);

  test('incomplete bytes always want more, and more than they are', () => {
    for (let length = 0; length <= SMALL.length; length += 1) {
      const result = readDataSet(SMALL.subarray(0, length), { transferSyntaxUid: EXPLICIT, complete: false });
      assert.ok(!result.done && result.wantedBytes > length, `cut at ${length}`);
    }
  });

  test('complete bytes are an error unless cut between top-level elements', () => {
    for (let length = 0; length < SMALL.length; length += 1) {
      const result = readOrDicomError(SMALL.subarray(0, length), EXPLICIT, true);
      // Fragments may end with the data set; (FFFC,FFFC) then begins where the delimiter would be.
      const fragmentsEnd = SMALL.indexOf('fragment') + 8;
      if (starts.has(length) || length === fragmentsEnd)
        assert.ok(!(result instanceof DicomError), `cut at ${length}`);
      else if (!isFragmentBoundary(length)) assert.ok(result instanceof DicomError, `cut at ${length}`);
    }
  });

  test('the error names the tag and the offset', () => {
    const bytes = Buffer.concat([short(0x00100010, 'PN', 'Doe^John'), short(0x00100020, 'LO', 'ID', 200)]);
    assert.throws(() => readWhole(bytes), {
      code: 'malformed',
      tag: 0x00100020,
      offset: 24,
      message: /PatientID/,
    });
  });

  test('in every other encoding: an error, or what was there', () => {
    const implicitBytes = Buffer.concat([
      implicit(0x00100010, 'Doe^John'),
      implicit(0x00081140, item(implicit(0x00081155, '1.2\0'))),
    ]);
    const bigBytes = Buffer.concat([
      shortBig(0x00100010, 'PN', 'Doe^John'),
      shortBig(0x00100020, 'LO', 'ID'),
    ]);
    for (const [uid, bytes] of [
      [IMPLICIT, implicitBytes],
      [BIG_ENDIAN, bigBytes],
      [DEFLATED, deflateRawSync(SMALL)],
    ] as const) {
      for (let length = 0; length <= bytes.length; length += 1) {
        readOrDicomError(bytes.subarray(0, length), uid, true);
        readOrDicomError(bytes.subarray(0, length), uid, false);
      }
    }
  });
});

describe('what grows is bounded', () => {
  test('10,000 sequences inside each other, undefined lengths', () => {
    const level = Buffer.concat([long(0x00081140, 'SQ', '', UNDEFINED), implicit(0xfffee000, '', UNDEFINED)]);
    const bytes = Buffer.concat(Array.from({ length: 10_000 }, () => level));
    for (const complete of [true, false]) {
      const keep = complete ? {} : { keep: new Set([0x00100010]) };
      assert.throws(() => readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete, ...keep }), {
        code: 'limit',
        message: /64 deep at \(0008,1140\)/,
      });
    }
  });

  test('10,000 sequences inside each other, defined lengths', () => {
    const levels: Buffer[] = [];
    for (let depth = 10_000; depth > 0; depth -= 1) {
      const inside = depth - 1;
      levels.push(
        tagBytes(0x00081140),
        Buffer.from('SQ\0\0'),
        u32(8 + inside * 20),
        tagBytes(0xfffee000),
        u32(inside * 20),
      );
    }
    assert.throws(() => readWhole(Buffer.concat(levels)), { code: 'limit' });
  });

  test('as many as the limit allows', () => {
    let nested: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 64; depth += 1) nested = long(0x00081140, 'SQ', item(nested));
    let dataSet = readWhole(nested);
    let depth = 0;
    for (; dataSet.items(0x00081140)[0] !== undefined; depth += 1) dataSet = dataSet.items(0x00081140)[0]!;
    assert.equal(depth, 64);
  });

  test('lengths of 4 GB', () => {
    const head = short(0x00100010, 'PN', 'Doe^John');
    for (const length of [0xfffffffe, 0x80000000, 0x7fffffff]) {
      const bytes = Buffer.concat([head, long(0x00420011, 'OB', '', length)]);
      assert.throws(() => readWhole(bytes), { code: 'malformed', tag: 0x00420011 });
      const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete: false });
      assert.ok(!result.done && result.wantedBytes >= length);
      const sequence = long(0x00081140, 'SQ', implicit(0xfffee000, '', length), UNDEFINED);
      assert.throws(() => readWhole(sequence), { code: 'malformed' });
    }
  });

  test('the number of elements', () => {
    const bytes = Buffer.concat(
      Array.from({ length: 101 }, (_, index) => short(0x00100010 + index, 'LO', '')),
    );
    assert.throws(() => readWhole(bytes, { limits: { elements: 100 } }), {
      code: 'limit',
      message: /100 elements/,
    });
    assert.equal(readWhole(bytes, { limits: { elements: 101 } }).elements.size, 101);
  });

  test('millions of empty items are counted too', () => {
    const items = Buffer.alloc(8 * 200_000, implicit(0xfffee000, ''));
    const bytes = Buffer.concat([long(0x00081140, 'SQ', '', UNDEFINED), items, SEQUENCE_END]);
    assert.throws(() => readWhole(bytes, { limits: { elements: 100_000 } }), { code: 'limit' });
  });

  test('a deflate stream that grows a thousandfold', () => {
    const bomb = deflateRawSync(long(0x00420011, 'OB', Buffer.alloc(64 << 20)));
    assert.ok(bomb.length < 100_000);
    assert.throws(() => readWhole(bomb, { transferSyntaxUid: DEFLATED }), { code: 'limit' });
  });

  test('bytes that are no deflate stream', () => {
    const noise = Buffer.alloc(100, 0xff);
    assert.throws(() => readWhole(noise, { transferSyntaxUid: DEFLATED }), { code: 'malformed' });
  });

  test('a megabyte of zeros with something behind it takes no longer than any other', () => {
    const bytes = Buffer.concat([Buffer.alloc(1 << 20), implicit(0x00100010, 'Doe^John')]);
    const started = performance.now();
    assert.equal(readWhole(bytes, { transferSyntaxUid: IMPLICIT }).string(0x00100010), 'Doe^John');
    assert.ok(performance.now() - started < 2000);
  });

  test('sequences of nonsense are stepped over a hundred times, then it is the data set that is nonsense', () => {
    const nonsense = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, index) => long(0x00091000 + index, 'SQ', 'nonsense')));
    assert.equal(readWhole(nonsense(100)).elements.size, 100);
    assert.throws(() => readWhole(nonsense(101)), { code: 'malformed' });
  });

  test('60,000 blanks in a code are trimmed in no time', () => {
    const bytes = long(0x00080015, 'UC', Buffer.concat([Buffer.alloc(60_000, ' '), Buffer.from('x ')]));
    const started = performance.now();
    for (let round = 0; round < 20; round += 1) readWhole(bytes).string(0x00080015);
    assert.ok(performance.now() - started < 1000);
  });
});

function elementStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let stopBefore = 0; ; ) {
    const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete: true, stopBefore });
    if (!result.done || result.endOffset === bytes.length) return starts;
    starts.push(result.endOffset);
    const tag = bytes.readUInt16LE(result.endOffset) * 0x10000 + bytes.readUInt16LE(result.endOffset + 2);
    stopBefore = tag + 1;
  }
}

// Fragments without their delimiter are accepted at the end of the data set: after the header, after each fragment.
function isFragmentBoundary(length: number): boolean {
  const start = SMALL.indexOf(
    Buffer.concat([tagBytes(0x7fe00010), Buffer.from('OB'), u16(0), u32(UNDEFINED)]),
  );
  return length === start + 12 || length === start + 20;
}
