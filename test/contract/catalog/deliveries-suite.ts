// Contract of every engine: what goes elsewhere is known from the transaction that indexes it, and no row says more than
// was said about its content.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import type { Delivery } from '../../../src/catalog/delivery-store.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import type { EngineUnderTest } from './harness.ts';

const LATE = '2099-01-01T00:00:00.000Z';
const NOW = '2026-06-01T12:00:00.000Z';
const HOUR_MS = 3_600_000;

export function deliveriesSuite(engine: EngineUnderTest): void {
  describe(`deliveries (${engine.name})`, () => {
    let catalog: Catalog;
    /** By the end of the study's UID. */
    const quiet = new Map([['quiet', 60]]);
    const cleanUps: (() => void)[] = [];
    before(async () => {
      const url = await engine.fresh({ after: (cleanUp) => cleanUps.push(cleanUp) });
      catalog = await openCatalog(url, undefined, ({ study }) => {
        const name = study.uid.split('.').at(-1) ?? '';
        return name === '99' ? [] : [{ destination: `D${name}`, quietS: quiet.get(name) ?? 0 }];
      });
    });
    after(async () => {
      await catalog.close();
      for (const cleanUp of cleanUps) cleanUp();
    });
    const take = (destination: string, now = LATE, limit = 100) =>
      catalog.deliveries.take({ destination, now, limit });
    const send = (rows: readonly Delivery[]) =>
      catalog.deliveries.sent({
        deliveries: rows.map(({ id, sha256 }) => ({ id, was: sha256, sha256 })),
        now: NOW,
      });
    const stateOf = async (study: string) => {
      const [status] = await catalog.deliveries.ofStudies({ studyUids: [`1.2.826.1.${study}`] });
      return status && [status.due, status.sent, status.committed, status.refused];
    };
    const report = (
      destination: string,
      transactionUid: string,
      committed: readonly string[],
      failed: string[] = [],
    ) =>
      catalog.deliveries.reported({
        ...{ destination, transactionUid, committed, now: NOW, readyAt: LATE },
        failed: failed.map((sopInstanceUid) => ({ sopInstanceUid, error: 'reason' })),
      });

    test('due with the index, sent, asked, committed by the report about this transaction alone', async () => {
      await catalog.ingest([1, 2, 3].map((n) => instanceRecord(1, 1, n)));
      const rows = await take('D1');
      assert.equal(rows.length, 3);
      await send(rows.slice(0, 2));
      assert.deepEqual(await stateOf('1'), [1, 2, 0, 0]);
      const asked = { destination: 'D1', transactionUid: '2.25.1', now: NOW, limit: 10 };
      const assigned = await catalog.deliveries.assign(asked);
      assert.deepEqual(await catalog.deliveries.assign(asked), assigned);
      assert.deepEqual(await catalog.deliveries.assign({ ...asked, transactionUid: '2.25.2' }), []);
      const uids = rows.map(({ sopInstanceUid }) => sopInstanceUid);
      assert.equal(await report('D1', '2.25.3', uids), false);
      assert.equal(await report('D2', '2.25.1', uids), false);
      assert.deepEqual(await stateOf('1'), [1, 2, 0, 0]);
      assert.equal(await report('D1', '2.25.1', uids.slice(0, 1), uids.slice(1, 2)), true);
      assert.deepEqual(await stateOf('1'), [2, 0, 1, 0]);
      assert.deepEqual(await catalog.deliveries.committedOf({ sopInstanceUids: uids }), uids.slice(0, 1));
      const lag = await catalog.deliveries.lag({ destination: 'D1' });
      assert.deepEqual([lag.due, lag.sent, lag.refused], [2, 0, 0]);
      assert.ok(lag.openBytes > 0 && lag.oldestAt !== undefined);
    });

    test('what has waited longest goes first, however it came into the index', async () => {
      const received = (minute: number) => ({ receivedAt: `2026-05-01T08:0${minute}:00.000Z` });
      await catalog.ingest([instanceRecord(7, 1, 1, received(3)), instanceRecord(7, 1, 2, received(2))]);
      await catalog.ingest([instanceRecord(7, 1, 3, received(1))]);
      const rows = await take('D7', LATE, 2);
      assert.deepEqual(
        rows.map(({ sopInstanceUid }) => sopInstanceUid.slice(-1)),
        ['3', '2'],
      );
    });

    test('the same content again changes nothing; other content is due, and is committed by no earlier report', async () => {
      const old = instanceRecord(2, 1, 1);
      await catalog.ingest([old]);
      const rows = await take('D2');
      await send(rows);
      await catalog.deliveries.assign({ destination: 'D2', transactionUid: '2.25.4', now: NOW, limit: 10 });
      await catalog.ingest([old]);
      assert.deepEqual(await stateOf('2'), [0, 1, 0, 0]);
      await catalog.ingest([
        instanceRecord(2, 1, 1, { content: 'second', receivedAt: '2026-07-01T00:00:00.000Z' }),
      ]);
      assert.deepEqual(await stateOf('2'), [1, 0, 0, 0]);
      await report('D2', '2.25.4', [old.instance.uid]);
      // Sent before the new content came: that is still due.
      await send(rows);
      assert.deepEqual(await stateOf('2'), [1, 0, 0, 0]);
    });

    test('a whole study goes when nothing more of it came', async () => {
      await catalog.ingest([instanceRecord('quiet', 1, 1)]);
      const [row] = await take('Dquiet');
      const nextAt = await catalog.deliveries.nextAt({ destination: 'Dquiet', patienceMs: HOUR_MS });
      assert.ok(row !== undefined && nextAt !== null);
      const before_ = new Date(Date.parse(nextAt) - 1).toISOString();
      assert.deepEqual(await take('Dquiet', before_), []);
      assert.equal((await take('Dquiet', nextAt)).length, 1);
    });

    test('failed: later, or never again; released: asked anew; not here any more: forgotten', async () => {
      await catalog.ingest([1, 2, 3].map((n) => instanceRecord(3, 1, n)));
      const [later, never, gone] = await take('D3');
      assert.ok(later && never && gone);
      await catalog.deliveries.failed({
        deliveries: [
          { id: later.id, was: later.sha256, error: 'away', readyAt: LATE },
          { id: never.id, was: never.sha256, error: 'refused', readyAt: undefined },
        ],
      });
      await catalog.deliveries.drop({ ids: [gone.id] });
      assert.deepEqual(await stateOf('3'), [1, 0, 0, 1]);
      assert.deepEqual(await take('D3', NOW), []);
      await send(await take('D3'));
      const asked = { destination: 'D3', now: NOW, limit: 10 };
      assert.equal((await catalog.deliveries.assign({ ...asked, transactionUid: '2.25.5' })).length, 1);
      const open = await catalog.deliveries.uncommitted({ destination: 'D3', after: 0, limit: 10 });
      assert.deepEqual(
        open.map(({ askedAt }) => askedAt),
        [NOW],
      );
      const nextAt = await catalog.deliveries.nextAt({ destination: 'D3', patienceMs: HOUR_MS });
      assert.equal(nextAt, new Date(Date.parse(NOW) + HOUR_MS).toISOString());
      await catalog.deliveries.release({ destination: 'D3', askedBefore: LATE });
      assert.equal((await catalog.deliveries.assign({ ...asked, transactionUid: '2.25.6' })).length, 1);
    });

    test('late: not sent, sent and not confirmed, denied, never asked about; what came later is not', async () => {
      await catalog.ingest([1, 2, 3, 4, 5].map((n) => instanceRecord(4, 1, n)));
      const late = (before: string) => catalog.deliveries.late({ destination: 'D4', before });
      const none = { due: 0, dueError: '', unconfirmed: 0, unconfirmedError: '', unasked: 0 };
      assert.deepEqual(await late('2000-01-01T00:00:00.000Z'), none);
      assert.deepEqual(await late(LATE), { ...none, due: 5 });
      const rows = [...(await take('D4'))];
      const [failed] = rows.splice(4);
      assert.ok(failed);
      await catalog.deliveries.failed({
        deliveries: [{ id: failed.id, was: failed.sha256, error: 'no room', readyAt: LATE }],
      });
      await send(rows.splice(0, 2));
      await catalog.deliveries.assign({ destination: 'D4', transactionUid: '2.25.7', now: NOW, limit: 10 });
      await send(rows);
      const open = { ...none, due: 1, dueError: 'no room', unconfirmed: 2, unasked: 2 };
      assert.deepEqual(await late(LATE), open);
      const [denied] = await catalog.deliveries.uncommitted({ destination: 'D4', after: 0, limit: 1 });
      assert.ok(denied);
      await report('D4', '2.25.7', [], [denied.sopInstanceUid]);
      assert.deepEqual(await late(LATE), { ...open, unconfirmedError: 'reason' });
      assert.deepEqual((await late(NOW)).unasked, 0, 'sent at that moment, not before');
    });

    test('what was never due somewhere is found by looking through everything, page by page', async () => {
      await catalog.ingest([1, 2, 3, 4, 5].map((n) => instanceRecord(99, 1, n)));
      let added = 0;
      for (let after_ = 0, isDone = false; !isDone; ) {
        const request = { destination: 'FILL', after: after_, limit: 3, now: NOW };
        const page = await catalog.deliveries.fill(request);
        added += page.added;
        ({ after: after_, isDone } = page);
      }
      const { instances } = await catalog.counts();
      assert.equal(added, instances);
      const again = await catalog.deliveries.fill({ destination: 'FILL', after: 0, limit: 1000, now: NOW });
      assert.deepEqual([again.added, again.isDone], [0, true]);
    });
  });
}
