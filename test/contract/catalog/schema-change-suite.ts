// Contract: a change of the schema that fails, or is killed, leaves what the version before knows.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import type { SteppedEngine } from '../../support/schema-steps.ts';
import type { EngineUnderTest } from './harness.ts';

const PROGRAM = new URL('./schema-change-process.ts', import.meta.url).pathname;

/** A catalogue of the version before, with something in it. */
export async function filledCatalog(url: string): Promise<string> {
  const catalog = await openCatalog(url);
  await catalog.ingest([instanceRecord(1, 1, 1), instanceRecord(1, 2, 1), instanceRecord(2, 1, 1)]);
  await catalog.close();
  return url;
}

/** The version before finds what it had, and goes on. */
export async function assertOldVersionWorks(url: string): Promise<void> {
  const catalog = await openCatalog(url);
  assert.ok(await catalog.locate('1.2.826.1.1.1.1'));
  assert.equal((await Array.fromAsync(catalog.find({ level: 'STUDY', identifier: {} }))).flat().length, 2);
  await catalog.ingest([instanceRecord(3, 1, 1)]);
  assert.equal((await catalog.counts()).instances, 4);
  await catalog.close();
}

/** Resolves when a later version is in the middle of its change, before that statement, and stays there. */
export async function changingProcess(
  engine: EngineUnderTest,
  url: string,
  statement: number,
): Promise<{ kill(): Promise<void> }> {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, engine.name, url, `${statement}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    kill: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export function schemaChangeSuite(engine: EngineUnderTest, stepped: SteppedEngine): void {
  const statements = stepped.steps.flat().length;

  describe(`a change of the schema on ${engine.name}`, () => {
    test('failing before any of its statements: tables, keys and rows are what they were, and the old version works', async (t) => {
      const url = await filledCatalog(await engine.fresh(t));
      const was = await stepped.state(url);
      for (let failing = 0; failing < statements; failing += 1) {
        const out = (statement: number): void => {
          if (statement === failing) throw new Error(`out of luck at ${failing}`);
        };
        await assert.rejects(stepped.openLater(url, out), {
          code: 'catalog-failed',
          message: new RegExp(`out of luck at ${failing}`),
        });
        assert.deepEqual(await stepped.state(url), was, `after failing before statement ${failing}`);
      }
      await assertOldVersionWorks(url);
    });

    test('killed in the middle: the old version finds what it had', async (t) => {
      const url = await filledCatalog(await engine.fresh(t));
      const was = await stepped.state(url);
      for (const statement of [1, statements - 1]) {
        await (await changingProcess(engine, url, statement)).kill();
        await (await stepped.open(url)).close();
        assert.deepEqual(await stepped.state(url), was, `after kill -9 before statement ${statement}`);
      }
      await assertOldVersionWorks(url);
    });

    test('killed in the middle: the new version makes it whole', async (t) => {
      const url = await filledCatalog(await engine.fresh(t));
      const unbroken = await filledCatalog(await engine.fresh(t));
      await (await changingProcess(engine, url, statements - 1)).kill();
      for (const one of [url, unbroken]) await (await stepped.openLater(one)).close();
      assert.deepEqual(await stepped.state(url), await stepped.state(unbroken));
      await assert.rejects(openCatalog(url), { code: 'catalog-newer' });
    });
  });
}
