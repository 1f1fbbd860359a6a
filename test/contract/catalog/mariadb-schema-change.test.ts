// MariaDB commits each statement that changes a schema by itself: cut, killed and taken back at every one of them,
// beside daemons of the version before.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { bringForwardMariadb, openMariadb } from '../../../src/catalog/mariadb/engine.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { MariadbServer, mariadbAddress, NOT_WAITING_FOR_DISK } from '../../support/mariadb-server.ts';
import { laterMariadb, MARIADB_STEPS } from '../../support/schema-steps.ts';
import type { EngineUnderTest } from './harness.ts';
import {
  assertOldVersionWorks,
  changingProcess,
  filledCatalog,
  schemaChangeSuite,
} from './schema-change-suite.ts';

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start({ args: NOT_WAITING_FOR_DISK });
});
after(() => server[Symbol.asyncDispose]());

const engine: EngineUnderTest = {
  name: 'MariaDB',
  fresh: async () => server.url(await server.freshDatabase()),
};
const filled = async () => filledCatalog(server.url(await server.freshDatabase()));
const { state } = MARIADB_STEPS;
const statements = MARIADB_STEPS.steps.flat().length;
const openOld = async (url: string) => (await openMariadb(mariadbAddress(url))).close();
const bringForward = (url: string) => bringForwardMariadb(mariadbAddress(url), laterMariadb());

schemaChangeSuite(engine, MARIADB_STEPS);

// What is answered and not heard has happened: to lose the connection before the next statement is the same.
describe('the connection is lost after a statement', () => {
  const throughProxy = (url: string, proxy: CuttingProxy) =>
    url.replace(`:${server.port}/`, `:${proxy.port}/`);
  const tellsOf = (error: Error) => assert.match(`${error}`, /Catalogue 'vault_/);

  test('of the change: the old version finds what it had', async () => {
    await using proxy = await CuttingProxy.start(server.port);
    const url = await filled();
    const was = await state(url);
    let cuts = 0;
    for (; ; cuts += 1) {
      proxy.arm(cuts + 1, 'unanswered');
      await bringForward(throughProxy(url, proxy)).catch(tellsOf);
      if (proxy.disarm()) break;
      await openOld(url);
      assert.deepEqual(await state(url), was, `after cut ${cuts + 1}`);
    }
    assert.ok(cuts > statements * 2, `${cuts} cuts`);
  });

  test('of taking it back: the next start of the old version takes it back', async () => {
    await using proxy = await CuttingProxy.start(server.port);
    const url = await filled();
    const was = await state(url);
    for (let at = 1, isOver = false; !isOver; at += 1) {
      await bringForward(url);
      proxy.arm(at, 'unanswered');
      await openOld(throughProxy(url, proxy)).catch(tellsOf);
      isOver = proxy.disarm();
      await openOld(url);
      assert.deepEqual(await state(url), was, `after cut ${at}`);
    }
  });

  test('of the start that takes it up: it is the old one or the new one, as a whole', async () => {
    await using proxy = await CuttingProxy.start(server.port);
    const taken = await filled();
    await (await MARIADB_STEPS.openLater(taken)).close();
    const whole = await state(taken);
    let url = await filled();
    const was = await state(url);
    for (let at = 1, isOver = false; !isOver; at += 1) {
      await bringForward(url);
      proxy.arm(at, 'unanswered');
      const later = MARIADB_STEPS.openLater(throughProxy(url, proxy));
      await later.then((opened) => opened.close()).catch(tellsOf);
      isOver = proxy.disarm();
      const refusal = await openOld(url).catch((error: Error & { code?: string }) => error.code);
      if (refusal === undefined) {
        assert.deepEqual(await state(url), was, `after cut ${at}`);
        continue;
      }
      assert.equal(refusal, 'catalog-newer');
      await (await MARIADB_STEPS.openLater(url)).close();
      assert.deepEqual(await state(url), whole, `after cut ${at}`);
      url = await filled();
    }
  });
});

test('the server is killed in the middle of the change: the old version finds what it had', async () => {
  const url = await filled();
  const was = await state(url);
  const changing = await changingProcess(engine, url, statements - 1);
  await server.kill();
  await changing.kill();
  await server.startAgain();
  await openOld(url);
  assert.deepEqual(await state(url), was);
  await assertOldVersionWorks(url);
  const { database } = mariadbAddress(url);
  const deleting = server.asRoot((root) => root.query('delete from study'), database);
  await assert.rejects(deleting, { errno: 1451 }, 'series still refer to it');
});

test('brought forward and not opened: the old version takes it back; opened: it is refused, and the copies are gone', async () => {
  const url = await filled();
  const was = await state(url);
  await bringForward(url);
  await openOld(url);
  assert.deepEqual(await state(url), was);
  await bringForward(url);
  await bringForward(url);
  await (await MARIADB_STEPS.openLater(url)).close();
  await assert.rejects(openOld(url), { code: 'catalog-newer', message: /version 3.*up to 1/ });
  const tables = await server.asRoot(
    (root) => root.query<object[]>('show tables'),
    mariadbAddress(url).database,
  );
  const left = tables
    .flatMap((row) => Object.values(row))
    .filter((name) => /_version_|schema_copy/.test(name));
  assert.deepEqual(left, []);
});

test('a daemon of the old version writes nothing while the schema changes, and goes on when that is taken back', async (t) => {
  const url = await filled();
  const daemon = await openCatalog(url);
  t.after(() => daemon.close());
  const ingest = () => daemon.ingest([instanceRecord(7, 1, 1)]);
  const changing = await changingProcess(engine, url, 2);
  await assert.rejects(ingest(), { code: 'catalog-busy', message: /being changed by another version/ });
  await changing.kill();
  await openOld(url);
  await ingest();
  assert.ok(await daemon.locate('1.2.826.1.7.1.1'));
  await (await MARIADB_STEPS.openLater(url)).close();
  await assert.rejects(ingest(), { code: 'catalog-newer', message: /schema version 3; install that one/ });
});

test('the change waits for what a daemon of the old version is writing', async (t) => {
  const url = await filled();
  const daemon = await openMariadb(mariadbAddress(url));
  t.after(() => daemon.close());
  const isWritten = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const writing = daemon.transaction(async (db) => {
    await db.updateTable('total').set({ bytes: 77 }).where('id', '=', 1).execute();
    isWritten.resolve();
    await mayCommit.promise;
  });
  await isWritten.promise;
  const order: string[] = [];
  const changing = bringForward(url).then(() => order.push('changed'));
  // The server looks anew only when nobody has asked for 100 ms.
  await server.asRoot(async (root) => {
    const waiting = "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'";
    while ((await root.query<object[]>(waiting)).length === 0) {
      assert.deepEqual(order, []);
      await pause(200);
    }
  });
  order.push('written');
  mayCommit.resolve();
  await Promise.all([writing, changing]);
  assert.deepEqual(order, ['written', 'changed']);
  await openOld(url);
  assert.equal(
    (await daemon.db.selectFrom('total').select('bytes').where('id', '=', 1).execute())[0]?.bytes,
    77,
  );
});
