// MariaDB stopped and killed while a batch is ingested: nothing acknowledged is lost, no counter is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { codeOf } from '../../../src/util/errors.ts';
import { awaitedLater } from '../../../src/util/promises.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { assertCountersEqualRecount, assertSearchKeysComplete } from './harness.ts';

const ROUNDS = 10;
const BATCHES = 12;

test(`${ROUNDS} times killed or stopped in the middle of ingest: everything is there once, counters equal a recount`, async (t) => {
  await using server = await MariadbServer.start();
  const url = server.url(await server.freshDatabase());
  const daemons = [await openCatalog(url), await openCatalog(url)];
  t.after(() => Promise.all(daemons.map((daemon) => daemon.close())));
  const stored = new Set<string>();
  let failures = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const isOver = Promise.withResolvers<void>();
    let acknowledged = 0;
    const ingesting = daemons.map(async (daemon, part) => {
      for (let at = 0; at < BATCHES; at++) {
        const records = Array.from({ length: 1 + (at % 4) }, (_, i) =>
          instanceRecord(`${round}.${at % 3}`, part, `${at}.${i}`),
        );
        failures += await untilIngested(daemon, records);
        for (const { instance } of records) stored.add(instance.uid);
        // Somewhere in the middle, at another place each round.
        acknowledged += 1;
        if (acknowledged === 2 + round) isOver.resolve();
      }
    });
    const all = awaitedLater(Promise.all(ingesting));
    await Promise.race([isOver.promise, all]);
    await (round % 2 === 0 ? server.kill() : server.stop());
    await server.startAgain();
    await all;
  }
  assert.ok(failures > 0, 'nobody noticed');
  for (const uid of stored) assert.ok(await daemons[0]?.locate(uid), `${uid} was acknowledged`);
  assert.equal((await daemons[1]?.counts())?.instances, stored.size);
  await assertCountersEqualRecount(url);
  await assertSearchKeysComplete(url);
});

/** As the ingest queue does it: again until it is taken. Resolves to the number of failures. */
async function untilIngested(daemon: Catalog, records: Parameters<Catalog['ingest']>[0]): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (let failures = 0; ; failures++) {
    try {
      await daemon.ingest(records);
      return failures;
    } catch (error) {
      assert.equal(codeOf(error), 'catalog-unreachable', String(error));
      if (Date.now() > deadline) throw error;
      await pause(20);
    }
  }
}
