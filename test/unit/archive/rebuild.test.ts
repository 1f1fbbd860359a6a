// `rebuild` reads files in threads of their own: what these must not overlook, and what they cannot know.

import assert from 'node:assert/strict';
import { copyFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Difference, rebuildCatalog } from '../../../src/archive/rebuild.ts';
import { RebuildCheckpoint } from '../../../src/archive/rebuild-checkpoint.ts';
import type { CharacterSetOverrides } from '../../../src/archive/stored-record.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { type OpenedArchive, openArchive } from '../../support/open-archive.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const PATIENT_NAME = '00100010';

async function rebuild(
  { storage, catalog }: OpenedArchive,
  folder: string,
  overrides: CharacterSetOverrides = () => undefined,
) {
  const differences: Difference[] = [];
  const { gone, unreadable } = await rebuildCatalog({
    storage,
    catalog,
    overrides,
    checkpoint: new RebuildCheckpoint(join(folder, 'rebuild.json')),
    onProgress: () => {},
    onDifference: (difference) => differences.push(difference),
  });
  return { gone, unreadable, differences };
}

async function stored(opened: OpenedArchive, instances: readonly MadeInstance[]): Promise<string[]> {
  const paths: string[] = [];
  for (const instance of instances) paths.push((await opened.store(instance)).record.location.path);
  return paths;
}

test('text of callers that mislabel it is read as the configuration says', async () => {
  await using folder = await tempFolder('rebuild');
  const name = Buffer.from('57616e67cdf5', 'hex'); // GB18030, and nothing says so
  {
    await using opened = await openArchive(folder.path);
    await stored(opened, [madeInstance({ patientName: name })]);
  }
  await using opened = await openArchive(folder.path, undefined, 'rebuilt.sqlite');
  await rebuild(opened, folder.path, (aeTitle) => (aeTitle === 'DSA' ? ['GB18030'] : undefined));
  const pages = await Array.fromAsync(opened.catalog.find({ level: 'STUDY', identifier: {} }));
  const [found] = pages.flat();
  assert.deepEqual(found?.attributes[PATIENT_NAME]?.Value, [{ Alphabetic: 'Wang王' }]);
});

test('what is reached through a symbolic link is no file of the archive', async () => {
  await using folder = await tempFolder('rebuild');
  await using opened = await openArchive(folder.path);
  const [path = ''] = await stored(opened, [madeInstance()]);
  const at = join(folder.path, 'archive', path);
  await rename(at, join(folder.path, 'elsewhere.dcm'));
  await symlink(join(folder.path, 'elsewhere.dcm'), at);
  const { unreadable, differences } = await rebuild(opened, folder.path);
  assert.equal(unreadable, 1);
  assert.ok(differences.some(({ kind, path: named }) => kind === 'unreadable' && named === path));
});

test('a copy of one file does not hide that another has gone', async () => {
  await using folder = await tempFolder('rebuild');
  await using opened = await openArchive(folder.path);
  const paths = await stored(
    opened,
    Array.from({ length: 5 }, () => madeInstance()),
  );
  const at = (i: number) => join(folder.path, 'archive', paths[i]!);
  await rm(at(0));
  await copyFile(at(1), at(1).replace(/\.dcm$/, '.copy.dcm'));
  const { gone, differences } = await rebuild(opened, folder.path);
  assert.equal(gone, 1);
  assert.deepEqual(
    differences.filter(({ kind }) => kind === 'gone').map(({ path }) => path),
    [paths[0]],
  );
});
