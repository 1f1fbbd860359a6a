// Walks over more keys than one step or one stretch holds, and over keys with more owners than a step.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../../src/catalog/engine.ts';
import { compareKeys, TRUNCATED } from '../../../src/catalog/normalise.ts';
import { Pacer } from '../../../src/catalog/pacer.ts';
import { type AccessPath, KIND, type Kind } from '../../../src/catalog/search-keys.ts';
import { openSqlite } from '../../../src/catalog/sqlite/engine.ts';
import { prepareWalk, STEP, walk } from '../../../src/catalog/walk.ts';
import type { KeyRange } from '../../../src/catalog/wild-card.ts';

const KEYS = 40_000;
const SHARING = 700;

interface Owned {
  readonly search_key: string;
  readonly owner_id: number;
}

/** Names of which each hundredth has one owner more, some names with very many, some that hide their end. */
function owned(): Owned[] {
  const rows: Owned[] = [];
  for (let i = 0; i < KEYS; i++) {
    const key = `${String((i * 7919) % KEYS).padStart(5, '0')}^WEI${i % 100 === 0 ? 'MING' : ''}${i}`;
    rows.push({ search_key: key, owner_id: i });
    if (i % 100 === 0) rows.push({ search_key: key, owner_id: KEYS + i });
    if (i % 5000 === 0) rows.push({ search_key: `${key}${TRUNCATED}`, owner_id: 2 * KEYS + i });
  }
  for (const key of ['', '16384^WEIMING', '20000^OTHER', '99999^WEIMING', '江^WEIMING'])
    for (let i = 0; i < SHARING; i++) rows.push({ search_key: key, owner_id: 4 * KEYS + i });
  return rows.sort((a, b) => compareKeys(a.search_key, b.search_key) || a.owner_id - b.owner_id);
}

describe('a walk', () => {
  const rows = owned();
  let engine: Engine;

  before(async () => {
    engine = await openSqlite(':memory:');
    await engine.transaction(async (db) => {
      for (const kind of [KIND.patientName, KIND.studyDate, KIND.patientId]) {
        const slice = kind === KIND.patientName ? rows : rows.slice(0, 5000);
        for (let start = 0; start < slice.length; start += 1000) {
          const values = slice.slice(start, start + 1000).map((row) => ({ kind, ...row }));
          await db.insertInto('search_key').values(values).execute();
        }
      }
    });
  });
  after(() => engine.close());

  async function walked(kind: Kind, range: KeyRange): Promise<Owned[]> {
    const path: AccessPath = { kind, ranges: [range] };
    const found: Owned[] = [];
    for await (const step of walk(prepareWalk(engine), engine.db, path, new Pacer())) {
      assert.ok(step.length > 0 && step.length <= STEP);
      for (const { key, id } of step) found.push({ search_key: key, owner_id: id });
    }
    return found;
  }

  for (const contains of ['MING', 'NOBODY', '1234', '^', '江']) {
    test(`over all keys that hold '${contains}' misses none and meets none twice`, async () => {
      const expected = rows.filter(
        ({ search_key }) => search_key.includes(contains) || search_key.includes(TRUNCATED),
      );
      assert.deepEqual(await walked(KIND.patientName, { from: '', to: undefined, contains }), expected);
    });
  }

  test('over a range goes through all owners of a key', async () => {
    const range = { from: '16384', to: '20001' };
    const expected = rows.filter(({ search_key }) => search_key >= range.from && search_key < range.to);
    assert.ok(expected.length > 2 * SHARING);
    assert.deepEqual(await walked(KIND.patientName, range), expected);
  });

  test('over everything goes from the first key to the last, or from the newest to the oldest', async () => {
    const everything = { from: '', to: undefined };
    assert.deepEqual(await walked(KIND.patientId, everything), rows.slice(0, 5000));
    assert.deepEqual(await walked(KIND.studyDate, everything), rows.slice(0, 5000).reverse());
  });
});
