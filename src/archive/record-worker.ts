// A thread that reads what files say of themselves, for `rebuild`.

import { closeSync, fstatSync, readvSync, type Stats } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PlainFiles } from '../storage/plain-files.ts';
import { StorageError, storageErrorOf } from '../storage/storage-error.ts';
import { messageOf } from '../util/errors.ts';
import { answerTasks } from './reading-threads.ts';
import type { HeadFile } from './stored-instance.ts';
import { recordAt } from './stored-record.ts';

/** For a file at a path of the archive: its catalogue record as JSON, or why there is none. */
export type RecordAnswer = { readonly record: string } | { readonly unreadable: string };

/** The archive's real path. */
const root = workerData as string;
const files = new PlainFiles();

answerTasks<string, RecordAnswer>(parentPort!, async (paths) => {
  const answers: RecordAnswer[] = [];
  for (const path of paths) answers.push(await answer(path));
  files.leave();
  return answers;
});

async function answer(path: string): Promise<RecordAnswer> {
  try {
    const record = await recordAt({ open: openPlain }, path, () => undefined);
    if (record === undefined) return { unreadable: 'it is not a file of this archive' };
    return { record: JSON.stringify(record) };
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

async function openPlain(path: string): Promise<HeadFile> {
  let fd: number | undefined;
  try {
    fd = files.open(`${root}/${path}`);
    if (fd !== undefined) {
      const stats = fstatSync(fd);
      if (stats.isFile()) return new BlockingFile(fd, stats);
      closeSync(fd);
    }
  } catch (error) {
    throw storageErrorOf(error, path);
  }
  throw new StorageError('bad-path', `${path}: not a plain file, or reached through a symbolic link`);
}

class BlockingFile implements HeadFile {
  readonly #fd: number;
  readonly #stats: Stats;

  constructor(fd: number, stats: Stats) {
    this.#fd = fd;
    this.#stats = stats;
  }

  stat(): Stats {
    return this.#stats;
  }

  async read(buffers: readonly Buffer[], position: number): Promise<number> {
    return readvSync(this.#fd, buffers, position);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
