// Bytes of the durable record: what was written is read, what was cut or damaged is told apart.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  encodeGroup,
  RECORD_HEAD_BYTES,
  type SegmentContent,
  scanSegment,
} from '../../../src/storage/journal-format.ts';

const SEGMENT_BYTES = 16 * BLOCK_BYTES;

/** A blank segment with groups one after the other, one sequence per text. */
function segmentOf(groups: readonly (readonly string[])[], applied = 0): { bytes: Buffer; ends: number[] } {
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  const ends: number[] = [];
  let offset = 0;
  let sequence = 1;
  for (const texts of groups) {
    const group = encodeGroup(
      texts.map((text) => Buffer.from(text)),
      sequence,
      applied,
    );
    group.copy(bytes, offset);
    offset += group.length;
    ends.push(offset);
    sequence += texts.length;
  }
  return { bytes, ends };
}

function textsOf(content: SegmentContent): string[] {
  return content.records.map(({ payload }) => payload.toString());
}

describe('a group', () => {
  test('fills whole blocks, so that acknowledged blocks are never written again', () => {
    for (const length of [0, 1, BLOCK_BYTES - RECORD_HEAD_BYTES, BLOCK_BYTES]) {
      assert.equal(encodeGroup([Buffer.alloc(length)], 1, 0).length % BLOCK_BYTES, 0);
    }
    assert.equal(encodeGroup([Buffer.alloc(BLOCK_BYTES - RECORD_HEAD_BYTES)], 1, 0).length, BLOCK_BYTES);
  });

  test('carries sequences beyond 32 bits', () => {
    const sequence = 2 ** 40;
    const [record] = scanSegment(encodeGroup([Buffer.from('a')], sequence, sequence - 1)).records;
    assert.deepEqual([record?.sequence, record?.applied], [sequence, sequence - 1]);
  });
});

describe('a scan', () => {
  test('finds every record in order (round trip)', () => {
    const groups = fc.array(fc.array(fc.string({ maxLength: 3000 }), { minLength: 1, maxLength: 4 }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(groups, (texts) => {
        const content = scanSegment(segmentOf(texts).bytes);
        assert.deepEqual(textsOf(content), texts.flat());
        assert.deepEqual(
          content.records.map(({ sequence }) => sequence),
          texts.flat().map((_, index) => index + 1),
        );
        assert.deepEqual([content.damaged, content.tornTail], [[], undefined]);
      }),
    );
  });

  test('of a blank or empty segment finds nothing wrong', () => {
    const nothing = { records: [], damaged: [], tornTail: undefined };
    assert.deepEqual(scanSegment(Buffer.alloc(SEGMENT_BYTES)), nothing);
    assert.deepEqual(scanSegment(Buffer.alloc(0)), nothing);
  });

  test('finds the records of two groups that fill their blocks to the last byte', () => {
    const text = 'x'.repeat(BLOCK_BYTES - RECORD_HEAD_BYTES);
    assert.deepEqual(textsOf(scanSegment(segmentOf([[text], [text]]).bytes)), [text, text]);
  });
});

describe('a write that was cut short', () => {
  const groups = [['first'], ['second', 'third'], ['z'.repeat(BLOCK_BYTES)]];

  test('at every byte leaves the records before it and is reported as a torn tail', () => {
    const { bytes, ends } = segmentOf(groups);
    const start = ends[1]!;
    const written = RECORD_HEAD_BYTES + BLOCK_BYTES;
    for (let cut = 1; cut < written; cut += 1) {
      const torn = Buffer.from(bytes);
      torn.fill(0, start + cut);
      const content = scanSegment(torn);
      assert.deepEqual(textsOf(content), ['first', 'second', 'third']);
      assert.deepEqual(content.damaged, []);
      assert.ok(content.tornTail !== undefined, `cut ${cut}`);
      const { offset, bytes: length } = content.tornTail;
      assert.ok(offset <= start && offset + length >= start + cut, `cut ${cut}`);
    }
  });

  test('between the records of a group leaves the earlier ones', () => {
    const { bytes } = segmentOf(groups);
    const secondEnds = BLOCK_BYTES + RECORD_HEAD_BYTES + 'second'.length;
    bytes.fill(0, secondEnds);
    const content = scanSegment(bytes);
    assert.deepEqual(textsOf(content), ['first', 'second']);
    assert.equal(content.tornTail, undefined);
  });

  test('in any order of its blocks is still not taken for a record', () => {
    const { bytes, ends } = segmentOf(groups);
    // The second block of the last record reached the disk, the first did not.
    bytes.fill(0, ends[1]!, ends[1]! + BLOCK_BYTES);
    const content = scanSegment(bytes);
    assert.deepEqual(textsOf(content), ['first', 'second', 'third']);
    assert.ok(content.tornTail);
  });
});

describe('damage in the middle', () => {
  const groups = [['first'], ['second', 'third'], ['fourth'], ['fifth']];

  test('of any single byte loses at most the record it hits, and is reported with its place', () => {
    const { bytes } = segmentOf(groups);
    const texts = groups.flat();
    for (let at = 0; at < 3 * BLOCK_BYTES; at += 1) {
      const damagedBytes = Buffer.from(bytes);
      damagedBytes[at]! ^= 0xff;
      const content = scanSegment(damagedBytes);
      const found = textsOf(content);
      const lost = texts.filter((text) => !found.includes(text));
      assert.ok(lost.length <= 1, `byte ${at} loses ${lost.join()}`);
      assert.ok(found.every((text) => texts.includes(text)));
      assert.equal(content.damaged.length, 1, `byte ${at} is not reported`);
      const [range] = content.damaged;
      assert.ok(range!.offset <= at && at < range!.offset + range!.bytes, `byte ${at} is not in the range`);
      assert.equal(content.tornTail, undefined);
    }
  });

  test('that blanks a whole block is noticed because records follow', () => {
    const { bytes } = segmentOf(groups);
    bytes.fill(0, BLOCK_BYTES, 2 * BLOCK_BYTES);
    const content = scanSegment(bytes);
    assert.deepEqual(textsOf(content), ['first', 'fourth', 'fifth']);
    assert.equal(content.damaged.length, 1);
  });

  test('is one range per gap', () => {
    const { bytes } = segmentOf(groups);
    bytes[10]! ^= 1;
    bytes[2 * BLOCK_BYTES + 10]! ^= 1;
    assert.equal(scanSegment(bytes).damaged.length, 2);
  });
});

describe('what is no record', () => {
  test('is not found in random bytes, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * BLOCK_BYTES }), (noise) => {
        assert.deepEqual(scanSegment(Buffer.from(noise)).records, []);
      }),
    );
  });

  test('is a record with an earlier sequence than its neighbour before it', () => {
    const later = encodeGroup([Buffer.from('new')], 7, 0);
    const earlier = encodeGroup([Buffer.from('old')], 3, 0);
    const content = scanSegment(Buffer.concat([later, earlier]));
    assert.deepEqual(textsOf(content), ['new']);
    assert.ok(content.tornTail);
  });

  test('is one whose length points out of the segment', () => {
    const group = encodeGroup([Buffer.from('a')], 1, 0);
    group.writeUInt32BE(0xffffffff, 8);
    assert.deepEqual(scanSegment(group).records, []);
  });
});
