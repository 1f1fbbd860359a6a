// The durable record (design §4): what was appended is replayed until the catalogue has it, whatever happens.
import assert from 'node:assert/strict';
import { copyFile, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Directories } from '../../../src/storage/directories.ts';
import { Journal, MAX_RECORD_BYTES } from '../../../src/storage/journal.ts';
import { BLOCK_BYTES, encodeGroup } from '../../../src/storage/journal-format.ts';
import { SEGMENT_BYTES } from '../../../src/storage/journal-segment.ts';
import { storageFault } from '../../support/storage-area.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

/** A journal that can be left as kill -9 leaves it: open again without closing. */
interface Site extends AsyncDisposable {
  readonly folder: string;
  reopen(): Promise<Journal>;
}

async function site(): Promise<Site> {
  const folder: TempFolder = await tempFolder('journal');
  const opened: Directories[] = [];
  return {
    folder: join(folder.path, 'journal'),
    reopen: async () => {
      const directories = await Directories.open(folder.path);
      opened.push(directories);
      return await Journal.open(await directories.pin('journal'));
    },
    [Symbol.asyncDispose]: async () => {
      for (const directories of opened) await directories.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function replayed(journal: Journal): Promise<string[]> {
  const records: string[] = [];
  for await (const { record } of journal.replay()) records.push(record);
  return records;
}

async function segments(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.journal')).sort();
}

async function damage(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from([0xff, 0xff, 0xff, 0xff]), 0, 4, position);
  await handle.close();
}

/** Long enough that a few hundred fill a segment. */
function longRecord(name: string): string {
  return `${name} ${'x'.repeat(100_000)}`;
}

describe('append', () => {
  test('gives rising sequences, also to those who append at once', async () => {
    await using place = await site();
    const journal = await place.reopen();
    const first = await journal.append('a');
    const together = await Promise.all(Array.from({ length: 50 }, (_, index) => journal.append(`b${index}`)));
    assert.equal(first, 1);
    assert.deepEqual(
      together,
      Array.from({ length: 50 }, (_, index) => index + 2),
    );
    await journal.close();
  });

  test('of those who come at once is one write', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await Promise.all(Array.from({ length: 20 }, (_, index) => journal.append(`record ${index}`)));
    const content = await readFile(join(place.folder, (await segments(place.folder))[0]!));
    assert.ok(content.subarray(BLOCK_BYTES).equals(Buffer.alloc(SEGMENT_BYTES - BLOCK_BYTES)));
    await journal.close();
  });

  test('refuses what is too long, and after close', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append(Buffer.alloc(MAX_RECORD_BYTES, 'x'));
    await assert.rejects(journal.append(Buffer.alloc(MAX_RECORD_BYTES + 1)), storageFault('too-large'));
    await journal.close();
    await assert.rejects(journal.append('late'), storageFault('closed'));
  });

  test('goes on over many segments', async () => {
    await using place = await site();
    const journal = await place.reopen();
    const records = Array.from({ length: 150 }, (_, index) => longRecord(String(index)));
    for (let start = 0; start < records.length; start += 10) {
      await Promise.all(records.slice(start, start + 10).map((record) => journal.append(record)));
    }
    assert.ok((await segments(place.folder)).length >= 4);
    assert.deepEqual(await replayed(await place.reopen()), records);
  });

  test('writes into blocks allocated before, so that files neither grow nor change length', async () => {
    await using place = await site();
    const journal = await place.reopen();
    for (let index = 0; index < 30; index += 1) await journal.append(longRecord('a'));
    for (const name of await segments(place.folder)) {
      assert.equal((await readFile(join(place.folder, name))).length, SEGMENT_BYTES);
    }
    await journal.close();
  });
});

describe('replay', () => {
  test('gives everything appended, in order, with its sequence', async () => {
    await using place = await site();
    const journal = await place.reopen();
    for (const record of ['a', 'ä', '', '患者']) await journal.append(record);
    const found: [number, string][] = [];
    for await (const { sequence, record } of (await place.reopen()).replay()) found.push([sequence, record]);
    assert.deepEqual(found, [
      [1, 'a'],
      [2, 'ä'],
      [3, ''],
      [4, '患者'],
    ]);
  });

  test('of a new journal gives nothing', async () => {
    await using place = await site();
    assert.deepEqual(await replayed(await place.reopen()), []);
  });

  test('gives nothing after a close with everything in the catalogue', async () => {
    await using place = await site();
    const journal = await place.reopen();
    journal.applied(await journal.append('a'));
    await journal.close();
    assert.deepEqual(await readdir(place.folder), []);
    assert.deepEqual(await replayed(await place.reopen()), []);
  });

  test('after a close gives what was not yet in the catalogue', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    await journal.close();
    assert.deepEqual(await replayed(await place.reopen()), ['a']);
  });

  test('leaves out what a later record knows to be in the catalogue', async () => {
    await using place = await site();
    const journal = await place.reopen();
    journal.applied(await journal.append('a'));
    await journal.append('b');
    assert.deepEqual(await replayed(await place.reopen()), ['b']);
  });

  test('goes on over several crashes until everything is in the catalogue', async () => {
    await using place = await site();
    await (await place.reopen()).append('a');
    await (await place.reopen()).append('b');
    const third = await place.reopen();
    assert.deepEqual(await replayed(third), ['a', 'b']);
    third.applied(await third.append('c'));
    await third.close();
    assert.deepEqual(await replayed(await place.reopen()), []);
  });

  test('continues the sequences', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    await journal.append('b');
    assert.equal(await (await place.reopen()).append('c'), 3);
  });

  test('can run while new records are appended', async () => {
    await using place = await site();
    const before = await place.reopen();
    const records = Array.from({ length: 90 }, (_, index) => longRecord(String(index)));
    for (const record of records) await before.append(record);
    const journal = await place.reopen();
    const found: string[] = [];
    for await (const { record } of journal.replay()) {
      found.push(record);
      await journal.append(longRecord('new'));
    }
    assert.deepEqual(found, records);
  });
});

describe('applied', () => {
  test('frees full segments, in any order of calls', async () => {
    await using place = await site();
    const journal = await place.reopen();
    const sequences: number[] = [];
    for (let index = 0; index < 150; index += 1) sequences.push(await journal.append(longRecord('a')));
    const before = (await segments(place.folder)).length;
    journal.applied(sequences[100]!);
    journal.applied(sequences[50]!);
    await journal.close();
    const after = await segments(place.folder);
    assert.ok(after.length > 0 && after.length < before - 1, `${before} → ${after.length}`);
    const [first] = await replayed(await place.reopen());
    assert.ok(first !== undefined);
  });

  test('does not bury records that are still to come', async () => {
    await using place = await site();
    const journal = await place.reopen();
    journal.applied(1_000_000);
    await journal.append('a');
    await journal.append('b');
    assert.deepEqual(await replayed(await place.reopen()), ['a', 'b']);
  });

  test('keeps the number of segments small while the catalogue follows', async () => {
    await using place = await site();
    const journal = await place.reopen();
    for (let index = 0; index < 250; index += 1) journal.applied(await journal.append(longRecord('a')));
    assert.ok((await segments(place.folder)).length <= 4);
    await journal.close();
  });
});

describe('a torn tail', () => {
  test('at every byte of the last write is reported once and costs nothing else', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('acknowledged');
    const tail = 'never acknowledged';
    await journal.append(tail);
    const file = join(place.folder, (await segments(place.folder))[0]!);
    const whole = await readFile(file);
    const written = encodeGroup([Buffer.from(tail)], 2, 0).indexOf(tail) + tail.length;
    await journal.close();
    for (let cut = 1; cut < written; cut += 1) {
      await rm(place.folder, { recursive: true });
      await (await place.reopen()).close();
      const torn = Buffer.from(whole);
      torn.fill(0, BLOCK_BYTES + cut);
      await writeFile(file, torn);
      const after = await place.reopen();
      assert.deepEqual(
        after.faults.map(({ kind }) => kind),
        ['torn'],
        `cut ${cut}`,
      );
      assert.deepEqual(await replayed(after), ['acknowledged'], `cut ${cut}`);
      const again = await place.reopen();
      assert.deepEqual([again.faults, await replayed(again)], [[], ['acknowledged']], `cut ${cut}`);
      await after.close();
      await again.close().catch(() => undefined);
    }
  });

  test('of a file that was cut itself is no fault where only blanks are missing', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    await truncate(join(place.folder, (await segments(place.folder))[0]!), BLOCK_BYTES);
    const after = await place.reopen();
    assert.deepEqual([after.faults, await replayed(after)], [[], ['a']]);
  });

  test('is named with file, offset and length', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    const [name] = await segments(place.folder);
    await damage(join(place.folder, name!), BLOCK_BYTES + 17);
    const { faults } = await place.reopen();
    assert.equal(faults.length, 1);
    assert.equal(faults[0]!.file, `journal/${name}`);
    assert.equal(faults[0]!.kind, 'torn');
  });
});

describe('damage in the middle', () => {
  test('is reported with its place while the rest is replayed, and the file is kept aside', async () => {
    await using place = await site();
    const journal = await place.reopen();
    for (const record of ['a', 'b', 'c']) await journal.append(record);
    const [name] = await segments(place.folder);
    await damage(join(place.folder, name!), BLOCK_BYTES + 10);
    const after = await place.reopen();
    assert.deepEqual(await replayed(after), ['a', 'c']);
    const [fault] = after.faults;
    assert.equal(after.faults.length, 1);
    assert.deepEqual([fault!.kind, fault!.file], ['corrupt', `journal/${name}`]);
    assert.ok(fault!.offset <= BLOCK_BYTES + 10 && fault!.offset + fault!.bytes > BLOCK_BYTES + 10);
    after.applied(3);
    await after.close();
    assert.deepEqual(await readdir(place.folder), [`${name}.damaged`]);
    const next = await place.reopen();
    assert.deepEqual([next.faults, await replayed(next)], [[], []]);
    await next.append('d');
    assert.deepEqual(await replayed(await place.reopen()), ['d']);
  });

  test('at the end of an earlier segment is damage, not a torn tail', async () => {
    await using place = await site();
    await (await place.reopen()).append('a');
    const [name] = await segments(place.folder);
    await (await place.reopen()).append('b');
    await damage(join(place.folder, name!), BLOCK_BYTES + 10);
    const after = await place.reopen();
    assert.deepEqual(await replayed(after), ['a', 'b']);
    assert.deepEqual(
      after.faults.map(({ kind, file }) => [kind, file]),
      [['corrupt', `journal/${name}`]],
    );
  });

  test('of a whole segment is reported and does not hide the others', async () => {
    await using place = await site();
    await (await place.reopen()).append('a');
    const [name] = await segments(place.folder);
    await (await place.reopen()).append('b');
    await writeFile(join(place.folder, name!), Buffer.alloc(SEGMENT_BYTES, 0xa5));
    const after = await place.reopen();
    assert.deepEqual(await replayed(after), ['b']);
    assert.equal(after.faults[0]!.kind, 'corrupt');
  });
});

describe('in journal/', () => {
  test('foreign files are left alone', async () => {
    await using place = await site();
    await (await place.reopen()).close();
    await writeFile(join(place.folder, 'notes.txt'), 'precious');
    const journal = await place.reopen();
    journal.applied(await journal.append('a'));
    await journal.close();
    assert.deepEqual(await readdir(place.folder), ['notes.txt']);
  });

  test('a symbolic link is not followed', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    const [name] = await segments(place.folder);
    await copyFile(join(place.folder, name!), join(place.folder, 'elsewhere'));
    await symlink('elsewhere', join(place.folder, '000000000099.journal'));
    await assert.rejects(place.reopen(), storageFault('bad-path'));
  });

  test('a blank segment left by a crash does no harm', async () => {
    await using place = await site();
    const journal = await place.reopen();
    await journal.append('a');
    await writeFile(join(place.folder, '000000000050.journal'), Buffer.alloc(SEGMENT_BYTES));
    await writeFile(join(place.folder, '000000000051.journal'), Buffer.alloc(12_345));
    const after = await place.reopen();
    assert.deepEqual([after.faults, await replayed(after)], [[], ['a']]);
    await after.append('b');
    assert.deepEqual(await replayed(await place.reopen()), ['a', 'b']);
  });
});
