// The thread of the catalogue: what its death means to those who wait, and to those who come after.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { catalogKiller } from '../../support/catalog-thread.ts';

interface Mortal {
  readonly catalog: Catalog;
  /** Ends the thread that serves the catalogue at this moment. */
  kill(): Promise<void>;
}

async function openMortal(t: TestContext): Promise<Mortal> {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kill = catalogKiller(t);
  const catalog = await openCatalog(`sqlite:${join(folder, 'catalog.sqlite')}`);
  t.after(() => catalog.close());
  await catalog.counts();
  return { catalog, kill };
}

const STUDIES = Array.from({ length: 500 }, (_, i) => instanceRecord(i, 1, 1));
const UNREACHABLE = { code: 'catalog-unreachable', message: /its thread ended with status 1/ };

describe('a dead thread', () => {
  test('rejects what is pending, and serves again what comes after', async (t) => {
    const { catalog, kill } = await openMortal(t);
    await catalog.ingest(STUDIES.slice(0, 10));
    const pending = assert.rejects(catalog.ingest(STUDIES), UNREACHABLE);
    await kill();
    await pending;
    assert.ok([10, 500].includes((await catalog.counts()).studies), 'all of a batch or nothing');
    await catalog.ingest(STUDIES);
    assert.equal((await catalog.counts()).studies, 500);
  });

  test('serves all who ask at the same time with one other thread', async (t) => {
    const { catalog, kill } = await openMortal(t);
    await catalog.ingest(STUDIES);
    await kill();
    const [counts, located, ...found] = await Promise.all([
      catalog.counts(),
      catalog.locate('1.2.826.1.7.1.1'),
      ...[1, 2, 3].map(() => Array.fromAsync(catalog.find({ level: 'STUDY', identifier: {} }))),
    ]);
    assert.equal(counts.studies, 500);
    assert.equal(located?.studyUid, '1.2.826.1.7');
    for (const pages of found) assert.equal(pages.flat().length, 500);
  });

  test('fails a search that is under way: it must not look as if that were all', async (t) => {
    const { catalog, kill } = await openMortal(t);
    await catalog.ingest(STUDIES);
    let matches = 0;
    await assert.rejects(async () => {
      for await (const page of catalog.find({ level: 'STUDY', identifier: {} })) {
        matches += page.length;
        await kill();
        await catalog.counts();
      }
    }, UNREACHABLE);
    assert.ok(matches > 0 && matches < 500, `${matches} matches`);
  });

  test('that dies again at once is refused, not started again and again', async (t) => {
    const { catalog, kill } = await openMortal(t);
    t.mock.method(performance, 'now', () => 0);
    await kill();
    await catalog.counts();
    await kill();
    await assert.rejects(catalog.counts(), UNREACHABLE);
    t.mock.method(performance, 'now', () => 1000);
    await catalog.counts();
  });

  test('can be closed, and stays closed', async (t) => {
    const { catalog, kill } = await openMortal(t);
    await kill();
    await catalog.close();
    await assert.rejects(catalog.counts(), { code: 'catalog-closed' });
  });
});
