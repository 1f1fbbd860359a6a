// The thread of the catalogue: what its death means to those who wait.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord } from '../../support/catalog-generator.ts';

test('a dead thread rejects what is pending and all that comes with catalog-unreachable', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // The thread is out of reach from outside; its first message passes through here.
  let worker: Worker | undefined;
  const postMessage = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>) {
    worker = this;
    return postMessage.apply(this, args);
  };
  t.after(() => {
    Worker.prototype.postMessage = postMessage;
  });
  const catalog = await openCatalog(`sqlite:${join(folder, 'catalog.sqlite')}`);
  const pending = catalog.ingest(Array.from({ length: 500 }, (_, i) => instanceRecord(1, 1, i)));
  const dying = worker?.terminate();
  await assert.rejects(pending, { code: 'catalog-unreachable' });
  await dying;
  await assert.rejects(catalog.counts(), { code: 'catalog-unreachable' });
  await assert.rejects(
    async () => {
      for await (const _ of catalog.find({ level: 'STUDY', identifier: {} }));
    },
    { code: 'catalog-unreachable' },
  );
  await catalog.close();
});
