// Contract: whose turn it is to be read again, and what is kept of findings, runs and notices.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { assertCountersEqualRecount, type EngineUnderTest, freshCatalog } from './harness.ts';

const NOW = '2026-05-01T00:00:00.000Z';

export function upkeepSuite(engine: EngineUnderTest): void {
  describe(`upkeep on ${engine.name}`, () => {
    test('never read comes first, then what was read longest ago; other content is new again', async (t) => {
      const catalog = await freshCatalog(engine, t);
      await catalog.ingest([1, 2, 3].map((instance) => instanceRecord(1, 1, instance)));
      const due = async (before = NOW) => catalog.ask('due', { before, limit: 10 });
      const numbers = async () => (await due()).map(({ sopInstanceUid }) => sopInstanceUid.slice(-1));
      assert.deepEqual(await numbers(), ['1', '2', '3']);
      const [first, second] = await due();
      assert.ok(first && second);
      const verified = (instance: typeof first, verifiedAt: string, sha256 = instance.location.sha256) =>
        ({ id: instance.id, sha256, verifiedAt, result: 'sound' }) as const;
      await catalog.ask('verified', [
        verified(first, '2026-04-02T00:00:00.000Z'),
        verified(second, '2026-04-01T00:00:00.000Z'),
      ]);
      assert.deepEqual(await numbers(), ['3', '2', '1']);
      assert.equal((await due('2026-04-01T12:00:00.000Z')).length, 2);
      await catalog.ask('verified', [verified(first, NOW, 'other content by now')]);
      const [, , proven] = await catalog.ask('proof', '1.2.826.1.1');
      assert.deepEqual(
        (await catalog.ask('proof', '1.2.826.1.1')).map(({ verifiedAt, result }) => [verifiedAt, result]),
        [
          ['2026-04-02T00:00:00.000Z', 'sound'],
          ['2026-04-01T00:00:00.000Z', 'sound'],
          ['', ''],
        ],
      );
      assert.equal(proven?.sopInstanceUid, '1.2.826.1.1.1.3');
      await catalog.ingest([
        instanceRecord(1, 1, 1, { content: 'newer', receivedAt: NOW, supersededPath: 'superseded/a.dcm' }),
      ]);
      assert.deepEqual(await numbers(), ['1', '3', '2']);
    });

    test('the same content in a file made anew keeps every counter', async (t) => {
      const url = await engine.fresh(t);
      const catalog = await openCatalog(url);
      const { location, instance } = instanceRecord(1, 1, 1);
      await catalog.ingest([instanceRecord(1, 1, 1), instanceRecord(1, 1, 2)]);
      const anew = { ...location, dataSetOffset: 320, fileBytes: 1020 };
      await catalog.ask('relocate', { sopInstanceUid: instance.uid, location: anew });
      assert.deepEqual((await catalog.locate(instance.uid))?.location, anew);
      const other = { ...anew, sha256: 'other', fileBytes: 1 };
      await catalog.ask('relocate', { sopInstanceUid: instance.uid, location: other });
      assert.deepEqual((await catalog.locate(instance.uid))?.location, anew);
      await catalog.close();
      await assertCountersEqualRecount(url);
    });

    test('a finding is one as long as it is not solved, and keeps what was done about it', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const found = {
        kind: 'missing',
        path: 'studies/a.dcm',
        sopInstanceUid: '1.2',
        reason: 'gone',
      } as const;
      const report = () => catalog.ask('report', { ...found, foundAt: NOW });
      const { finding, isNew } = await report();
      assert.equal(isNew, true);
      assert.deepEqual(await report(), { finding, isNew: false });
      const action = { at: NOW, by: 'chief', action: 'read-again', outcome: 'still missing' };
      await catalog.ask('act', { finding: finding.id, ...action });
      assert.equal(await catalog.ask('openFindings', undefined), 1);
      await catalog.ask('act', { finding: finding.id, ...action, state: 'accepted' });
      assert.equal((await report()).finding.state, 'accepted');
      assert.equal(await catalog.ask('openFindings', undefined), 0);
      await catalog.ask('solve', { path: found.path, ...action });
      const solved = await catalog.ask('finding', finding.id);
      assert.deepEqual(solved?.finding, { ...finding, state: 'solved', closedAt: NOW });
      assert.equal(solved?.actions.length, 3);
      assert.notEqual((await report()).finding.id, finding.id);
      const ids = (await catalog.ask('findings', {})).map(({ id }) => id);
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => b - a),
      );
      assert.equal((await catalog.ask('findings', { state: 'open' })).length, 1);
      assert.equal((await catalog.ask('findings', { below: finding.id })).length, 0);
    });

    test('runs, notices and progress', async (t) => {
      const catalog = await freshCatalog(engine, t);
      const id = await catalog.ask('beginRun', NOW);
      const counts = { files: 3, bytes: 5_000_000_000, findings: 2, repaired: 1 };
      const run = { id, startedAt: NOW, endedAt: NOW, state: 'done', ...counts } as const;
      await catalog.ask('updateRun', run);
      await catalog.ask('beginRun', NOW);
      assert.deepEqual((await catalog.ask('runs', 5))[1], run);
      const notice = {
        key: 'space',
        code: 'space',
        level: 'warning',
        params: { daysLeft: 9 },
        at: NOW,
      } as const;
      assert.equal(await catalog.ask('raise', notice), true);
      assert.equal(await catalog.ask('raise', { ...notice, params: { daysLeft: 8 } }), false);
      assert.equal(await catalog.ask('raise', { ...notice, level: 'urgent' }), true);
      assert.deepEqual(await catalog.ask('notices', undefined), [{ ...notice, level: 'urgent' }]);
      assert.equal(await catalog.ask('clear', 'space'), true);
      assert.equal(await catalog.ask('clear', 'space'), false);
      assert.equal(await catalog.ask('progress', 'walk'), undefined);
      await catalog.ask('setProgress', { name: 'walk', value: 'a' });
      await catalog.ask('setProgress', { name: 'walk', value: 'b' });
      assert.equal(await catalog.ask('progress', 'walk'), 'b');
    });
  });
}
