// The durable record (design §4): what was appended is replayed until the catalogue has it, whatever happens.
import assert from 'node:assert/strict';
import { copyFile, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MAX_RECORD_BYTES } from '../../../src/storage/journal.ts';
import { BLOCK_BYTES, encodeGroup, newSalt } from '../../../src/storage/journal-format.ts';
import { SLOT_BYTES } from '../../../src/storage/journal-slot.ts';
import { appendFullSlots, journalSite, longContent, notesIn, slotNames } from '../../support/journal-site.ts';
import { applyUpTo, patterned, storageFault } from '../../support/storage-area.ts';

async function damage(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from([0xff, 0xff, 0xff, 0xff]), 0, 4, position);
  await handle.close();
}

/** Where `text` stands in a slot. */
async function positionOf(file: string, text: string): Promise<number> {
  const at = (await readFile(file)).lastIndexOf(text);
  assert.ok(at > 0);
  return at;
}

describe('append', () => {
  test('gives rising sequences, also to those who append at once', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const first = await journal.append('a');
    const together = await Promise.all(Array.from({ length: 50 }, (_, index) => journal.append(`b${index}`)));
    assert.equal(first.sequence, 1);
    assert.deepEqual(
      together.map(({ sequence }) => sequence),
      Array.from({ length: 50 }, (_, index) => index + 2),
    );
    await journal.close();
  });

  test('of those who come at once is one write', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await Promise.all(Array.from({ length: 20 }, (_, index) => journal.append(`record ${index}`)));
    const content = await readFile(join(site.folder, (await slotNames(site.folder))[0]!));
    assert.ok(content.subarray(2 * BLOCK_BYTES).equals(Buffer.alloc(SLOT_BYTES - 2 * BLOCK_BYTES)));
    await journal.close();
  });

  test('says where the content lies, also of those who come at once', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const contents = [0, 1, 4095, 4096, 700_000, 1 << 20].map((bytes, seed) => patterned(bytes, seed));
    const held = await Promise.all(contents.map((content, index) => journal.append(`n${index}`, content)));
    for (const [index, { slot, contentAt, bytes }] of held.entries()) {
      const file = await readFile(join(site.folder, '..', slot));
      assert.deepEqual(file.subarray(contentAt, contentAt + bytes), contents[index]);
    }
    await journal.close();
  });

  test('takes the largest of small instances with its path, refuses what is longer, and after close', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('x'.repeat(1000), Buffer.alloc(1 << 20, 'x'));
    await assert.rejects(journal.append('', Buffer.alloc(MAX_RECORD_BYTES)), storageFault('too-large'));
    await journal.close();
    await assert.rejects(journal.append('late'), storageFault('closed'));
  });

  test('goes on over many slots', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const notes = Array.from({ length: 30 }, (_, index) => String(index));
    for (let start = 0; start < notes.length; start += 10) {
      await Promise.all(
        notes.slice(start, start + 10).map((note) => journal.append(note, longContent(note))),
      );
    }
    assert.ok((await slotNames(site.folder)).length >= 4);
    const after = await site.reopen();
    assert.deepEqual([await notesIn(after), after.faults], [notes, []]);
  });

  test('writes into blocks allocated before, so that files neither grow nor change length', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    for (let index = 0; index < 20; index += 1) {
      const { slot } = await journal.append('a', longContent('a'));
      assert.equal((await readFile(join(site.folder, '..', slot))).length, SLOT_BYTES);
    }
    await journal.close();
  });
});

describe('replay', () => {
  test('gives everything appended, in order, with its sequence and content', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    for (const note of ['a', 'ä', '', '患者']) await journal.append(note, Buffer.from(`${note}${note}`));
    const found: [number, string, string, boolean][] = [];
    for await (const { note, held, isApplied } of (await site.reopen()).replay()) {
      const slot = await readFile(join(site.folder, '..', held.slot));
      const content = slot.subarray(held.contentAt, held.contentAt + held.bytes).toString();
      found.push([held.sequence, note, content, isApplied]);
    }
    assert.deepEqual(found, [
      [1, 'a', 'aa', false],
      [2, 'ä', 'ää', false],
      [3, '', '', false],
      [4, '患者', '患者患者', false],
    ]);
  });

  test('of a new journal gives nothing', async () => {
    await using site = await journalSite();
    assert.deepEqual(await notesIn(await site.reopen()), []);
  });

  test('gives nothing after a close with everything in the catalogue, and nothing is left', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await appendFullSlots(journal, 2);
    applyUpTo(journal, (await journal.append('a')).sequence);
    await journal.close();
    assert.deepEqual(await readdir(site.folder), []);
    const after = await site.reopen();
    assert.deepEqual([await notesIn(after), after.faults], [[], []]);
  });

  test('after a close gives what was not yet in the catalogue', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    await journal.close();
    assert.deepEqual(await notesIn(await site.reopen(), 'unapplied'), ['a']);
  });

  test('says what a later record knows to be in the catalogue', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    applyUpTo(journal, (await journal.append('a')).sequence);
    await journal.append('b');
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after, 'applied'), ['a']);
    assert.deepEqual(await notesIn(after, 'unapplied'), ['b']);
  });

  test('goes on over several crashes until everything is in the catalogue', async () => {
    await using site = await journalSite();
    await (await site.reopen()).append('a');
    await (await site.reopen()).append('b');
    const third = await site.reopen();
    assert.deepEqual(await notesIn(third), ['a', 'b']);
    third.replayed();
    applyUpTo(third, (await third.append('c')).sequence);
    await third.close();
    const fourth = await site.reopen();
    assert.deepEqual([await notesIn(fourth), fourth.faults], [[], []]);
  });

  test('that was never finished leaves everything for the next start', async () => {
    await using site = await journalSite();
    const before = await site.reopen();
    await before.append('a');
    const journal = await site.reopen();
    applyUpTo(journal, (await journal.append('b')).sequence);
    await journal.close();
    assert.ok((await notesIn(await site.reopen())).includes('a'));
  });

  test('continues the sequences', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    await journal.append('b');
    assert.equal((await (await site.reopen()).append('c')).sequence, 3);
  });

  test('can run while new records are appended', async () => {
    await using site = await journalSite();
    const before = await site.reopen();
    const notes = Array.from({ length: 20 }, (_, index) => String(index));
    for (const note of notes) await before.append(note, longContent(note));
    const journal = await site.reopen();
    const found: string[] = [];
    for await (const { note } of journal.replay()) {
      found.push(note);
      await journal.append('new', longContent('new'));
    }
    assert.deepEqual(found, notes);
  });
});

describe('applied', () => {
  test('gives back full slots at closing, in any order of calls, and keeps the others', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const sequences = await appendFullSlots(journal, 4);
    applyUpTo(journal, sequences[16]!);
    applyUpTo(journal, sequences[9]!);
    await journal.close();
    assert.equal((await slotNames(site.folder)).length, 2);
    const after = await site.reopen();
    assert.deepEqual(after.faults, []);
    assert.equal((await notesIn(after)).length, 14);
  });

  test('counts up to the oldest record that is not done with, whatever is done with behind it', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const held = await Promise.all(['a', 'b', 'c', 'd'].map((note) => journal.append(note)));
    journal.done([held[0]!.sequence, held[2]!.sequence, held[3]!.sequence]);
    await journal.append('e');
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after, 'applied'), ['a']);
    assert.deepEqual(await notesIn(after, 'unapplied'), ['b', 'c', 'd', 'e']);
  });

  test('does not count a record that is still being written', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    const first = await journal.append('a');
    const writing = journal.append('b', longContent('b'));
    await Promise.resolve();
    journal.done([first.sequence]);
    const last = journal.append('c');
    await Promise.all([writing, last]);
    assert.deepEqual(await notesIn(await site.reopen(), 'unapplied'), ['b', 'c']);
  });

  test('of a start that has not seen to everything yet counts nothing new', async () => {
    await using site = await journalSite();
    await (await site.reopen()).append('a');
    const journal = await site.reopen();
    journal.done([(await journal.append('b')).sequence]);
    await journal.append('c');
    assert.deepEqual(await notesIn(await site.reopen(), 'unapplied'), ['a', 'b', 'c']);
  });

  test('does not bury records that are still to come', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    applyUpTo(journal, 1_000_000);
    await journal.append('a');
    await journal.append('b');
    assert.deepEqual(await notesIn(await site.reopen(), 'unapplied'), ['a', 'b']);
  });
});

describe('a torn tail', () => {
  test('at every byte of the last write costs nothing else', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('acknowledged', Buffer.from('safe'));
    await journal.append('never', Buffer.from('acknowledged'));
    const [name] = await slotNames(site.folder);
    const whole = await readFile(join(site.folder, name!));
    const end = whole.lastIndexOf('acknowledged') + 'acknowledged'.length;
    for (let cut = 2 * BLOCK_BYTES; cut < end; cut += 1) {
      const torn = Buffer.from(whole);
      torn.fill(0, cut);
      await using left = await journalSite();
      await (await left.reopen()).close();
      await writeFile(join(left.folder, name!), torn);
      const after = await left.reopen();
      assert.deepEqual([after.faults, await notesIn(after)], [[], ['acknowledged']], `cut ${cut}`);
    }
  });

  test('of a file that was cut itself is no fault where only blanks are missing', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    await truncate(join(site.folder, (await slotNames(site.folder))[0]!), 2 * BLOCK_BYTES);
    const after = await site.reopen();
    assert.deepEqual([after.faults, await notesIn(after)], [[], ['a']]);
  });

  test('of the first write into a slot hides nothing that is in others', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await appendFullSlots(journal, 1);
    await journal.append('torn', longContent('torn'));
    const last = (await slotNames(site.folder))[1]!;
    const file = join(site.folder, last);
    await damage(file, BLOCK_BYTES + 8);
    const after = await site.reopen();
    assert.deepEqual(after.faults, []);
    assert.equal((await notesIn(after)).length, 7);
    assert.equal((await after.append('next')).sequence, 8);
    after.replayed();
    applyUpTo(after, 8);
    await after.close();
    assert.deepEqual(await readdir(site.folder), []);
  });
});

describe('damage in the middle', () => {
  test('is reported with its place while the rest is replayed, and the file is kept aside', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    for (const note of ['a', 'b', 'c']) await journal.append(note);
    const [name] = await slotNames(site.folder);
    await damage(join(site.folder, name!), 2 * BLOCK_BYTES + 10);
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after), ['a', 'c']);
    const [fault] = after.faults;
    assert.equal(after.faults.length, 1);
    const [, bytes, offset] = /(\d+) bytes at offset (\d+) are damaged/.exec(fault!)!.map(Number);
    assert.ok(fault!.startsWith(`journal/${name}: `));
    assert.ok(offset! <= 2 * BLOCK_BYTES + 10 && offset! + bytes! > 2 * BLOCK_BYTES + 10);
    after.replayed();
    await after.close();
    assert.deepEqual(await readdir(site.folder), [`${name}.damaged`]);
    const next = await site.reopen();
    assert.deepEqual([next.faults, await notesIn(next)], [[], []]);
    await next.append('d');
    assert.deepEqual(await notesIn(await site.reopen()), ['d']);
  });

  test('of the header block is reported, the file is kept aside, the others are replayed', async () => {
    await using site = await journalSite();
    await (await site.reopen()).append('a');
    const [name] = await slotNames(site.folder);
    await (await site.reopen()).append('b');
    await damage(join(site.folder, name!), 3);
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after), ['b']);
    assert.match(after.faults[0]!, new RegExp(`^journal/${name}: its first block is damaged`));
    assert.ok((await readdir(site.folder)).includes(`${name}.damaged`));
  });

  test('of a whole slot is reported and does not hide the others', async () => {
    await using site = await journalSite();
    await (await site.reopen()).append('a');
    const [name] = await slotNames(site.folder);
    await (await site.reopen()).append('b');
    await writeFile(join(site.folder, name!), Buffer.alloc(SLOT_BYTES, 0xa5));
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after), ['b']);
    assert.match(after.faults[0]!, /damaged/);
  });
});

describe('records that are missing', () => {
  test('at the end of a slot are noticed because the next one begins later', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await appendFullSlots(journal, 2);
    const [first] = await slotNames(site.folder);
    const file = join(site.folder, first!);
    const last = await positionOf(file, 'note 7');
    await damage(file, last);
    const after = await site.reopen();
    assert.equal((await notesIn(after)).length, 13);
    assert.deepEqual(after.faults, [`at the end of journal/${first}: records up to number 7 are missing`]);
  });

  test('with a slot between two others are noticed', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await appendFullSlots(journal, 3);
    const [first, second] = await slotNames(site.folder);
    await rm(join(site.folder, second!));
    const after = await site.reopen();
    assert.equal((await notesIn(after)).length, 14);
    assert.deepEqual(after.faults, [`at the end of journal/${first}: records up to number 14 are missing`]);
  });

  test('are not complained of where slots have been given back, however early the end came then', async (t) => {
    await using site = await journalSite();
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    const freeing = Promise.withResolvers<string>();
    const journal = await site.reopen(async (slot) => freeing.resolve(slot));
    const sequences = await appendFullSlots(journal, 1);
    await journal.append('in the next slot', longContent('next'));
    now += 60_000;
    applyUpTo(journal, sequences.at(-1)!);
    await site.freed(await freeing.promise);
    const after = await site.reopen();
    assert.deepEqual([after.faults, await notesIn(after)], [[], ['in the next slot']]);
  });

  test('are not complained of after a write that failed', async () => {
    // Sequences of a failed write are never used again: the chain names what was written before.
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    const [name] = await slotNames(site.folder);
    const bytes = await readFile(join(site.folder, name!));
    const salt = newSalt();
    const place = { salt, firstSequence: 40, previous: 1, applied: 0 };
    await site.writeSlot(
      '000000000009.journal',
      salt,
      encodeGroup([{ note: Buffer.from('z'), content: Buffer.alloc(0) }], place),
    );
    assert.ok(bytes.length > 0);
    const after = await site.reopen();
    assert.deepEqual([after.faults, await notesIn(after)], [[], ['a', 'z']]);
    assert.equal((await after.append('b')).sequence, 41);
  });
});

describe('in journal/', () => {
  test('foreign files are left alone', async () => {
    await using site = await journalSite();
    await (await site.reopen()).close();
    await writeFile(join(site.folder, 'notes.txt'), 'precious');
    const journal = await site.reopen();
    applyUpTo(journal, (await journal.append('a')).sequence);
    await journal.close();
    assert.deepEqual(await readdir(site.folder), ['notes.txt']);
  });

  test('a symbolic link is not followed', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    const [name] = await slotNames(site.folder);
    await copyFile(join(site.folder, name!), join(site.folder, 'elsewhere'));
    await symlink('elsewhere', join(site.folder, '000000000099.journal'));
    await assert.rejects(site.reopen(), storageFault('bad-path'));
  });

  test('a blank slot left by a crash does no harm, whole or half made', async () => {
    await using site = await journalSite();
    const journal = await site.reopen();
    await journal.append('a');
    await writeFile(join(site.folder, '000000000050.journal'), Buffer.alloc(SLOT_BYTES));
    await writeFile(join(site.folder, '000000000051.journal'), Buffer.alloc(12_345));
    await writeFile(join(site.folder, '000000000052.journal'), '');
    const after = await site.reopen();
    assert.deepEqual([after.faults, await notesIn(after)], [[], ['a']]);
    await after.append('b');
    assert.deepEqual(await notesIn(await site.reopen()), ['a', 'b']);
  });
});
