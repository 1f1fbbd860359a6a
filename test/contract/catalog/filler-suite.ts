// Contract of the measurements: a catalogue that was filled by loading rows is the one that ingest would have made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCatalog } from '../../../src/catalog/open.ts';
import { openEngine } from '../../../src/catalog/open-engine.ts';
import type { CatalogSchema } from '../../../src/catalog/schema.ts';
import { fillCatalog } from '../../support/catalog-filler.ts';
import { archiveRecords } from '../../support/catalog-generator.ts';
import type { EngineUnderTest } from './harness.ts';

const SHAPE = { studies: 203, seriesPerStudy: 2, instancesPerSeries: 3 };

const TABLES = {
  patient: ['id'],
  study: ['id'],
  series: ['id'],
  instance: ['id'],
  superseded: ['id'],
  study_modality: ['study_id', 'modality'],
  study_sop_class: ['study_id', 'sop_class_uid'],
  search_key: ['kind', 'search_key', 'owner_id'],
  total: ['id'],
} as const satisfies Partial<Record<keyof CatalogSchema, readonly string[]>>;

export function fillerSuite(engine: EngineUnderTest): void {
  test(`a filled catalogue equals an ingested one, on ${engine.name}`, async (t) => {
    const [filled, ingested] = [await engine.fresh(t), await engine.fresh(t)];
    await fillCatalog(filled, SHAPE);
    const catalog = await openCatalog(ingested);
    await catalog.ingest([...archiveRecords(SHAPE)]);
    await catalog.close();
    const [actual, expected] = [await contentOf(filled), await contentOf(ingested)];
    for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[])
      assert.deepEqual(actual[table], expected[table], table);
    assert.equal(actual.instance.length, 203 * 6);
  });
}

/** Every row of every table. Of the rows of `total` only the sum counts. */
async function contentOf(url: string): Promise<Record<keyof typeof TABLES, object[]>> {
  const { db, close } = await openEngine(url);
  try {
    const content: Partial<Record<keyof typeof TABLES, object[]>> = {};
    for (const [table, key] of Object.entries(TABLES) as [keyof typeof TABLES, readonly string[]][]) {
      const rows = await db
        .selectFrom(table)
        .selectAll()
        .orderBy(key.map((column) => db.dynamic.ref(column)))
        .execute();
      content[table] = rows.map((row) => ({ ...row }));
    }
    const sum: Record<string, number> = {};
    for (const { id: _, ...row } of content.total as Record<string, number>[])
      for (const [column, value] of Object.entries(row)) sum[column] = (sum[column] ?? 0) + value;
    return { ...(content as Record<keyof typeof TABLES, object[]>), total: [sum] };
  } finally {
    await close();
  }
}
