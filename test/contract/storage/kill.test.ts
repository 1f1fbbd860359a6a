// kill -9 at any moment (design §4): what was acknowledged is whole and replayed, what was not leaves nothing half.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ReplayedRecord } from '../../../src/storage/journal.ts';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { RunningProcess } from '../../support/running-process.ts';
import { assertWhole, filesIn, HEAD_BYTES, heldAgain, sha256Of } from '../../support/storage-area.ts';
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

/** The hash of the data set of a file that is whole. */
async function wholeHash(file: string): Promise<string> {
  await assertWhole(file);
  return sha256Of((await readFile(file)).subarray(HEAD_BYTES));
}

/** What the archive does at start: a half file makes way, and what the record holds becomes a file. */
async function restore(
  area: StorageArea,
  { note, held }: ReplayedRecord,
  round: number,
): Promise<{ path: string; wasHalf: boolean }> {
  const path = note.split('\n')[0]!;
  if (held.bytes === 0) return { path, wasHalf: false };
  const instance = await heldAgain(area, held, path);
  const [outcome] = await area.placeHeld([instance]);
  if (outcome !== 'exists') return { path, wasHalf: false };
  const isWhole = await wholeHash(join(area.root, path)).then(
    () => true,
    () => false,
  );
  const beside = `superseded/replayed/${round}-${held.sequence}`;
  if (!isWhole) await area.move(path, `quarantine/${round}-${held.sequence}`);
  await area.placeHeld([isWhole ? { ...instance, path: beside } : instance]);
  return { path, wasHalf: !isWhole };
}

describe('after kill -9 in the middle of storing and replacing', () => {
  test(`${ROUNDS} times, everything acknowledged is there, and nothing half`, async (t) => {
    await using folder = await tempFolder('kill');
    const root = join(folder.path, 'archive');
    const acknowledged: Acknowledged[] = [];
    const known = new Set<string>();
    let half = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      acknowledged.push(...(await runAndKill(root, round)));

      const area = await StorageArea.open(root, { reserveBytes: 0 });
      assert.deepEqual(await filesIn(join(root, 'incoming')), [], 'incoming/ is swept');
      assert.deepEqual(area.journal.faults, []);
      for await (const record of area.journal.replay()) {
        const { path, wasHalf } = await restore(area, record, round);
        known.add(path);
        half += Number(wasHalf);
      }

      const stored = (await filesIn(join(root, 'studies'))).map((path) => `studies/${path}`);
      const superseded = (await filesIn(join(root, 'superseded'))).map((path) => `superseded/${path}`);
      const hashes = new Set<string>();
      for (const file of [...stored, ...superseded]) hashes.add(await wholeHash(join(root, file)));
      for (const { path, sha256 } of acknowledged) {
        assert.ok(known.has(path), `${path} was acknowledged and is not replayed`);
        assert.ok(hashes.has(sha256), `the content acknowledged at ${path} is gone`);
      }
      for (const path of stored) assert.ok(known.has(path), `${path} is known to nobody`);
      // Every other time the record may give up what it holds: then the files alone must do.
      if (round % 2 === 1) area.journal.replayed();
      await area.close();
      if (round % 2 === 1) assert.deepEqual(await filesIn(join(root, 'journal')), []);
    }
    t.diagnostic(`${acknowledged.length} acknowledged, ${half} half files`);
  });
});
