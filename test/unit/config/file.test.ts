// config.json is replaced whole or not at all, and no backup is ever written over.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { backUpSettingsFile, readSettingsFile, writeSettingsFile } from '../../../src/config/file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'angiovault-file-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('what is written is what is read', async () => {
  const file = join(directory, 'config.json');
  await writeSettingsFile(file, { aeTitle: 'Ä名' });
  assert.deepEqual(await readSettingsFile(file), { aeTitle: 'Ä名' });
  assert.deepEqual(await readdir(directory), ['config.json']);
});

test('the file is for its owner only: it may hold a password', async () => {
  const file = join(directory, 'config.json');
  await writeSettingsFile(file, {});
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a missing file is no settings', async () => {
  assert.equal(await readSettingsFile(join(directory, 'config.json')), undefined);
});

test('when it cannot be replaced the old one stays and nothing is left behind', async () => {
  // A directory in its place: the rename is refused by the system, after the new content was written.
  const file = join(directory, 'config.json');
  await mkdir(file);
  await writeFile(join(file, 'kept'), 'x');
  await assert.rejects(writeSettingsFile(file, {}), { code: 'EISDIR' });
  assert.deepEqual(await readdir(directory), ['config.json']);
  assert.deepEqual(await readdir(file), ['kept']);
});

test('a second backup of the same version takes another name', async () => {
  const file = join(directory, 'config.json');
  await writeFile(file, 'first');
  const one = await backUpSettingsFile(file, 1);
  await writeFile(file, 'second');
  const two = await backUpSettingsFile(file, 1);
  assert.notEqual(one, two);
  assert.equal(await readFile(one, 'utf8'), 'first');
  assert.equal(await readFile(two, 'utf8'), 'second');
});
