// Contract: what deleting takes out of the index, and what the trash knows of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import type { Deletion, TrashItem } from '../../../src/catalog/trash.ts';
import { instanceRecord, text } from '../../support/catalog-generator.ts';
import {
  assertCountersEqualRecount,
  assertSearchKeysComplete,
  type EngineUnderTest,
  findAll,
  freshCatalog,
} from './harness.ts';

const deletion = (id: string, deletedAt = '2026-01-01T00:00:00.000Z'): Deletion => ({
  id,
  level: 'STUDY',
  keys: { studyUids: ['1.2.826.1.1'] },
  attributes: { [TAG.PatientID]: text('LO', 'P1') },
  deletedAt,
  deletedBy: 'chief',
  reason: 'sent to the wrong archive',
});

async function take(
  catalog: Catalog,
  id: string,
  sopInstanceUids: readonly string[],
): Promise<readonly TrashItem[]> {
  await catalog.ask('trashOpen', { ...deletion(id), state: 'deleting' });
  return catalog.ask('trashTake', { trash: id, sopInstanceUids });
}

export function trashSuite(engine: EngineUnderTest): void {
  describe(`trash on ${engine.name}`, () => {
    test('what is taken is in no query and no count, and its older contents go with it', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const other = instanceRecord(2, 1, 1);
      const first = instanceRecord(1, 1, 1, { receivedAt: '2024-01-01T00:00:00.000Z' });
      const second = instanceRecord(1, 1, 1, {
        content: 'second',
        receivedAt: '2024-01-02T00:00:00.000Z',
        supersededPath: 'superseded/older.dcm',
      });
      await catalog.ingest([first, other]);
      await catalog.ingest([second]);
      const items = await take(catalog, 'a', [first.instance.uid]);
      assert.deepEqual(
        items.map(({ path, sha256 }) => [path, sha256]),
        [
          ['superseded/older.dcm', first.location.sha256],
          [second.location.path, second.location.sha256],
        ],
      );
      assert.equal(await catalog.locate(first.instance.uid), undefined);
      assert.deepEqual(await catalog.superseded(first.instance.uid), []);
      assert.deepEqual(await catalog.counts(), {
        patients: 1,
        studies: 1,
        series: 1,
        instances: 1,
        bytes: 1000,
      });
      const identifier = { [TAG.PatientID]: text('LO', 'P1') };
      assert.deepEqual(await findAll(catalog, { level: 'STUDY', identifier }), []);
      const entry = await catalog.ask('trashEntry', 'a');
      assert.deepEqual(entry, { ...deletion('a'), state: 'deleting', files: 2, bytes: 2000 });
    });

    test('taken again, nothing happens twice', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await catalog.ingest([instanceRecord(1, 1, 1)]);
      const items = await take(catalog, 'a', ['1.2.826.1.1.1.1']);
      assert.deepEqual(await take(catalog, 'a', ['1.2.826.1.1.1.1']), items);
      assert.equal((await catalog.ask('trashEntry', 'a'))?.files, 1);
    });

    test('an instance that comes again after it was deleted is new', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const record = instanceRecord(1, 1, 1);
      await catalog.ingest([record]);
      await take(catalog, 'a', [record.instance.uid]);
      await catalog.ingest([record]);
      assert.equal((await catalog.counts()).instances, 1);
      const [item] = await catalog.ask('trashOf', record.instance.uid);
      assert.equal(item?.trash, 'a');
    });

    test('nothing of a protected patient is taken, until the protection ends', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await catalog.ingest([instanceRecord(1, 1, 1), instanceRecord(2, 1, 1)]);
      const who = { protectedAt: '2026-01-01T00:00:00.000Z', protectedBy: 'chief', reason: 'a study' };
      await catalog.ask('protect', { id: 'P1', issuer: '', ...who });
      const uids = ['1.2.826.1.1.1.1', '1.2.826.1.2.1.1'];
      await assert.rejects(take(catalog, 'a', uids), {
        code: 'catalog-protected',
        message: /chief.*a study/,
      });
      assert.equal((await catalog.counts()).instances, 2);
      assert.deepEqual(await catalog.ask('protections', undefined), [{ id: 'P1', issuer: '', ...who }]);
      assert.equal(await catalog.ask('unprotect', { id: 'P1', issuer: '' }), true);
      assert.equal(await catalog.ask('unprotect', { id: 'P1', issuer: '' }), false);
      assert.equal((await take(catalog, 'a', uids)).length, 2);
    });

    test('deletions are listed newest first, in pages; those under way are listed apart', async (t) => {
      const catalog = await freshCatalog(engine, t);
      for (const [id, day] of [
        ['a', '01'],
        ['b', '02'],
        ['c', '02'],
      ] as const) {
        const state = id === 'b' ? 'restoring' : 'trashed';
        await catalog.ask('trashOpen', { ...deletion(id, `2026-01-${day}T00:00:00.000Z`), state });
      }
      const ids = async (before?: readonly [string, string]): Promise<string[]> =>
        (await catalog.ask('trashList', before === undefined ? {} : { before })).map(({ id }) => id);
      assert.deepEqual(await ids(), ['c', 'b', 'a']);
      assert.deepEqual(await ids(['2026-01-02T00:00:00.000Z', 'c']), ['b', 'a']);
      assert.deepEqual(await ids(['2026-01-02T00:00:00.000Z', '']), ['a']);
      assert.deepEqual(
        (await catalog.ask('trashUnfinished', undefined)).map(({ id }) => id),
        ['b'],
      );
    });

    test('a state is left once only', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await take(catalog, 'a', []);
      const change = { trash: 'a', from: ['deleting'], to: 'trashed' } as const;
      assert.equal(await catalog.ask('trashState', change), true);
      assert.equal(await catalog.ask('trashState', change), false);
    });

    test('what was dropped and forgotten is no longer known', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await catalog.ingest([instanceRecord(1, 1, 1), instanceRecord(1, 1, 2)]);
      const [one, two] = await take(catalog, 'a', ['1.2.826.1.1.1.1', '1.2.826.1.1.1.2']);
      assert.ok(one && two);
      await catalog.ask('trashDrop', { trash: 'a', items: [one] });
      await catalog.ask('trashDrop', { trash: 'a', items: [one] });
      assert.deepEqual(await catalog.ask('trashItems', { trash: 'a' }), [two]);
      assert.deepEqual(await catalog.ask('trashItems', { trash: 'a', after: two }), []);
      assert.equal((await catalog.ask('trashEntry', 'a'))?.bytes, 1000);
      await catalog.ask('trashForget', 'a');
      assert.equal(await catalog.ask('trashEntry', 'a'), undefined);
      assert.deepEqual(await catalog.ask('trashOf', two.sopInstanceUid), []);
    });

    test('the intake of a day is what came that day and is still kept', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const received = (day: string) => ({ receivedAt: `2024-03-${day}T10:00:00.000Z`, fileBytes: 500 });
      await catalog.ingest([
        instanceRecord(1, 1, 1, received('01')),
        instanceRecord(1, 1, 2, received('02')),
      ]);
      await catalog.ingest([instanceRecord(1, 1, 3, received('02'))]);
      assert.deepEqual(await catalog.ask('intake', '2024-03-02'), [
        { day: '2024-03-02', files: 2, bytes: 1000 },
      ]);
      await take(catalog, 'a', ['1.2.826.1.1.1.2']);
      assert.deepEqual(await catalog.ask('intake', '2024-01-01'), [
        { day: '2024-03-01', files: 1, bytes: 500 },
        { day: '2024-03-02', files: 1, bytes: 500 },
      ]);
    });

    test('counters, search keys and intake equal a recount after any ingest and deletion', async (t) => {
      const step = fc.record({
        study: fc.integer({ min: 1, max: 2 }),
        series: fc.integer({ min: 1, max: 2 }),
        instance: fc.integer({ min: 1, max: 3 }),
        content: fc.constantFrom('a', 'b'),
        modality: fc.constantFrom('XA', 'CT'),
        day: fc.integer({ min: 1, max: 3 }),
        deletes: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          const url = await engine.fresh(t);
          const catalog = await openCatalog(url);
          for (const [at, one] of steps.entries()) {
            const made = instanceRecord(one.study, one.series, one.instance, {
              content: one.content,
              receivedAt: `2024-03-0${one.day}T10:00:0${at % 10}.000Z`,
              attributes: { '00080060': text('CS', one.modality) },
              supersededPath: `superseded/${at}.dcm`,
            });
            // Two contents are never in one file, also when the older one comes later.
            const path = `${made.location.path}.${one.content}`;
            const record = { ...made, location: { ...made.location, path } };
            if (one.deletes) await take(catalog, `trash-${at}`, [record.instance.uid]);
            else await catalog.ingest([record]);
          }
          await catalog.close();
          await assertCountersEqualRecount(url);
          await assertSearchKeysComplete(url);
        }),
        // Making a counterexample shorter would take longer than a test may.
        { numRuns: 5, endOnFailure: true },
      );
    });
  });
}
