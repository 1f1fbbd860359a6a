// A page of the study list ends in time, whatever there is to look through.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { openEngine } from '../../../src/catalog/open-engine.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import { prepareStudyPage, studyPage } from '../../../src/catalog/study-page.ts';
import { instanceRecord, text } from '../../support/catalog-generator.ts';

test('on a slow disk a page holds what was found by then, and the next ones the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'study-page-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const url = `sqlite:${join(folder, 'catalog.sqlite')}`;
  const catalog = await openCatalog(url);
  const studies = 400;
  await catalog.ingest(
    Array.from({ length: studies }, (_, study) => {
      const rare = study % 40 === 0 ? { [TAG.StudyDescription]: text('LO', 'Rare finding') } : {};
      return instanceRecord(study, 1, 1, { attributes: rare });
    }),
  );
  await catalog.close();
  const engine = await openEngine(url);
  try {
    const statements = prepareStudyPage(engine);
    const identifier = { [TAG.StudyDescription]: text('LO', '*Rare*') };
    const found: number[] = [];
    for (let after: string | undefined; ; ) {
      let now = 0;
      // Every look at the clock finds that 30 ms have passed.
      const pacer = new Pacer(() => (now += 30));
      const request = { identifier, limit: 50, ...(after === undefined ? {} : { after }) };
      const page = await studyPage(statements, request, pacer);
      found.push(page.lineages.length);
      if (page.next === undefined) break;
      after = page.next;
    }
    assert.ok(found.length >= 3, String(found));
    assert.equal(
      found.reduce((sum, count) => sum + count, 0),
      studies / 40,
    );
  } finally {
    await engine.close();
  }
});
