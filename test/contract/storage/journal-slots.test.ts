// Slots of the durable record: given back when everything in them is in the catalogue and on the disk, then used again.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readSlotHeader } from '../../../src/storage/journal-format.ts';
import { appendFullSlots, journalSite, longContent, notesIn, slotNames } from '../../support/journal-site.ts';
import { smallFilesystem } from '../../support/small-filesystem.ts';
import { applyUpTo, storageFault } from '../../support/storage-area.ts';

const KEEP_MS = 35_000;

/** Time stands still until a test lets it pass. */
function heldClock(t: TestContext): { pass(ms: number): void } {
  const begun = performance.now();
  let passed = 0;
  t.mock.method(performance, 'now', () => begun + passed);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return {
    pass: (ms) => {
      passed += ms;
      t.mock.timers.tick(ms);
    },
  };
}

/** Lets everything happen that needs no time. */
async function calm(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function headers(folder: string): Promise<string[]> {
  const names = await slotNames(folder);
  return await Promise.all(
    names.map(async (name) => {
      const header = readSlotHeader(await readFile(join(folder, name)));
      return typeof header === 'string' ? header : header.salt.toString('hex');
    }),
  );
}

describe('a full slot', () => {
  test('is given back 35 s after it was full and not before, when the catalogue has what is in it', async (t) => {
    await using site = await journalSite();
    const clock = heldClock(t);
    const freed: string[] = [];
    const journal = await site.reopen(async (slot) => {
      freed.push(basename(slot));
    });
    const sequences = await appendFullSlots(journal, 1);
    clock.pass(1000);
    const { sequence } = await journal.append('next', longContent('next'));
    applyUpTo(journal, sequences.at(-1)!);
    clock.pass(KEEP_MS - 1);
    await calm();
    assert.deepEqual(freed, []);
    clock.pass(1);
    const [first] = await slotNames(site.folder);
    await site.freed(first!);
    assert.deepEqual(freed, [first]);
    assert.deepEqual(await notesIn(await site.reopen()), ['next']);
    applyUpTo(journal, sequence);
    await journal.close();
  });

  test('stays however old it is while the catalogue does not have its last record', async (t) => {
    await using site = await journalSite();
    const clock = heldClock(t);
    const freed: string[] = [];
    const journal = await site.reopen(async (slot) => {
      freed.push(basename(slot));
    });
    const sequences = await appendFullSlots(journal, 1);
    await journal.append('next', longContent('next'));
    applyUpTo(journal, sequences.at(-2)!);
    clock.pass(10 * KEEP_MS);
    await calm();
    assert.deepEqual(freed, []);
    applyUpTo(journal, sequences.at(-1)!);
    await site.freed((await slotNames(site.folder))[0]!);
    await journal.close();
  });

  test('is given back at once when there are more than 32', async (t) => {
    await using disk = await smallFilesystem(400);
    await using site = await journalSite(disk.path);
    heldClock(t);
    const freed: string[] = [];
    const journal = await site.reopen(async (slot) => {
      freed.push(basename(slot));
    });
    for (const sequence of await appendFullSlots(journal, 33)) applyUpTo(journal, sequence);
    await calm();
    assert.deepEqual(freed, []);
    const { sequence } = await journal.append('next', longContent('next'));
    const [first] = await slotNames(site.folder);
    await site.freed(first!);
    assert.deepEqual(freed, [first]);
    applyUpTo(journal, sequence);
    await journal.close();
    assert.deepEqual(await readdir(site.folder), []);
    assert.equal(new Set(freed).size, 34, 'each one once');
  });

  test('is used again, under another salt, and what it held before is not replayed', async (t) => {
    await using site = await journalSite();
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    const journal = await site.reopen();
    const salts = new Set<string>();
    const slots = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const { sequence, slot } = await journal.append(`round ${round}`, longContent(`round ${round}`));
      slots.add(slot);
      for (let fill = 0; fill < 6; fill += 1) await journal.append('filler', longContent('filler'));
      for (const header of await headers(site.folder)) if (header !== 'free') salts.add(header);
      applyUpTo(journal, sequence + 6);
      now += 60_000;
    }
    assert.ok(slots.size <= 4, `${slots.size} files for twelve uses`);
    assert.ok(salts.size >= 12, `${salts.size} salts for twelve uses`);
    const after = await site.reopen();
    assert.deepEqual(after.faults, []);
    const notes = new Set(await notesIn(after));
    assert.ok(notes.has('round 11'));
    assert.ok(!notes.has('round 0') && notes.size <= 4, [...notes].join());
  });

  test('used again for fewer records than before gives only the new ones, also after kill -9', async (t) => {
    await using site = await journalSite();
    const clock = heldClock(t);
    const journal = await site.reopen();
    const first = await appendFullSlots(journal, 1);
    const second = await journal.append('second use', longContent('second'));
    applyUpTo(journal, second.sequence);
    clock.pass(KEEP_MS);
    const [name] = await slotNames(site.folder);
    await site.freed(name!);
    let last = second;
    while (basename(last.slot) !== name) {
      assert.ok(last.sequence < 50, 'it is never used again');
      last = await journal.append(`later ${last.sequence}`, longContent('later'));
    }
    const after = await site.reopen();
    const inSlot: string[] = [];
    for await (const { note, held } of after.replay()) if (basename(held.slot) === name) inSlot.push(note);
    assert.deepEqual(inSlot, [`later ${last.sequence - 1}`]);
    assert.ok(last.sequence > first.length);
    assert.deepEqual(after.faults, []);
  });
});

describe('before a slot is given back', () => {
  test('what was placed from it is put on the disk: nothing is written until that is done', async () => {
    await using site = await journalSite();
    const flushing = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<string>();
    const journal = await site.reopen((slot) => {
      begun.resolve(basename(slot));
      return flushing.promise;
    });
    const { sequence } = await journal.append('a');
    applyUpTo(journal, sequence);
    const closing = journal.close();
    const slot = await begun.promise;
    await calm();
    const { folder } = site;
    assert.deepEqual(await notesIn(await site.reopen()), ['a']);
    flushing.resolve();
    await closing;
    assert.deepEqual([slot, await readdir(folder)], ['000000000001.journal', []]);
  });

  test('and when that fails, it keeps its records, and the next start of the machine has them', async () => {
    await using site = await journalSite();
    const journal = await site.reopen(() => Promise.reject(new Error('the disk has failed')));
    applyUpTo(journal, (await journal.append('a')).sequence);
    await assert.rejects(journal.close(), /the disk has failed/);
    // The operating system would say that all is well, and show what it has in memory.
    await assert.rejects(site.reopen(), storageFault('unusable'));
    await assert.rejects(site.reopen(), /000000000001\.journal: .* restart the machine/);
    await site.restartMachine();
    const after = await site.reopen();
    assert.deepEqual([after.faults, await notesIn(after)], [[], ['a']]);
    for await (const { isOfThisBoot } of after.replay()) assert.equal(isOfThisBoot, false);
    after.replayed();
    await after.close();
    assert.deepEqual(await notesIn(await site.reopen()), []);
  });

  test('a failure is no end: its turn comes again', async (t) => {
    await using site = await journalSite();
    const clock = heldClock(t);
    let attempts = 0;
    const journal = await site.reopen(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
    });
    const sequences = await appendFullSlots(journal, 1);
    const { sequence } = await journal.append('next', longContent('next'));
    clock.pass(KEEP_MS);
    applyUpTo(journal, sequences.at(-1)!);
    await calm();
    assert.equal(attempts, 1);
    const [first] = await slotNames(site.folder);
    applyUpTo(journal, sequence);
    await site.freed(first!);
    assert.equal(attempts, 2);
    await journal.close();
  });

  test('the oldest goes first, and none behind it while it cannot', async () => {
    await using site = await journalSite();
    const asked: string[] = [];
    const journal = await site.reopen(async (slot) => {
      asked.push(basename(slot));
      if (asked.length === 2) throw new Error('no');
    });
    const sequences = await appendFullSlots(journal, 3);
    const names = await slotNames(site.folder);
    applyUpTo(journal, sequences.at(-1)!);
    await assert.rejects(journal.close(), /no/);
    assert.deepEqual(asked, names.slice(0, 2));
    await site.restartMachine();
    assert.equal((await notesIn(await site.reopen())).length, 14);
  });
});

describe('slots from before', () => {
  test('are kept until their records have been seen to, even when all is in the catalogue', async () => {
    await using site = await journalSite();
    const before = await site.reopen();
    applyUpTo(before, (await before.append('a')).sequence);
    applyUpTo(before, (await before.append('b')).sequence);
    const journal = await site.reopen();
    applyUpTo(journal, 2);
    await journal.close();
    const after = await site.reopen();
    assert.deepEqual(await notesIn(after), ['a', 'b']);
    after.replayed();
    await after.close();
    assert.deepEqual(await readdir(site.folder), []);
  });
});

describe('closing', () => {
  test('waits no longer than 3 s for slots to be given back; the next start goes through the rest', async (t) => {
    await using site = await journalSite();
    let passed = 0;
    const begun = performance.now();
    t.mock.method(performance, 'now', () => begun + passed);
    let flushed = 0;
    const journal = await site.reopen(async () => {
      flushed += 1;
      passed += 1600;
    });
    const sequences = await appendFullSlots(journal, 4);
    applyUpTo(journal, sequences.at(-1)!);
    await journal.close();
    assert.equal(flushed, 2);
    const after = await site.reopen();
    assert.deepEqual(after.faults, []);
    assert.equal((await notesIn(after)).length, 14);
    after.replayed();
    await after.close();
    assert.deepEqual(await readdir(site.folder), []);
  });
});
