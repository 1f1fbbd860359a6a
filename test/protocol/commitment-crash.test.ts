// A storage commitment that was answered is reported, whatever happens to the daemon (PS3.4 Annex J): it is killed at a
// random moment between the answer and the report, and started again.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ByteAssociation, IMPLICIT_LE } from '../support/byte-association.ts';
import { askCommitment, PUSH_MODEL, ReportPort } from '../support/byte-commitment-scu.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { storageContexts, store } from '../support/byte-services.ts';
import { startDaemon } from '../support/daemon.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_CRASH_ROUNDS ?? 3);
/** The report is made a second after the request. */
const LONGEST_MS = 1500;

test('every transaction that was answered is reported, through kill -9', async (t) => {
  await using folder = await tempFolder('commitment-crash');
  const port = await ReportPort.listen();
  t.after(() => port.close());
  const options = { dataDir: folder.path, peers: [`DSA@127.0.0.1:${port.port}`] };
  const asked: string[] = [];
  const instances = Array.from({ length: 10 }, () => madeInstance());
  for (let round = 0; round < ROUNDS; round += 1) {
    const daemon = await startDaemon(options);
    const association = await ByteAssociation.request({
      port: daemon.port,
      callingAeTitle: 'DSA',
      contexts: [
        { abstractSyntax: PUSH_MODEL, transferSyntaxes: [IMPLICIT_LE] },
        ...storageContexts(instances),
      ],
    });
    if (round === 0) for (const instance of instances) await store(association, instance);
    const transactionUid = freshUid();
    assert.equal((await askCommitment(association, transactionUid, instances)).Status, 0);
    asked.push(transactionUid);
    await pause(randomInt(LONGEST_MS));
    await daemon.kill();
  }
  await using last = await startDaemon(options);
  const deadline = Date.now() + 30_000;
  while (!asked.every((uid) => port.reports.some(({ transactionUid }) => transactionUid === uid))) {
    assert.ok(Date.now() < deadline, `${port.reports.length} reports for ${asked.length}\n${last.stderr}`);
    await pause(20);
  }
  for (const { failed, committed } of port.reports) {
    assert.deepEqual([failed.size, committed.length], [0, instances.length]);
  }
  await last.stop();
});
