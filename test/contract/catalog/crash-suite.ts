// Contract: kill -9 during ingest loses nothing that was acknowledged and leaves no counter wrong.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { openCatalog } from '../../../src/catalog/open.ts';
import { assertCountersEqualRecount, assertSearchKeysComplete, type EngineUnderTest } from './harness.ts';

const ROUNDS = 3;
const ACKNOWLEDGED = 40;

export function crashSuite(engine: EngineUnderTest): void {
  describe(`crash on ${engine.name}`, () => {
    test('killed during ingest: everything acknowledged is there, counters equal a recount', async (t) => {
      const url = await engine.fresh(t);
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = await ingestUntilKilled(url, round);
        const catalog = await openCatalog(url);
        for (const uid of acknowledged) assert.ok(await catalog.locate(uid), `${uid} was acknowledged`);
        await catalog.close();
      }
      await assertCountersEqualRecount(url);
      await assertSearchKeysComplete(url);
    });
  });
}

/** UIDs that a child process says are in the catalogue, up to the moment it was killed. */
async function ingestUntilKilled(url: string, round: number): Promise<string[]> {
  const program = new URL('./ingest-process.ts', import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, url, String(round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(...line.split(' '));
    if (acknowledged.length >= ACKNOWLEDGED) child.kill('SIGKILL');
  }
  assert.ok(acknowledged.length >= ACKNOWLEDGED, 'the child did not get so far');
  return acknowledged;
}
