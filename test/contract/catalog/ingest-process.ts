// A process that ingests without end and prints what is acknowledged, to be killed (see crash-suite.ts).

import { writeSync } from 'node:fs';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';

const [, , url = '', round = '0'] = process.argv;
const catalog = await openCatalog(url);

for (let batch = 0; ; batch++) {
  const records = Array.from({ length: 1 + (batch % 4) }, (_, i) =>
    instanceRecord(`${round}.${batch % 5}`, batch % 3, `${batch}.${i}`),
  );
  await catalog.ingest(records);
  writeSync(1, `${records.map((record) => record.instance.uid).join(' ')}\n`);
}
