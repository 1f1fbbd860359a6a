// kill -9 at any moment (design §4): what was acknowledged is whole and replayed, what was not leaves nothing half.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { RunningProcess } from '../../support/running-process.ts';
import { assertWhole, filesIn, HEAD_BYTES, sha256Of } from '../../support/storage-area.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const CHILD = fileURLToPath(new URL('../../support/storage-child.ts', import.meta.url));
const ROUNDS = 8;

interface Acknowledged {
  readonly path: string;
  readonly sha256: string;
}

/** Runs the child until some acknowledgements have come, kills it, and answers all that came. */
async function runAndKill(root: string, round: number): Promise<Acknowledged[]> {
  const child = new RunningProcess(process.execPath, [CHILD, root, String(round)]);
  const wanted = 1 + Math.floor(Math.random() * 80);
  await child.waitForOutput(new RegExp(`(?:ack .*\\n){${wanted}}`));
  await child.kill();
  assert.equal(child.stderr, '');
  return [...child.stdout.matchAll(/^ack (\S+) (\S+)\n/gm)].map(([, path, sha256]) => ({
    path: path!,
    sha256: sha256!,
  }));
}

async function dataSetHash(file: string): Promise<string> {
  return sha256Of((await readFile(file)).subarray(HEAD_BYTES));
}

describe('after kill -9 in the middle of storing and replacing', () => {
  test(`${ROUNDS} times, everything acknowledged is there, and nothing half`, async () => {
    await using folder = await tempFolder('kill');
    const root = join(folder.path, 'archive');
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      acknowledged.push(...(await runAndKill(root, round)));

      const area = await StorageArea.open(root, { reserveBytes: 0 });
      assert.deepEqual(await filesIn(join(root, 'incoming')), [], 'incoming/ is swept');
      const replayed = new Set<string>();
      for await (const { record } of area.journal.replay()) replayed.add(record.split('\n')[0]!);
      assert.deepEqual(
        area.journal.faults.filter(({ kind }) => kind === 'corrupt'),
        [],
      );

      const stored = await filesIn(join(root, 'studies'));
      const superseded = await filesIn(join(root, 'superseded'));
      const hashes = new Set<string>();
      for (const file of [
        ...stored.map((path) => `studies/${path}`),
        ...superseded.map((path) => `superseded/${path}`),
      ]) {
        await assertWhole(join(root, file));
        hashes.add(await dataSetHash(join(root, file)));
      }
      for (const { path, sha256 } of acknowledged) {
        assert.ok(replayed.has(path), `${path} was acknowledged and is not replayed`);
        assert.ok(hashes.has(sha256), `the content acknowledged at ${path} is gone`);
      }
      for (const path of stored)
        assert.ok(replayed.has(`studies/${path}`), `studies/${path} is known to nobody`);
      await area.close();
    }
  });
});
