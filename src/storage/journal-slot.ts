// Slot files of the durable record: made whole in advance and used again, so that a write never changes their length
// and reaches the disk with one flush.
import { constants, readFileSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Directory } from './directory.ts';
import {
  allEnded,
  closeDescriptor,
  flushAll,
  identityOfDescriptor,
  openDescriptor,
  readFully,
  renameFile,
  unlinkFile,
  writeFully,
} from './file-calls.ts';
import { BLOCK_BYTES, encodeSlotHeader, newSalt, readSlotHeader, type Salt } from './journal-format.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

export const SLOT_BYTES = 8 << 20;

const MAX_READ_BYTES = 64 << 20;
const MODE = 0o640;
const NAME = /^(\d{12})\.journal(\.damaged)?$/;
const BLANK = Buffer.alloc(1 << 20);
/** O_DSYNC: a write returns when its bytes are on the disk, one call instead of two. */
const WRITE_FLAGS = constants.O_RDWR | constants.O_DSYNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Another one means that the power, or the machine, went in between, and with it what was not flushed. */
export const BOOT_ID = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

/** Of a slot of this boot of which a file could not be flushed. The operating system tells that once: asked again, it
 *  would call the file safe, and reading it would show what is in memory alone. */
export const UNFLUSHED_BOOT_ID = BOOT_ID.toUpperCase();

/** A slot that is open for writing. */
export interface Slot {
  readonly name: string;
  readonly fd: number;
}

/** A slot in use: what is written carries the salt of this use. */
export interface UsedSlot extends Slot {
  readonly salt: Salt;
  readonly header: Buffer;
}

export function slotName(number: number): string {
  return `${String(number).padStart(12, '0')}.journal`;
}

/** Names of all slots and the first number that was never used. */
export async function listSlots(journal: Directory): Promise<{ names: string[]; nextNumber: number }> {
  const names: string[] = [];
  let nextNumber = 1;
  for await (const { name } of await opendir(journal.at('.'))) {
    const match = NAME.exec(name);
    if (match === null) continue;
    nextNumber = Math.max(nextNumber, Number(match[1]) + 1);
    if (match[2] === undefined) names.push(name);
  }
  return { names: names.sort(), nextNumber };
}

/** A blank slot of full length with its blocks allocated and its name flushed; nothing is left on failure. */
export async function makeSlot(journal: Directory, name: string): Promise<Slot> {
  const path = journal.at(name);
  try {
    await fillBlank(journal, path);
    return await openSlot(journal, name);
  } catch (error) {
    await Promise.allSettled([unlinkFile(path)]);
    throw storageErrorOf(error, `making journal/${name}`);
  }
}

/** Opens a slot that is there already. */
export async function openSlot(journal: Directory, name: string): Promise<Slot> {
  try {
    return { name, fd: await openDescriptor(journal.at(name), WRITE_FLAGS) };
  } catch (error) {
    throw storageErrorOf(error, `journal/${name}`);
  }
}

/** Begins a use of the slot; its header is to be written in front of the first group. */
export function beginUse({ name, fd }: Slot): UsedSlot {
  const salt = newSalt();
  return { name, fd, salt, header: encodeSlotHeader({ salt, bootId: BOOT_ID }) };
}

/** Tells whoever opens the slot before the machine is started again that files placed from it may not be on the disk. */
export async function markUnflushed({ name, fd }: Slot): Promise<void> {
  try {
    const header = await headerOf(fd);
    // What of it could be torn lies in one sector.
    if (typeof header !== 'string') {
      await writeFully(fd, encodeSlotHeader({ salt: header.salt, bootId: UNFLUSHED_BOOT_ID }), 0);
    }
  } catch (error) {
    throw storageErrorOf(error, `marking journal/${name}`);
  }
}

/** Ends the use: nothing in the slot will be replayed any more, also after power loss. */
export async function freeSlot({ name, fd }: Slot): Promise<void> {
  try {
    await writeFully(fd, BLANK.subarray(0, BLOCK_BYTES), 0);
  } catch (error) {
    throw storageErrorOf(error, `freeing journal/${name}`);
  }
}

/** What the first block of a slot says, and how long the file is. */
export async function lookInto(slot: Slot): Promise<{ header: HeaderRead; bytes: number }> {
  try {
    return { header: await headerOf(slot.fd), bytes: await lengthOf(slot) };
  } catch (error) {
    throw storageErrorOf(error, `journal/${slot.name}`);
  }
}

/** The whole content of a slot. */
export async function readSlot(slot: Slot): Promise<Buffer> {
  try {
    const content = Buffer.allocUnsafe(await lengthOf(slot));
    return content.subarray(0, await readFully(slot.fd, content, 0));
  } catch (error) {
    throw storageErrorOf(error, `journal/${slot.name}`);
  }
}

type HeaderRead = ReturnType<typeof readSlotHeader>;

async function headerOf(fd: number): Promise<HeaderRead> {
  const block = Buffer.alloc(BLOCK_BYTES);
  return readSlotHeader(block.subarray(0, await readFully(fd, block, 0)));
}

async function lengthOf({ name, fd }: Slot): Promise<number> {
  const bytes = Number((await identityOfDescriptor(fd)).size);
  if (bytes <= MAX_READ_BYTES) return bytes;
  throw new StorageError('unusable', `journal/${name} has ${bytes} bytes and is none of ours; move it away`);
}

/** Closes a slot and takes its name away; a damaged one is kept aside for whoever wants to look. */
export async function removeSlot(journal: Directory, { name, fd }: Slot, isDamaged: boolean): Promise<void> {
  try {
    if (isDamaged) await renameFile(journal.at(name), journal.at(`${name}.damaged`));
    else await unlinkFile(journal.at(name));
    await closeDescriptor(fd);
  } catch (error) {
    throw storageErrorOf(error, `removing journal/${name}`);
  }
}

async function fillBlank(journal: Directory, path: string): Promise<void> {
  const fd = await openDescriptor(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, MODE);
  try {
    for (let done = 0; done < SLOT_BYTES; done += BLANK.length) await writeFully(fd, BLANK, done);
    await allEnded([flushAll(fd), journal.flush()]);
  } finally {
    await closeDescriptor(fd);
  }
}
