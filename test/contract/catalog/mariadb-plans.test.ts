// How MariaDB carries out what the catalogue asks of tables that grow. It decides by how many rows there are: a join that is
// to give a few hundred instances in order may begin with all studies, and put every instance there is in order.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openMariadb } from '../../../src/catalog/mariadb/engine.ts';
import { parseCatalogAddress } from '../../../src/util/catalog-address.ts';
import { fillCatalog } from '../../support/catalog-filler.ts';
import { MariadbServer, NOT_WAITING_FOR_DISK } from '../../support/mariadb-server.ts';
import { exercise, plansOf, recorded, type Statements } from '../../support/recorded-engine.ts';

const SHAPE = { studies: 4000, seriesPerStudy: 2, instancesPerSeries: 3 };
const GROWING = /^(patient|study|series|instance|search_key),/;

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start({ args: NOT_WAITING_FOR_DISK });
});
after(() => server[Symbol.asyncDispose]());

test('no statement reads all patients, studies, series, instances or keys', async (t) => {
  const url = server.url(await server.freshDatabase());
  await fillCatalog(url, SHAPE);
  const address = parseCatalogAddress(url, '/');
  assert.ok(address?.engine === 'mariadb');
  const engine = await openMariadb(address);
  t.after(() => engine.close());
  const statements: Statements = new Map();
  await exercise(recorded(engine, statements), SHAPE);
  for (const { statement, scans } of await plansOf(engine, statements))
    assert.deepEqual(
      scans.filter((scan) => GROWING.test(scan)),
      [],
      statement,
    );
});
