// The full test of a peer: against Orthanc, DCMTK and another archive of this kind; what is not set up right there is
// found by the step that needs it, and nothing made up stays here.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type PeerAddress, startOrthanc, startStorescp } from '../support/foreign-peers.ts';
import { type HttpAsk, httpAsk } from '../support/http-site.ts';
import { freePort } from '../support/running-process.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

interface Step {
  readonly name: string;
  readonly state: string;
  readonly code?: string;
  readonly detail?: string;
}
interface PeerTest {
  readonly state: string;
  readonly steps: readonly Step[];
}

let folder: TempFolder;
let daemon: Daemon;
let us: PeerAddress;

before(async () => {
  folder = await tempFolder('peer-test');
  daemon = await startDaemon({ dataDir: folder.path });
  us = { aeTitle: daemon.aeTitle, host: '127.0.0.1', port: daemon.port };
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ask = (path: string, options: HttpAsk = {}) =>
  httpAsk(Number(new URL(daemon.httpUrl).port), path, options);

async function begin({ aeTitle, host, port }: PeerAddress): Promise<string> {
  await ask('/api/peers', { method: 'POST', body: { aeTitle, host, port } });
  const { status, json } = await ask(`/api/peers/${aeTitle}/tests`, { method: 'POST' });
  assert.equal(status, 202);
  return String(json.id);
}

/** The test when it has ended; the events say when there is something new to ask for. */
async function ended(id: string): Promise<PeerTest> {
  const events = await fetch(`${daemon.httpUrl}/api/events`);
  try {
    for await (const _ of events.body!) {
      const test = (await ask(`/api/tests/${id}`)).json as unknown as PeerTest;
      if (test.state !== 'running') return test;
    }
  } finally {
    await events.body?.cancel().catch(() => undefined);
  }
  throw new Error('the events ended');
}

const states = ({ steps }: PeerTest) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));

describe('the full test', { concurrency: true }, () => {
  test('of Orthanc that knows us: everything passes', async () => {
    await using orthanc = await startOrthanc({ aeTitle: 'ORTHANC', modalities: { us } });
    const done = await ended(await begin(orthanc));
    const wanted = ['echo', 'store', 'find', 'move', 'commit', 'clean-up'].map((name) => [name, 'passed']);
    assert.deepEqual(states(done), Object.fromEntries(wanted), JSON.stringify(done.steps));
    assert.equal(done.state, 'passed');
    const patients = (await orthanc.rest('GET', '/patients?expand')) as { MainDicomTags: object }[];
    assert.deepEqual(
      patients.map(({ MainDicomTags }) => Object.values(MainDicomTags).includes('ANGIOVAULT-TEST')),
      [true],
    );
  });

  test('of Orthanc that has a wrong port for us: the move fails, and is explained', async () => {
    const wrong = { ...us, port: await freePort() };
    await using orthanc = await startOrthanc({ aeTitle: 'WRONGPORT', modalities: { us: wrong } });
    const done = await ended(await begin(orthanc));
    assert.equal(done.state, 'failed');
    const { move, commit, find } = states(done);
    assert.deepEqual([find, move, commit], ['passed', 'failed', 'skipped']);
    assert.match(
      done.steps.find(({ name }) => name === 'move')?.detail ?? '',
      /address and port that it has for ANGIOVAULT/,
    );
  });

  test('of DCMTK’s storage SCP: what it does not offer is left out', async () => {
    await using files = await tempFolder('peer-test-scp');
    await using scp = await startStorescp(files.path);
    const done = await ended(await begin(scp));
    assert.deepEqual(
      states(done),
      {
        echo: 'passed',
        store: 'passed',
        find: 'skipped',
        move: 'skipped',
        commit: 'skipped',
        'clean-up': 'passed',
      },
      JSON.stringify(done.steps),
    );
    assert.equal(done.state, 'passed');
  });

  test('of another archive of this kind: everything passes', async () => {
    await using other = await tempFolder('peer-test-other');
    await using archive = await startDaemon({
      ...{ dataDir: other.path, aeTitle: 'SECOND' },
      peers: [`${us.aeTitle}@${us.host}:${us.port}`],
    });
    const done = await ended(await begin({ aeTitle: 'SECOND', host: '127.0.0.1', port: archive.port }));
    assert.equal(done.state, 'passed', JSON.stringify(done.steps));
    assert.ok(done.steps.every(({ state }) => state === 'passed'));
  });

  test('of a machine that says nothing can be stopped', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const connected = once(silent, 'connection');
    const id = await begin({ aeTitle: 'SILENT', host: '127.0.0.1', port });
    assert.equal((await ask('/api/peers/SILENT/tests', { method: 'POST' })).json.code, 'test-running');
    await connected;
    assert.equal((await ask(`/api/tests/${id}`, { method: 'DELETE' })).status, 204);
    const done = await ended(id);
    assert.equal(done.state, 'cancelled');
    assert.deepEqual(states(done)['clean-up'], 'passed');
    silent.close();
  });
});

test('nothing of all that is in this archive', async () => {
  const { counts } = (await ask('/api/status')).json as { counts: Record<string, number> };
  assert.deepEqual(counts, { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 });
});
