// The contract of the catalogue, on a MariaDB server.

import { after, before } from 'node:test';
import { MariadbServer, NOT_WAITING_FOR_DISK } from '../../support/mariadb-server.ts';
import { crashSuite } from './crash-suite.ts';
import { deliveriesSuite } from './deliveries-suite.ts';
import { fillerSuite } from './filler-suite.ts';
import type { EngineUnderTest } from './harness.ts';
import { ingestSuite } from './ingest-suite.ts';
import { jobsSuite } from './jobs-suite.ts';
import { matchingSuite } from './matching-suite.ts';
import { nameContainingSuite } from './name-containing-suite.ts';
import { narrowingSuite } from './narrowing-suite.ts';
import { readingSuite } from './reading-suite.ts';
import { studyListSuite } from './study-list-suite.ts';
import { studyTextSuite } from './study-text-suite.ts';
import { trashSuite } from './trash-suite.ts';
import { upkeepSuite } from './upkeep-suite.ts';

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start({ args: NOT_WAITING_FOR_DISK });
});
after(() => server[Symbol.asyncDispose]());

const mariadb: EngineUnderTest = {
  name: 'MariaDB',
  fresh: async () => server.url(await server.freshDatabase()),
};

ingestSuite(mariadb);
matchingSuite(mariadb);
nameContainingSuite(mariadb);
narrowingSuite(mariadb);
readingSuite(mariadb);
studyListSuite(mariadb);
studyTextSuite(mariadb);
jobsSuite(mariadb);
deliveriesSuite(mariadb);
trashSuite(mariadb);
upkeepSuite(mariadb);
crashSuite(mariadb);
fillerSuite(mariadb);
