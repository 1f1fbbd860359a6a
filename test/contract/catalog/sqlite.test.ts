// The contract of the catalogue, on the embedded engine.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQLITE_STEPS } from '../../support/schema-steps.ts';
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
import { schemaChangeSuite } from './schema-change-suite.ts';
import { studyListSuite } from './study-list-suite.ts';
import { studyTextSuite } from './study-text-suite.ts';
import { trashSuite } from './trash-suite.ts';
import { upkeepSuite } from './upkeep-suite.ts';

const sqlite: EngineUnderTest = {
  name: 'SQLite',
  fresh: async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
    test.after(() => rmSync(folder, { recursive: true, force: true }));
    return `sqlite:${join(folder, 'catalog.sqlite')}`;
  },
};

ingestSuite(sqlite);
matchingSuite(sqlite);
nameContainingSuite(sqlite);
narrowingSuite(sqlite);
readingSuite(sqlite);
studyListSuite(sqlite);
studyTextSuite(sqlite);
jobsSuite(sqlite);
deliveriesSuite(sqlite);
trashSuite(sqlite);
upkeepSuite(sqlite);
crashSuite(sqlite);
fillerSuite(sqlite);
schemaChangeSuite(sqlite, SQLITE_STEPS);
