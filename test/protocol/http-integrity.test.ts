// Integrity in the app: never better than the truth, a damaged file is found, and somebody decides about it.
import assert from 'node:assert/strict';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { filesIn } from '../support/archive-state.ts';
import { ByteAssociation, EXPLICIT_LE } from '../support/byte-association.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { CT_IMAGE, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type HttpAsk, httpAsk } from '../support/http-site.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
let daemon: Daemon;

before(async () => {
  folder = await tempFolder('http-integrity');
  daemon = await startDaemon({ dataDir: folder.path });
  const contexts = [{ abstractSyntax: CT_IMAGE, transferSyntaxes: [EXPLICIT_LE] }];
  const association = await ByteAssociation.request({ port: daemon.port, contexts });
  for (let n = 0; n < 3; n += 1) assert.equal((await store(association, madeInstance())).Status, 0);
  await association.release();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ask = (path: string, options: HttpAsk = {}) =>
  httpAsk(Number(new URL(daemon.httpUrl).port), path, options);
const safety = async () =>
  ((await ask('/api/status')).json as { safety: { level: string; reasons: { code: string }[] } }).safety;

/** Starts a check and waits for the event of its end. */
async function check(): Promise<void> {
  const events = await fetch(`${daemon.httpUrl}/api/events`);
  assert.equal((await ask('/api/integrity/runs', { method: 'POST' })).status, 202);
  let text = '';
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('event: findings')) return;
  }
}

test('before the first check the level is unknown, after it safe', async () => {
  assert.equal((await safety()).level, 'unknown');
  await check();
  const { level, reasons } = await safety();
  assert.deepEqual([level, reasons.map(({ code }) => code)], ['safe', ['all-verified']]);
  const { runs } = (await ask('/api/integrity')).json as { runs: { files: number; outcome: string }[] };
  assert.deepEqual(
    runs.map(({ files, outcome }) => [files, outcome]),
    [[3, 'done']],
  );
});

test('an altered and a missing file are findings, the level is danger, and a notice says so', async () => {
  const inStudies = (path: string) => join(folder.path, 'archive', 'studies', path);
  const [first, second] = filesIn(folder.path, 'studies').map(inStudies) as [string, string];
  {
    await using file = await open(first, 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.from([0x5a]), 0, 1, size - 1);
  }
  await rm(second);
  await check();
  assert.equal((await safety()).level, 'danger');
  const { items } = (await ask('/api/integrity/findings?state=open')).json as {
    items: { id: string; kind: string; actions: string[] }[];
  };
  assert.deepEqual(items.map(({ kind }) => kind).sort(), ['data-altered', 'missing']);
  const { notices } = (await ask('/api/status')).json as { notices: { code: string; level: string }[] };
  assert.deepEqual(
    notices.map(({ code, level }) => [code, level]),
    [['findings', 'error']],
  );
  for (const { id, actions } of items) {
    assert.ok(actions.includes('accept') && actions.includes('re-read'));
    const unfit = { method: 'POST', body: { action: 'adopt' } };
    assert.equal(
      (await ask(`/api/integrity/findings/${id}/actions`, unfit)).json.code,
      'action-not-possible',
    );
    const accept = { method: 'POST', body: { action: 'accept' } };
    assert.equal((await ask(`/api/integrity/findings/${id}/actions`, accept)).json.state, 'accepted');
    const { history } = (await ask(`/api/integrity/findings/${id}`)).json as { history: { by: string }[] };
    assert.equal(history.at(-1)?.by, 'this machine');
  }
  assert.equal((await ask('/api/integrity/findings/999999')).status, 404);
  // Whoever accepts a loss has not undone it.
  const { level, reasons } = await safety();
  assert.deepEqual([level, reasons.map(({ code }) => code)], ['attention', ['accepted-findings']]);
  const audit = (await ask('/api/audit?limit=1')).json as { items: { action: string }[] };
  assert.equal(audit.items[0]?.action, 'finding-accept');
});
