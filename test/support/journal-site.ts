// Durable records on a disk for tests: opened again and again as if the program had been killed.
import assert from 'node:assert/strict';
import { copyFile, mkdir, open, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Directories } from '../../src/storage/directories.ts';
import { type BeforeFree, Journal } from '../../src/storage/journal.ts';
import {
  BLOCK_BYTES,
  encodeSlotHeader,
  readSlotHeader,
  type Salt,
} from '../../src/storage/journal-format.ts';
import { SLOT_BYTES } from '../../src/storage/journal-slot.ts';
import { codeOf } from '../../src/util/errors.ts';
import { tempFolder } from './temp-folder.ts';

/** Seven of these fill a slot. */
const LONG_BYTES = 1_100_000;
const LONG_PER_SLOT = 7;
const PATIENCE_MS = 30_000;

/** A journal that can be left as kill -9 leaves it. */
export interface JournalSite extends AsyncDisposable {
  /** Of the journal that was opened last. */
  readonly folder: string;
  /** Opens what the journal before this one would have left if it had been killed now. */
  reopen(beforeFree?: BeforeFree): Promise<Journal>;
  /** What is left is from before a restart of the machine. */
  restartMachine(): Promise<void>;
  /** Resolves when the slot is free on the disk. */
  freed(slot: string): Promise<void>;
  /** A slot as an earlier run would have left it. */
  writeSlot(name: string, salt: Salt, group: readonly Buffer[]): Promise<void>;
}

/** `parent` decides the disk. */
export async function journalSite(parent?: string): Promise<JournalSite> {
  const temporary = await tempFolder('journal', parent);
  const directories: Directories[] = [];
  const journals: Journal[] = [];
  const areaOf = (run: number) => join(temporary.path, String(run));
  const site = {
    get folder() {
      return join(areaOf(directories.length), 'journal');
    },
    reopen: async (beforeFree: BeforeFree = async () => {}) => {
      const area = areaOf(directories.length + 1);
      await mkdir(join(area, 'journal'), { recursive: true });
      if (directories.length > 0) await copyFiles(site.folder, join(area, 'journal'));
      const opened = await Directories.open(area);
      directories.push(opened);
      const journal = await Journal.open(await opened.pin('journal'), beforeFree);
      journals.push(journal);
      return journal;
    },
    restartMachine: async () => {
      for (const name of await slotNames(site.folder)) {
        await using slot = await open(join(site.folder, name), 'r+');
        const { buffer } = await slot.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, 0);
        const header = readSlotHeader(buffer);
        if (typeof header === 'string') continue;
        await slot.write(encodeSlotHeader({ ...header, bootId: 'another-boot'.padEnd(36) }), 0);
      }
    },
    freed: async (slot: string) => {
      const deadline = Date.now() + PATIENCE_MS;
      while (
        readSlotHeader((await readFile(join(site.folder, basename(slot)))).subarray(0, BLOCK_BYTES)) !==
        'free'
      ) {
        assert.ok(Date.now() < deadline, `${slot} is not free after ${PATIENCE_MS / 1000} s`);
        await setImmediate();
      }
    },
    writeSlot: async (name: string, salt: Salt, group: readonly Buffer[]) => {
      const bytes = Buffer.alloc(SLOT_BYTES);
      Buffer.concat([encodeSlotHeader({ salt, bootId: '-'.repeat(36) }), ...group]).copy(bytes);
      await writeFile(join(site.folder, name), bytes);
    },
    [Symbol.asyncDispose]: async () => {
      // They would go on making slots; those that are closed already say so.
      for (const journal of journals) {
        await journal.append('last').then(
          () => Promise.allSettled([journal.close()]),
          () => undefined,
        );
      }
      for (const opened of directories) await opened.close();
      await temporary[Symbol.asyncDispose]();
    },
  };
  return site;
}

/** As they are at this moment, links as links. What is made or removed meanwhile may be there or not. */
async function copyFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const target = join(to, entry.name);
    if (entry.isSymbolicLink()) await symlink(await readlink(join(from, entry.name)), target);
    else await copyFile(join(from, entry.name), target).catch(unlessGone);
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** Notes of what a journal replays. */
export async function notesIn(
  journal: Journal,
  which: 'all' | 'applied' | 'unapplied' = 'all',
): Promise<string[]> {
  const notes: string[] = [];
  for await (const { note, isApplied } of journal.replay()) {
    if (which === 'all' || isApplied === (which === 'applied')) notes.push(note);
  }
  return notes;
}

export async function slotNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.journal')).sort();
}

export function longContent(text: string): Buffer {
  return Buffer.alloc(LONG_BYTES, `${text} `);
}

/** Fills so many slots, one record after the other (`note 1`, `note 2` …, each in its content as well); answers the
 *  sequences, seven for each slot. */
export async function appendFullSlots(journal: Journal, slots: number): Promise<number[]> {
  const sequences: number[] = [];
  const names = new Set<string>();
  for (let index = 1; index <= slots * LONG_PER_SLOT; index += 1) {
    const { sequence, slot } = await journal.append(`note ${index}`, longContent(`note ${index}`));
    sequences.push(sequence);
    names.add(slot);
  }
  assert.equal(names.size, slots);
  return sequences;
}
