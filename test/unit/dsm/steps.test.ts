// The steps of the package's life, where they need no NAS.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { packageContext } from '../../../src/dsm/context.ts';
import { runStep } from '../../../src/dsm/steps.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const OUTSIDE = {
  tryLogin: () => assert.fail('nobody logs in'),
  bringForward: () => assert.fail('no change'),
};

/** Writes into the folder until it is ended, as the CGI of an open window does. */
const WRITER = `
  const { mkdirSync, writeFileSync } = require('node:fs');
  const { workerData: folder, parentPort } = require('node:worker_threads');
  for (let n = 0; ; n++) {
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(folder + '/' + n, 'compiled');
    } catch {}
    if (n === 200) parentPort.postMessage('busy');
  }`;

test('an upgrade goes through while the open window writes into the cache that is cleared', async () => {
  await using folder = await tempFolder('steps');
  const writer = new Worker(WRITER, { eval: true, workerData: join(folder.path, 'cache') });
  try {
    await new Promise((resolve) => writer.once('message', resolve));
    const context = packageContext({ SYNOPKG_PKGVAR: folder.path, SYNOPKG_PKG_STATUS: 'UPGRADE' });
    assert.equal(await runStep('postinst', context, OUTSIDE), '');
  } finally {
    await writer.terminate();
  }
});
