// A later version that stops in the middle of its change of the schema, says so and waits to be killed.

import { writeSync } from 'node:fs';
import { MARIADB_STEPS, SQLITE_STEPS } from '../../support/schema-steps.ts';

const [, , engine, url = '', stop] = process.argv;
const stepped = engine === 'SQLite' ? SQLITE_STEPS : MARIADB_STEPS;
setInterval(() => undefined, 60_000);
await stepped.openLater(url, async (statement) => {
  if (statement !== Number(stop)) return;
  writeSync(1, 'in the middle\n');
  await new Promise(() => undefined);
});
