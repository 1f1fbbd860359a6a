// Two daemons share the jobs of one MariaDB while they are killed in turn: nothing is lost, nothing is done by both at the
// same time, and no lease outlasts its term.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openCatalog } from '../../src/catalog/open.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { RunningProcess } from '../support/running-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_JOB_ROUNDS ?? 4);
const JOBS_A_ROUND = 8;
const PROGRAM = fileURLToPath(new URL('../support/job-process.ts', import.meta.url));

test('two daemons, killed in turn: every job is done, and only a killed attempt is repeated', async () => {
  await using folder = await tempFolder('jobs-crash');
  await using server = await MariadbServer.start();
  const url = server.url(await server.freshDatabase());
  const file = join(folder.path, 'effects');
  writeFileSync(file, '');
  const catalog = await openCatalog(url);
  const start = async () => {
    const daemon = new RunningProcess(process.execPath, [
      ...['--disable-warning=ExperimentalWarning', PROGRAM, url, file],
    ]);
    await daemon.waitForOutput(/ready/);
    return daemon;
  };
  const daemons = [await start(), await start()];
  const keys: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let n = 0; n < JOBS_A_ROUND; n += 1) {
        const now = new Date().toISOString();
        const key = `${round}.${n}`;
        const job = { kind: 'work', key, priority: 5, title: {}, payload: null, dueAt: now, now };
        await Promise.all([catalog.jobs.enqueue(job), catalog.jobs.enqueue(job)]);
        keys.push(key);
      }
      await pause(randomInt(300));
      const victim = round % 2;
      await daemons[victim]?.kill();
      daemons[victim] = await start();
    }
    const deadline = Date.now() + 30_000;
    for (;;) {
      const tally = await catalog.jobs.tally(null);
      if (tally.every(({ state }) => state === 'done')) break;
      assert.ok(Date.now() < deadline, JSON.stringify(tally));
      await pause(50);
    }
    const effects = readFileSync(file, 'utf8').trim().split('\n');
    const done = effects.filter((line) => line.startsWith('done')).map((line) => line.split(' ')[1] ?? '');
    assert.deepEqual([...new Set(done)].sort(), [...keys].sort());
    const jobs = await catalog.jobs.list({ limit: 1000 });
    assert.equal(jobs.length, keys.length);
    // Whoever repeats an attempt took over from a daemon that was killed: no two held a job at the same time.
    const attempts = new Map(jobs.map(({ key, attempts: count }) => [key, count]));
    for (const line of effects) {
      const [, key = '', attempt] = line.split(' ');
      const same = effects.filter((other) => other === line).length;
      assert.equal(same, 1, `${line}: attempt ${attempt} of ${attempts.get(key)} was made ${same} times`);
    }
  } finally {
    for (const daemon of daemons) await daemon.kill();
    await catalog.close();
  }
});
