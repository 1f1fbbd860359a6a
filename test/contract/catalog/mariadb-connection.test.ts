// MariaDB: a connection that breaks, a server that falls silent, daemons that are in each other's way. Whatever
// happens, nothing is counted twice and nothing is lost.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { InstanceRecord } from '../../../src/catalog/catalog.ts';
import { prepareIngest } from '../../../src/catalog/ingest.ts';
import { ingestRecordOf } from '../../../src/catalog/ingest-record.ts';
import { ServerConnection } from '../../../src/catalog/mariadb/server-connection.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { openEngine } from '../../../src/catalog/open-engine.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { type Cut, CuttingProxy } from '../../support/cutting-proxy.ts';
import { collectGarbage } from '../../support/garbage.ts';
import { MariadbServer, mariadbAddress } from '../../support/mariadb-server.ts';
import { assertCountersEqualRecount, assertSearchKeysComplete } from './harness.ts';

let server: MariadbServer;
let proxy: CuttingProxy;
before(async () => {
  server = await MariadbServer.start();
  proxy = await CuttingProxy.start(server.port);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Something of everything: new instances in an old and a new study, other content that stays, and that moves. */
function batch(round: number): InstanceRecord[] {
  const receivedAt = `2025-01-01T00:00:${String(round).padStart(2, '0')}.000Z`;
  const changed = { receivedAt, content: `${round}`, supersededPath: `superseded/${round}` };
  return [
    instanceRecord('old', 1, `1${round}`, { receivedAt }),
    instanceRecord(`new${round}`, 1, 1, { receivedAt }),
    instanceRecord('old', 1, 1, changed),
    {
      ...instanceRecord(round % 2 === 0 ? 'here' : 'there', 1, 'moves', changed),
      instance: { ...instanceRecord('here', 1, 'moves').instance },
    },
  ];
}

describe('a connection that breaks while a batch is ingested', () => {
  for (const cut of ['unsent', 'unanswered'] satisfies Cut[]) {
    test(`at every statement and at the commit, ${cut}: the batch is there once`, async (t) => {
      const database = await server.freshDatabase();
      const engine = await openEngine(server.url(database, 'tcp', proxy.port));
      t.after(() => engine.close());
      const ingest = prepareIngest(engine);
      await ingest([instanceRecord('old', 1, 1), instanceRecord('here', 1, 'moves')].map(ingestRecordOf));
      let round = 0;
      for (let reached = true; reached; ) {
        round += 1;
        proxy.arm(round, cut);
        await ingest(batch(round).map(ingestRecordOf));
        reached = !proxy.disarm();
      }
      assert.ok(round > 15, `only ${round} statements`);
      const direct = server.url(database);
      await assertCountersEqualRecount(direct);
      await assertSearchKeysComplete(direct);
      const catalog = await openCatalog(direct);
      t.after(() => catalog.close());
      assert.equal((await catalog.counts()).instances, 2 + 2 * round);
      assert.equal((await catalog.superseded('1.2.826.1.old.1.1')).length, round);
      assert.equal((await catalog.superseded('1.2.826.1.here.1.moves')).length, round);
    });
  }
});

describe('daemons that share a database', () => {
  test('parts of the same studies ingested by four at once: exact counters, nothing surfaces', async (t) => {
    const url = server.url(await server.freshDatabase());
    const daemons = await Promise.all(Array.from({ length: 4 }, () => openCatalog(url)));
    t.after(() => Promise.all(daemons.map((daemon) => daemon.close())));
    await Promise.all(
      daemons.map(async (daemon, part) => {
        for (let at = 0; at < 12; at++) {
          // Each in another order, new studies and series all the time, and some instances sent to everybody.
          const records = Array.from({ length: 20 }, (_, i) =>
            instanceRecord((i * (part + 1)) % 5, (i + at) % 4, `${i % 4 === 0 ? 9 : part}.${at}.${i}`),
          );
          await daemon.ingest(records);
        }
      }),
    );
    await assertCountersEqualRecount(url);
    await assertSearchKeysComplete(url);
  });

  test('other content of the same instances told to four at once: one current, each of the others listed', async (t) => {
    const url = server.url(await server.freshDatabase());
    const daemons = await Promise.all(Array.from({ length: 4 }, () => openCatalog(url)));
    t.after(() => Promise.all(daemons.map((daemon) => daemon.close())));
    await Promise.all(
      daemons.map(async (daemon, part) => {
        for (let at = 0; at < 10; at++) {
          const receivedAt = `2025-01-01T00:00:0${at}.00${part}Z`;
          const change = { receivedAt, content: `${part}.${at}`, supersededPath: `superseded/${part}.${at}` };
          await daemon.ingest([
            instanceRecord((part + at) % 3, 1, 1, change),
            { ...instanceRecord(part, 1, 2, change), instance: instanceRecord(7, 1, 7).instance },
          ]);
        }
      }),
    );
    await assertCountersEqualRecount(url);
    await assertSearchKeysComplete(url);
    const moved = await daemons[0]?.locate('1.2.826.1.7.1.7');
    assert.equal(moved?.location.receivedAt, '2025-01-01T00:00:09.003Z');
  });

  test('as many at once make the schema of an empty database', async () => {
    const url = server.url(await server.freshDatabase());
    const daemons = await Promise.all(Array.from({ length: 6 }, () => openCatalog(url)));
    for (const [number, daemon] of daemons.entries()) await daemon.ingest([instanceRecord(number, 1, 1)]);
    for (const daemon of daemons) assert.equal((await daemon.counts()).instances, 6);
    for (const daemon of daemons) await daemon.close();
  });
});

describe('a server that is away', () => {
  test('is catalog-unreachable at once, without the password, and found again by itself', async (t) => {
    const catalog = await openCatalog(server.url(await server.freshDatabase(), 'tcp', proxy.port));
    t.after(() => catalog.close());
    await catalog.ingest([instanceRecord(1, 1, 1)]);
    await server.kill();
    for (let attempt = 0; attempt < 3; attempt++) {
      const started = performance.now();
      const told = (error: Error & { code?: string }) =>
        error.code === 'catalog-unreachable' &&
        error.message.includes(`127.0.0.1:${proxy.port}`) &&
        !/p@ss|p%40ss/.test(error.message);
      await assert.rejects(catalog.counts(), told);
      await assert.rejects(catalog.ingest([instanceRecord(1, 1, 2)]), told);
      assert.ok(performance.now() - started < 4500);
    }
    await server.startAgain();
    await until(() => catalog.counts());
    await catalog.ingest([instanceRecord(1, 1, 2)]);
    assert.equal((await catalog.counts()).instances, 2);
  });

  test('connections that broke while they lay idle are not noticed', async (t) => {
    const catalog = await openCatalog(server.url(await server.freshDatabase(), 'tcp', proxy.port));
    t.after(() => catalog.close());
    for (let round = 1; round <= 5; round++) {
      await Promise.all(Array.from({ length: 8 }, () => catalog.counts()));
      await server.asRoot(async (root) => {
        const sessions = await root.query<{ id: bigint }[]>(
          "select id from information_schema.processlist where user = 'vault'",
        );
        for (const { id } of sessions) await root.query(`kill ${id}`);
      });
      assert.equal((await catalog.counts()).instances, round - 1);
      await catalog.ingest([instanceRecord(1, 1, round)]);
    }
  });

  test('one that takes connections and says nothing costs each of them two seconds', async (t) => {
    const catalog = await openCatalog(server.url(await server.freshDatabase(), 'tcp', proxy.port));
    t.after(() => catalog.close());
    proxy.silent = true;
    proxy.cutAll();
    const started = performance.now();
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => catalog.counts()));
    assert.ok(answers.every(({ status }) => status === 'rejected'));
    const seconds = (performance.now() - started) / 1000;
    proxy.silent = false;
    assert.ok(seconds < 6, `${seconds} s`);
    await until(() => catalog.counts());
  });
});

test('of several servers the next one is asked when one cannot be reached', async (t) => {
  const database = await server.freshDatabase();
  const url = server.url(database).replace('127.0.0.1:', `127.0.0.1:1,127.0.0.1:${proxy.port},127.0.0.1:`);
  const catalog = await openCatalog(url);
  t.after(() => catalog.close());
  await catalog.ingest([instanceRecord('cluster', 1, 1)]);
  assert.equal((await catalog.counts()).instances, 1);
});

test('a statement that is under way when the catalogue is closed takes its connection with it', async () => {
  const database = await server.freshDatabase();
  const engine = await openEngine(server.url(database));
  await server.asRoot(async (root) => {
    const sessions = async (count: number) => {
      const deadline = Date.now() + 10_000;
      for (let found = -1; found !== count; ) {
        assert.ok(Date.now() < deadline, `${found} sessions, not ${count}`);
        const list = `select id from information_schema.processlist where db = '${database}'`;
        found = (await root.query<object[]>(list)).length;
      }
    };
    await root.query("select get_lock('held', 0)");
    const waiting = sql`select get_lock('held', 60)`.execute(engine.db);
    await sessions(1);
    await engine.close();
    await root.query("select release_lock('held')");
    await waiting;
    await sessions(0);
    await assert.rejects(sql`select 1`.execute(engine.db));
  });
});

test('a connection holds nothing of the statements that it has answered', async (t) => {
  const address = mariadbAddress(server.url(await server.freshDatabase()));
  const maxStatementBytes = Number.POSITIVE_INFINITY;
  const connection = await ServerConnection.open(address, {
    encrypted: false,
    answerMs: 5000,
    maxStatementBytes,
  });
  t.after(() => connection.close());
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 100; i++)
    answers.push(new WeakRef(await connection.execute('select ? as number', [i])));
  await collectGarbage();
  const held = answers.filter((answer) => answer.deref() !== undefined).length;
  assert.ok(held < 10, `${held} of 100 answers`);
});

/** Asks again until it is answered. */
async function until<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 30_000; ; await pause(20)) {
    try {
      return await ask();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'catalog-unreachable');
      if (Date.now() > deadline) throw error;
    }
  }
}
