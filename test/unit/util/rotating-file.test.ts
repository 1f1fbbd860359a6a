// A log file that turns over when it is full, and outlives a disk that refuses to write.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { codeOf } from '../../../src/util/errors.ts';
import { RotatingFile } from '../../../src/util/rotating-file.ts';

let directory: string;
let errors: unknown[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'angiovault-log-'));
  errors = [];
});
afterEach(() => rm(directory, { recursive: true }));

function rotating(path = join(directory, 'a.log'), maxBytes = 100, maxFiles = 3): RotatingFile {
  return new RotatingFile({ path, maxBytes, maxFiles, onError: (error) => errors.push(error) });
}

test('lines are appended in order, to what is there', async () => {
  await writeFile(join(directory, 'a.log'), 'before\n');
  const file = rotating();
  for (const line of ['one', 'two', 'three']) file.write(line);
  await file.close();
  assert.equal(await readFile(join(directory, 'a.log'), 'utf8'), 'before\none\ntwo\nthree\n');
});

test('the directory is made, the file is for its owner only', async () => {
  const path = join(directory, 'deep', 'logs', 'a.log');
  const file = rotating(path);
  file.write('x');
  await file.close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a full file is put aside; the oldest of them goes', async () => {
  for (const line of ['1', '2', '3', '4', '5']) {
    const file = rotating();
    file.write(line.repeat(60));
    await file.close();
  }
  assert.deepEqual((await readdir(directory)).sort(), ['a.1.log', 'a.2.log', 'a.log']);
  assert.match(await readFile(join(directory, 'a.log'), 'utf8'), /^5+\n$/);
  assert.match(await readFile(join(directory, 'a.1.log'), 'utf8'), /^4+\n$/);
  assert.match(await readFile(join(directory, 'a.2.log'), 'utf8'), /^3+\n$/);
});

test('a batch larger than a file is written whole', async () => {
  const file = rotating();
  for (let n = 0; n < 50; n += 1) file.write(`line ${n}`);
  await file.close();
  // The first line was on its way before the others came.
  assert.equal(await readFile(join(directory, 'a.1.log'), 'utf8'), 'line 0\n');
  assert.match(await readFile(join(directory, 'a.log'), 'utf8'), /^line 1\n(line \d+\n){47}line 49\n$/);
});

test('a disk without space costs the lines, is told once, and holds nothing back', async () => {
  // The kernel's own full disk.
  await symlink('/dev/full', join(directory, 'a.log'));
  const file = rotating();
  file.write('lost 1');
  await file.close();
  file.write('lost 2');
  await file.close();
  assert.deepEqual(errors.map(codeOf), ['ENOSPC']);

  await rm(join(directory, 'a.log'));
  file.write('space again');
  await file.close();
  assert.equal(
    await readFile(join(directory, 'a.log'), 'utf8'),
    '\n(2 lines could not be written here)\nspace again\n',
  );
});

test('the next outage is told again', async () => {
  const path = join(directory, 'logs', 'a.log');
  await writeFile(join(directory, 'logs'), 'a file where the directory should be');
  const file = rotating(path);
  file.write('lost');
  await file.close();
  await rm(join(directory, 'logs'));
  file.write('written');
  await file.close();
  await rm(join(directory, 'logs'), { recursive: true });
  await writeFile(join(directory, 'logs'), '');
  file.write('lost');
  await file.close();
  assert.equal(errors.length, 2);
});

test('what cannot be taken off fast enough is dropped and counted, not held', async () => {
  const file = rotating(join(directory, 'a.log'), 1 << 24);
  const line = 'x'.repeat(1 << 18);
  for (let n = 0; n < 8; n += 1) file.write(line);
  await file.close();
  file.write('later');
  await file.close();
  const text = await readFile(join(directory, 'a.log'), 'utf8');
  const kept = text.split('\n').filter((row) => row === line).length;
  const counted = Number(/\((\d+) lines could not be written here\)/.exec(text)?.[1]);
  assert.ok(kept < 8);
  assert.equal(kept + counted, 8);
});

test('a file that cannot be put aside loses lines, not the program', async () => {
  // A directory that is not empty stands where the older file should go.
  await mkdir(join(directory, 'a.1.log', 'x'), { recursive: true });
  await writeFile(join(directory, 'a.log'), 'x'.repeat(200));
  await chmod(join(directory, 'a.1.log'), 0o700);
  await mkdir(join(directory, 'a.2.log', 'x'), { recursive: true });
  const file = rotating();
  file.write('lost');
  await file.close();
  assert.equal(errors.length, 1);
});
