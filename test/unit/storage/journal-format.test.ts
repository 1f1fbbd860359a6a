// Bytes of the durable record: what was written is read, what was cut, damaged or left by an earlier use is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  type Entry,
  encodeGroup,
  encodeSlotHeader,
  groupBytes,
  newSalt,
  RECORD_HEAD_BYTES,
  readSlotHeader,
  recordBytes,
  type SlotContent,
  scanSlot,
} from '../../../src/storage/journal-format.ts';

const SLOT_BYTES = 16 * BLOCK_BYTES;
const SALT = Buffer.from('0102030405060708', 'hex');
const BOOT_ID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const NOTHING: SlotContent = { records: [], damaged: [] };

interface SlotOptions {
  readonly salt?: Buffer;
  readonly firstSequence?: number;
  /** What is there already. */
  readonly over?: Buffer;
}

function entryOf(note: string, content: Buffer | string = ''): Entry {
  return { note: Buffer.from(note), content: Buffer.from(content) };
}

/** A slot in use, with groups one after the other. */
function slotOf(
  groups: readonly (readonly Entry[])[],
  { salt = SALT, firstSequence = 1, over = Buffer.alloc(SLOT_BYTES) }: SlotOptions = {},
): { bytes: Buffer; ends: number[] } {
  const bytes = Buffer.from(over);
  encodeSlotHeader({ salt, bootId: BOOT_ID }).copy(bytes);
  const ends: number[] = [];
  let offset = BLOCK_BYTES;
  let sequence = firstSequence;
  for (const entries of groups) {
    const place = { salt, firstSequence: sequence, previous: sequence - 1, applied: 0 };
    const group = Buffer.concat(encodeGroup(entries, place));
    group.copy(bytes, offset);
    offset += group.length;
    ends.push(offset);
    sequence += entries.length;
  }
  return { bytes, ends };
}

function notesOf(content: SlotContent): string[] {
  return content.records.map(({ note }) => note.toString());
}

function groupOf(entries: readonly Entry[], firstSequence = 1): Buffer {
  return Buffer.concat(
    encodeGroup(entries, { salt: SALT, firstSequence, previous: firstSequence - 1, applied: 0 }),
  );
}

describe('a group', () => {
  test('fills whole blocks, so that acknowledged blocks are never written again', () => {
    for (const length of [0, 1, BLOCK_BYTES - RECORD_HEAD_BYTES, BLOCK_BYTES]) {
      for (const entry of [entryOf('x'.repeat(length)), entryOf('', Buffer.alloc(length))]) {
        const group = groupOf([entry]);
        assert.equal(group.length % BLOCK_BYTES, 0);
        assert.equal(group.length, groupBytes([entry]));
      }
    }
    assert.equal(groupBytes([entryOf('', Buffer.alloc(BLOCK_BYTES - RECORD_HEAD_BYTES))]), BLOCK_BYTES);
  });

  test('has contents as they are, not copied', () => {
    const entry = entryOf('note', Buffer.alloc(3000, 7));
    const pieces = encodeGroup([entry], { salt: SALT, firstSequence: 1, previous: 0, applied: 0 });
    assert.ok(pieces.includes(entry.content));
    assert.equal(recordBytes(entry), RECORD_HEAD_BYTES + 4 + 3000);
  });

  test('carries sequences beyond 32 bits', () => {
    const sequence = 2 ** 40;
    const place = { salt: SALT, firstSequence: sequence, previous: sequence - 3, applied: sequence - 5 };
    const group = Buffer.concat([
      encodeSlotHeader({ salt: SALT, bootId: BOOT_ID }),
      ...encodeGroup([entryOf('a'), entryOf('b')], place),
    ]);
    const { records } = scanSlot(group, SALT);
    assert.deepEqual(
      records.map((record) => [record.sequence, record.previous, record.applied]),
      [
        [sequence, sequence - 3, sequence - 5],
        [sequence + 1, sequence, sequence - 5],
      ],
    );
  });
});

describe('the header block', () => {
  test('gives back salt and boot; blank is free; anything else, of any one byte, is unreadable', () => {
    const header = encodeSlotHeader({ salt: SALT, bootId: BOOT_ID });
    assert.deepEqual(readSlotHeader(header), { salt: SALT, bootId: BOOT_ID });
    assert.equal(readSlotHeader(Buffer.alloc(BLOCK_BYTES)), 'free');
    for (let at = 0; at < 5 + 8 + 36 + 4; at += 1) {
      const damaged = Buffer.from(header);
      damaged[at]! ^= 0x10;
      assert.equal(readSlotHeader(damaged), 'unreadable', `byte ${at}`);
    }
    assert.equal(readSlotHeader(header.subarray(0, 100)), 'unreadable');
  });

  test('has another salt with every use', () => {
    const salts = new Set(Array.from({ length: 100 }, () => newSalt().toString('hex')));
    assert.equal(salts.size, 100);
  });
});

describe('a scan', () => {
  test('finds every record in order with note and content (round trip)', () => {
    const entry = fc.record({
      note: fc.string({ maxLength: 300 }).map((note) => Buffer.from(note)),
      content: fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
    });
    const groups = fc.array(fc.array(entry, { minLength: 1, maxLength: 4 }), { maxLength: 3 });
    fc.assert(
      fc.property(groups, (written) => {
        const over = Buffer.alloc(40 * BLOCK_BYTES);
        const { bytes } = slotOf(written, { over });
        const content = scanSlot(bytes, SALT);
        assert.deepEqual(
          content.records.map(({ sequence, previous, note, content }) => ({
            sequence,
            previous,
            note,
            content,
          })),
          written
            .flat()
            .map(({ note, content }, index) => ({ sequence: index + 1, previous: index, note, content })),
        );
        for (const { contentAt, content: own } of content.records) {
          assert.deepEqual(bytes.subarray(contentAt, contentAt + own.length), own);
        }
        assert.deepEqual(content.damaged, []);
      }),
    );
  });

  test('of a slot without records, or cut behind its header, finds nothing wrong', () => {
    assert.deepEqual(scanSlot(slotOf([]).bytes, SALT), NOTHING);
    assert.deepEqual(scanSlot(encodeSlotHeader({ salt: SALT, bootId: BOOT_ID }), SALT), NOTHING);
    assert.deepEqual(scanSlot(Buffer.alloc(0), SALT), NOTHING);
  });

  test('finds the records of two groups that fill their blocks to the last byte', () => {
    const full = entryOf('x'.repeat(BLOCK_BYTES - RECORD_HEAD_BYTES));
    const content = scanSlot(slotOf([[full], [full]]).bytes, SALT);
    assert.deepEqual([notesOf(content).length, content.damaged], [2, []]);
  });
});

describe('a write that was cut short', () => {
  const groups = [
    [entryOf('first')],
    [entryOf('second'), entryOf('third')],
    [entryOf('fourth', Buffer.alloc(BLOCK_BYTES, 'z'))],
  ];

  test('at every byte leaves the records before it, and is nothing to complain of', () => {
    const { bytes, ends } = slotOf(groups);
    const start = ends[1]!;
    for (let cut = 0; cut < RECORD_HEAD_BYTES + 'fourth'.length + BLOCK_BYTES; cut += 1) {
      const torn = Buffer.from(bytes);
      torn.fill(0, start + cut);
      const content = scanSlot(torn, SALT);
      assert.deepEqual([notesOf(content), content.damaged], [['first', 'second', 'third'], []], `cut ${cut}`);
    }
  });

  test('between the records of a group leaves the earlier ones', () => {
    const { bytes, ends } = slotOf(groups);
    bytes.fill(0, ends[0]! + RECORD_HEAD_BYTES + 'second'.length);
    assert.deepEqual(notesOf(scanSlot(bytes, SALT)), ['first', 'second']);
  });

  test('in any order of its blocks is still not taken for a record', () => {
    const { bytes, ends } = slotOf(groups);
    // The second block of the last record reached the disk, the first did not.
    bytes.fill(0, ends[1]!, ends[1]! + BLOCK_BYTES);
    assert.deepEqual(notesOf(scanSlot(bytes, SALT)), ['first', 'second', 'third']);
  });
});

describe('damage in the middle', () => {
  const groups = [
    [entryOf('first')],
    [entryOf('second', 'its content'), entryOf('third')],
    [entryOf('fourth')],
    [entryOf('fifth')],
  ];
  const notes = groups.flat().map(({ note }) => note.toString());

  test('of any single byte loses at most the record it hits, and is reported with its place', () => {
    const { bytes } = slotOf(groups);
    for (let at = BLOCK_BYTES; at < 4 * BLOCK_BYTES; at += 1) {
      const damagedBytes = Buffer.from(bytes);
      damagedBytes[at]! ^= 0xff;
      const content = scanSlot(damagedBytes, SALT);
      const found = notesOf(content);
      const lost = notes.filter((note) => !found.includes(note));
      assert.ok(lost.length <= 1, `byte ${at} loses ${lost.join()}`);
      assert.ok(found.every((note) => notes.includes(note)));
      assert.equal(content.damaged.length, 1, `byte ${at} is not reported`);
      const [range] = content.damaged;
      assert.ok(range!.offset <= at && at < range!.offset + range!.bytes, `byte ${at} is not in the range`);
    }
  });

  test('of any single byte never changes what is taken for a content', () => {
    const { bytes } = slotOf(groups);
    for (let at = BLOCK_BYTES; at < 4 * BLOCK_BYTES; at += 1) {
      const damagedBytes = Buffer.from(bytes);
      damagedBytes[at]! ^= 0x01;
      for (const { note, content } of scanSlot(damagedBytes, SALT).records) {
        if (note.toString() === 'second') assert.equal(content.toString(), 'its content');
      }
    }
  });

  test('that blanks a whole block is noticed because records follow', () => {
    const { bytes, ends } = slotOf(groups);
    bytes.fill(0, ends[0]!, ends[1]!);
    const content = scanSlot(bytes, SALT);
    assert.deepEqual(notesOf(content), ['first', 'fourth', 'fifth']);
    assert.equal(content.damaged.length, 1);
  });

  test('is one range per gap', () => {
    const { bytes, ends } = slotOf(groups);
    bytes[BLOCK_BYTES + 10]! ^= 1;
    bytes[ends[1]! + 10]! ^= 1;
    assert.equal(scanSlot(bytes, SALT).damaged.length, 2);
  });
});

describe('what an earlier use of the slot has left', () => {
  const older = Array.from({ length: 8 }, (_, index) => [entryOf(`old ${index}`)]);
  const newSaltBytes = Buffer.from('1111111111111111', 'hex');

  test('is not taken for records, with whatever sequences, and is no damage', () => {
    const before = slotOf(older, { firstSequence: 500 }).bytes;
    const { bytes } = slotOf([[entryOf('new 1')], [entryOf('new 2')]], { salt: newSaltBytes, over: before });
    const content = scanSlot(bytes, newSaltBytes);
    assert.deepEqual([notesOf(content), content.damaged], [['new 1', 'new 2'], []]);
  });

  test('does not show behind a write that was cut short at any block', () => {
    const before = slotOf(older, { firstSequence: 500 }).bytes;
    const groups = [[entryOf('new 1')], [entryOf('new 2', Buffer.alloc(3 * BLOCK_BYTES, 1))]];
    const { bytes, ends } = slotOf(groups, { salt: newSaltBytes, over: before });
    for (let at = ends[0]!; at < ends[1]!; at += BLOCK_BYTES) {
      const torn = Buffer.from(bytes);
      before.copy(torn, at, at);
      assert.deepEqual(notesOf(scanSlot(torn, newSaltBytes)), ['new 1'], `cut at ${at}`);
    }
  });

  test('is not made new by a salt beside which only the record was changed', () => {
    // The checksum covers the salt: a stale record under the present salt has another.
    const { bytes } = slotOf([[entryOf('old')]]);
    newSaltBytes.copy(bytes, BLOCK_BYTES + 34);
    assert.deepEqual(scanSlot(bytes, newSaltBytes), NOTHING);
  });
});

describe('records hidden in an instance', () => {
  /** A well-formed record as somebody would make it who knows the format, but not the salt of this use. */
  const hidden = (salt: Buffer, sequence: number): Buffer =>
    Buffer.concat(
      encodeGroup([entryOf('hidden')], { salt, firstSequence: sequence, previous: 0, applied: 9e9 }),
    );

  test('are not found while the record around them is whole, even with the right salt', () => {
    const groups = [[entryOf('outer', hidden(SALT, 50))], [entryOf('next')]];
    const content = scanSlot(slotOf(groups).bytes, SALT);
    assert.deepEqual([notesOf(content), content.damaged], [['outer', 'next'], []]);
  });

  test('are not found either when the record around them is damaged, without the salt', () => {
    const guess = Buffer.from('ffffffffffffffff', 'hex');
    const groups = [[entryOf('outer', hidden(guess, 50))], [entryOf('next')]];
    const { bytes } = slotOf(groups);
    bytes[BLOCK_BYTES + RECORD_HEAD_BYTES]! ^= 1;
    const content = scanSlot(bytes, SALT);
    assert.deepEqual([notesOf(content), content.damaged.length], [['next'], 1]);
  });

  test('nor when the write of the record around them was cut short', () => {
    const guess = Buffer.from('ffffffffffffffff', 'hex');
    const inner = Buffer.concat([hidden(guess, 50), hidden(guess, 51), Buffer.alloc(2 * BLOCK_BYTES, 1)]);
    const { bytes } = slotOf([[entryOf('first')], [entryOf('outer', inner)]]);
    bytes.fill(0, 5 * BLOCK_BYTES);
    assert.deepEqual(notesOf(scanSlot(bytes, SALT)), ['first']);
  });
});

describe('what is no record', () => {
  test('is not found in random bytes, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * BLOCK_BYTES }), (noise) => {
        assert.deepEqual(scanSlot(Buffer.from(noise), SALT).records, []);
      }),
    );
  });

  test('is not found in bytes that begin like records everywhere', () => {
    const magic = groupOf([entryOf('a')]).subarray(0, 4);
    for (const step of [4, 42, 50, 64]) {
      const bytes = slotOf([]).bytes;
      for (let at = BLOCK_BYTES; at + 4 <= bytes.length; at += step) magic.copy(bytes, at);
      assert.deepEqual(scanSlot(bytes, SALT).records, []);
    }
  });

  test('is a record with an earlier or the same sequence as its neighbour before it', () => {
    const slot = Buffer.concat([
      encodeSlotHeader({ salt: SALT, bootId: BOOT_ID }),
      groupOf([entryOf('new')], 7),
      groupOf([entryOf('old')], 3),
      groupOf([entryOf('same')], 7),
    ]);
    assert.deepEqual(notesOf(scanSlot(slot, SALT)), ['new']);
  });

  for (const [what, at] of [
    ['note', 8],
    ['content', 12],
  ] as const) {
    test(`is one whose ${what} length points out of the slot or into the next record`, () => {
      for (const length of [0xffffffff, 0x7fffffff, SLOT_BYTES, BLOCK_BYTES, 2]) {
        const { bytes } = slotOf([[entryOf('a')], [entryOf('b')]]);
        bytes.writeUInt32BE(length, BLOCK_BYTES + at);
        const content = scanSlot(bytes, SALT);
        assert.deepEqual([notesOf(content), content.damaged.length], [['b'], 1], `length ${length}`);
      }
    });
  }

  test('is one that ends with the slot one byte too early, at every byte of its head', () => {
    const { bytes } = slotOf([[entryOf('a', 'content')]]);
    const end = BLOCK_BYTES + RECORD_HEAD_BYTES + 'acontent'.length;
    for (let cut = BLOCK_BYTES; cut < end; cut += 1) {
      assert.deepEqual(scanSlot(bytes.subarray(0, cut), SALT).records, [], `cut ${cut}`);
    }
    assert.equal(scanSlot(bytes.subarray(0, end), SALT).records.length, 1);
  });

  test('is one whose checksum is of other bytes: it covers lengths, sequences, salt, note and content', () => {
    const { bytes } = slotOf([[entryOf('note', 'content')]]);
    const end = BLOCK_BYTES + RECORD_HEAD_BYTES + 'notecontent'.length;
    assert.equal(bytes.readUInt32BE(BLOCK_BYTES + 4), crc32(bytes.subarray(BLOCK_BYTES + 8, end)));
  });
});
