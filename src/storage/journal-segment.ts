// Segment files of the durable record: made whole and blank in advance, so that a flush writes data only.
import { constants } from 'node:fs';
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
  truncateDescriptor,
  unlinkFile,
  writeFully,
} from './file-calls.ts';
import { StorageError, storageErrorOf } from './storage-error.ts';

export const SEGMENT_BYTES = 4 << 20;

const MAX_READ_BYTES = 64 << 20;
const MODE = 0o640;
const NAME = /^(\d{12})\.journal(\.damaged)?$/;
const BLANK = Buffer.alloc(1 << 20);

/** A segment that is being written. */
export interface OpenSegment {
  readonly name: string;
  readonly fd: number;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(12, '0')}.journal`;
}

/** Names of all segments, oldest first, and the first number that was never used. */
export async function listSegments(journal: Directory): Promise<{ names: string[]; nextNumber: number }> {
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

/** A blank segment of full length with its blocks allocated and its name flushed; nothing is left on failure. */
export async function makeSegment(journal: Directory, name: string): Promise<OpenSegment> {
  const path = journal.at(name);
  try {
    const fd = await openDescriptor(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, MODE);
    try {
      for (let done = 0; done < SEGMENT_BYTES; done += BLANK.length) await writeFully(fd, BLANK, done);
      await allEnded([flushAll(fd), journal.flush()]);
    } catch (error) {
      await Promise.allSettled([closeDescriptor(fd), unlinkFile(path)]);
      throw error;
    }
    return { name, fd };
  } catch (error) {
    throw storageErrorOf(error, `making journal/${name}`);
  }
}

/** The whole content of a segment. */
export async function readSegment(journal: Directory, name: string): Promise<Buffer> {
  return await withSegment(journal, name, constants.O_RDONLY, async (fd, bytes) => {
    if (bytes > MAX_READ_BYTES) {
      throw new StorageError(
        'unusable',
        `journal/${name} has ${bytes} bytes and is none of ours; move it away`,
      );
    }
    const content = Buffer.allocUnsafe(bytes);
    return content.subarray(0, await readFully(fd, content, 0));
  });
}

/** Takes off what a write cut short has left, so that it is not taken for damage at the next start. */
export async function cutSegment(journal: Directory, name: string, bytes: number): Promise<void> {
  await withSegment(journal, name, constants.O_WRONLY, async (fd) => {
    await truncateDescriptor(fd, bytes);
    await flushAll(fd);
  });
}

/** Ends a segment whose records are all in the catalogue; a damaged one is kept aside for whoever wants to look. */
export async function retireSegment(journal: Directory, name: string, isDamaged: boolean): Promise<void> {
  try {
    if (isDamaged) await renameFile(journal.at(name), journal.at(`${name}.damaged`));
    else await unlinkFile(journal.at(name));
  } catch (error) {
    throw storageErrorOf(error, `removing journal/${name}`);
  }
}

async function withSegment<T>(
  journal: Directory,
  name: string,
  flags: number,
  work: (fd: number, bytes: number) => Promise<T>,
): Promise<T> {
  try {
    const fd = await openDescriptor(journal.at(name), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return await work(fd, Number((await identityOfDescriptor(fd)).size));
    } finally {
      await closeDescriptor(fd);
    }
  } catch (error) {
    throw storageErrorOf(error, `journal/${name}`);
  }
}
