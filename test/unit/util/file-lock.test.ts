// Locks on files: between processes and within one, gone with the process.

import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileLock } from '../../../src/util/file-lock.ts';
import { RunningProcess } from '../../support/running-process.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const HOLDER = `
  import { FileLock } from ${JSON.stringify(new URL('../../../src/util/file-lock.ts', import.meta.url).href)};
  globalThis.lock = FileLock.take(process.argv[1], process.argv[2]);
  console.log(globalThis.lock === undefined ? 'refused' : 'held');
  setInterval(() => undefined, 1000);
`;

async function holder(path: string, kind: 'exclusive' | 'shared'): Promise<RunningProcess> {
  const process_ = new RunningProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    HOLDER,
    path,
    kind,
  ]);
  await process_.waitForOutput(/held/);
  return process_;
}

test('an exclusive lock keeps everybody else out, and kill -9 of its holder frees it', async () => {
  await using folder = await tempFolder('lock');
  const path = join(folder.path, 'lock');
  const other = await holder(path, 'exclusive');
  assert.equal(FileLock.take(path), undefined);
  assert.equal(FileLock.take(path, 'shared'), undefined);
  await other.kill();
  FileLock.take(path)!.release();
  assert.deepEqual(await readdir(folder.path), ['lock'], 'nothing appears beside it');
});

test('a shared lock keeps only the exclusive one out', async () => {
  await using folder = await tempFolder('lock');
  const path = join(folder.path, 'lock');
  const other = await holder(path, 'shared');
  const mine = FileLock.take(path, 'shared')!;
  assert.equal(FileLock.take(path), undefined);
  await other.kill();
  assert.equal(FileLock.take(path), undefined);
  mine.release();
  FileLock.take(path)!.release();
});

test('within one process the second is refused, and costs the first nothing', async () => {
  await using folder = await tempFolder('lock');
  const path = join(folder.path, 'lock');
  const mine = FileLock.take(path)!;
  assert.equal(FileLock.take(path), undefined);
  const other = new RunningProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    HOLDER,
    path,
    'shared',
  ]);
  await other.waitForOutput(/refused/);
  await other.kill();
  mine.release();
});

test('a file that was removed is made anew', async () => {
  await using folder = await tempFolder('lock');
  const path = join(folder.path, 'lock');
  FileLock.take(path)!.release();
  await rm(path);
  const mine = FileLock.take(path)!;
  assert.equal(FileLock.take(path), undefined);
  mine.release();
});

test('a folder that is not there is a system error', () => {
  assert.throws(() => FileLock.take('/nowhere/lock'), { code: 'EACCES' });
});
