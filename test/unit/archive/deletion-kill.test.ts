// kill -9 at any moment of deleting, restoring and emptying: nothing stored is lost unless it was to be destroyed, and
// every instance is either in the index with its file or in the trash with its file.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { filesIn } from '../../support/archive-state.ts';
import { openArchive } from '../../support/open-archive.ts';
import { RunningProcess } from '../../support/running-process.ts';
import { type MountedFilesystem, smallFilesystem } from '../../support/small-filesystem.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const CHILD = fileURLToPath(new URL('../../support/deletion-child.ts', import.meta.url));
const ROUNDS = 4;

let disk: MountedFilesystem;
before(async () => {
  disk = await smallFilesystem(400);
});
after(() => disk[Symbol.asyncDispose]());

test(`${ROUNDS} times killed, every instance is in the index or in the trash, with its file`, async (t) => {
  await using folder = await tempFolder('deletion-kill', disk.path);
  const stored = new Set<string>();
  const destroyed = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = new RunningProcess(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      CHILD,
      folder.path,
    ]);
    await child.waitForOutput(new RegExp(`(?:.*\\n){${3 + Math.floor(Math.random() * 12)}}`));
    await child.kill();
    assert.equal(child.stderr, '');
    for (const [, what, uids] of child.stdout.matchAll(/^(stored|destroying) (.+)\n/gm)) {
      for (const uid of uids!.split(' ')) (what === 'stored' ? stored : destroyed).add(uid);
    }
    await using again = await openArchive(folder.path);
    const { archive, catalog, storage } = again;
    assert.deepEqual(await Array.fromAsync(verifyArchive(storage, catalog)), []);
    const entries = await Array.fromAsync(archive.trash());
    assert.deepEqual(
      entries.filter(({ state }) => state !== 'trashed'),
      [],
    );
    const trashed = filesIn(folder.path, 'trash').filter((file) => file.endsWith('.dcm'));
    assert.equal(
      entries.reduce((sum, { files }) => sum + files, 0),
      trashed.length,
    );
    for (const uid of stored) {
      const isIndexed = (await catalog.locate(uid)) !== undefined;
      const inTrash = trashed.filter((file) => file.endsWith(`/${uid}.dcm`)).length;
      const places = Number(isIndexed) + inTrash;
      assert.ok(places === 1 || (places === 0 && destroyed.has(uid)), `${uid} is in ${places} places`);
    }
  }
  t.diagnostic(`${stored.size} stored, ${destroyed.size} to be destroyed`);
});
