// No statement of the catalogue scans a table that grows: every one that runs is shown to EXPLAIN QUERY PLAN. For both
// engines, at ten million instances, `make bench PART=catalog` does the same.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqlite } from '../../../src/catalog/sqlite/engine.ts';
import { fillCatalog } from '../../support/catalog-filler.ts';
import { exercise, plansOf, recorded, type Statements } from '../../support/recorded-engine.ts';

const SHAPE = { studies: 200, seriesPerStudy: 2, instancesPerSeries: 3 };

test('every statement seeks', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'catalog.sqlite');
  await fillCatalog(`sqlite:${file}`, SHAPE);
  const engine = await openSqlite(file);
  t.after(() => engine.close());
  const statements: Statements = new Map();
  await exercise(recorded(engine, statements), SHAPE);

  assert.ok(statements.size > 40, `${statements.size} statements were seen`);
  for (const { statement, steps, scans } of await plansOf(engine, statements)) {
    const words = `${statement}\n${steps.join('\n')}`;
    assert.deepEqual(scans, [], words);
    // What was sent to somebody who confirms nothing stays; only what is asked about is to be looked at.
    if (
      /from "delivery" where .*"transaction_uid"|^update "delivery" .*where .*"transaction_uid"/.test(
        statement,
      )
    ) {
      assert.match(words, /USING (COVERING )?INDEX delivery_by_transaction/);
    }
    // Steps along the search keys come out of the index in order; sorting would mean reading all of a range.
    if (statement.includes('from "search_key"')) {
      assert.ok(!steps.some((step) => step.includes('TEMP B-TREE')), words);
    }
  }
});
