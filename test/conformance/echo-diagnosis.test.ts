// POST /api/echo: every cause of a failing echo, produced for real, and named as what it is.
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { echoForApp } from '../../src/main/echo-peer.ts';
import { Acceptor, type AcceptorOptions } from '../../src/ul/acceptor.ts';
import { blackHole } from '../support/black-hole.ts';
import { makeCertificate } from '../support/certificates.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { startOrthanc, startStorescp } from '../support/foreign-peers.ts';
import { httpAsk } from '../support/http-site.ts';
import { listening } from '../support/listening-server.ts';
import { freePort } from '../support/running-process.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const IMPLEMENTATION = { implementationClassUid: '2.25.1', implementationVersionName: 'TEST' };

let folder: TempFolder;
let daemon: Daemon;

before(async () => {
  folder = await tempFolder('echo');
  daemon = await startDaemon({ dataDir: folder.path });
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What the app is told. */
async function asked(peer: { host: string; port: number; aeTitle?: string }) {
  const port = Number(new URL(daemon.httpUrl).port);
  const body = { aeTitle: 'DSA', ...peer };
  const { status, json } = await httpAsk(port, '/api/echo', { method: 'POST', body });
  assert.equal(status, 200, JSON.stringify(json));
  return json as {
    ok: boolean;
    code?: string;
    detail?: string;
    params?: Record<string, unknown>;
    ms?: number;
  };
}

async function scripted(decide: AcceptorOptions['decide']) {
  const acceptor = new Acceptor({ host: '127.0.0.1', port: 0, ...IMPLEMENTATION, decide });
  const { port } = await acceptor.listen();
  return { port, [Symbol.asyncDispose]: () => acceptor.close(0) };
}

const here = (port: number) => ({ host: '127.0.0.1', port });

describe('an echo', { concurrency: true }, () => {
  test('that is answered (DCMTK)', async () => {
    await using files = await tempFolder('echo-scp');
    await using scp = await startStorescp(files.path);
    const answer = await asked(scp);
    assert.equal(answer.ok, true);
    assert.ok(Number.isInteger(answer.ms));
  });

  test('to a name that nobody has: name-not-resolved', async () => {
    const { code, detail, params } = await asked({ host: 'no-such-machine.invalid', port: 104 });
    assert.equal(code, 'name-not-resolved');
    assert.match(detail ?? '', /Enter its IP address/);
    assert.equal(params?.host, 'no-such-machine.invalid');
  });

  test('to an address that no machine has, and to one that swallows everything', async () => {
    await using hole = await blackHole();
    const [absent, swallowed] = await Promise.all([
      asked({ host: hole.absentAddress, port: 104 }),
      asked({ host: hole.swallowedAddress, port: 104 }),
    ]);
    assert.equal(absent.code, 'host-unreachable');
    assert.equal(swallowed.code, 'timed-out');
  });

  test('to a port on which nothing listens: port-closed', async () => {
    assert.equal((await asked(here(await freePort()))).code, 'port-closed');
  });

  test('to a web server: not-dicom', async () => {
    await using web = await listening(createHttpServer((_, response) => response.end('hello')));
    assert.equal((await asked(here(web.port))).code, 'not-dicom');
  });

  test('to a program that hangs up at once: not-dicom', async () => {
    await using other = await listening(createServer((socket) => socket.destroy()));
    assert.equal((await asked(here(other.port))).code, 'not-dicom');
  });

  test('to a TLS port: tls-mismatch, whatever the server does with a plain request', async () => {
    const { certificate: cert, privateKey: key } = await makeCertificate(folder, 'other');
    await using secure = await listening(createTlsServer({ cert, key }));
    assert.equal((await asked(here(secure.port))).code, 'tls-mismatch');
  });

  test('to Orthanc by another AE title: called-ae-unknown', async () => {
    await using orthanc = await startOrthanc({ configuration: { DicomCheckCalledAet: true } });
    assert.equal((await asked({ ...orthanc, aeTitle: 'WRONG' })).code, 'called-ae-unknown');
    assert.equal((await asked(orthanc)).ok, true);
  });

  test('to Orthanc that does not know us: calling-ae-refused', async () => {
    const stranger = { DicomAlwaysAllowEcho: false, DicomAlwaysAllowStore: false };
    await using orthanc = await startOrthanc({ configuration: stranger });
    const { code, detail } = await asked(orthanc);
    assert.equal(code, 'calling-ae-refused');
    assert.match(detail ?? '', /does not know ANGIOVAULT/);
  });

  test('refused for another reason: rejected-other', async () => {
    await using scp = await scripted(() => ({ accept: false, result: 2, source: 3, reason: 2 }));
    assert.equal((await asked(here(scp.port))).code, 'rejected-other');
  });

  test('to a machine that does not offer Verification: no-presentation-context', async () => {
    await using scp = await scripted(() => ({ accept: true, supported: () => undefined }));
    assert.equal((await asked(here(scp.port))).code, 'no-presentation-context');
  });

  test('broken off: aborted', async () => {
    await using scp = await scripted(() => {
      throw new Error('no');
    });
    assert.equal((await asked(here(scp.port))).code, 'aborted');
  });

  test('to a program that takes the connection and says nothing: timed-out', async () => {
    await using silent = await listening(createServer(() => {}));
    const times = { connectMs: 1000, artimMs: 300, answerMs: 300 };
    const peer = { aeTitle: 'DSA', ...here(silent.port) };
    const answer = await echoForApp(peer, 'ANGIOVAULT', new AbortController().signal, times);
    assert.equal(answer.ok, false);
    assert.equal('code' in answer && answer.code, 'timed-out');
  });

  test('accepted and then never answered: timed-out', async () => {
    const supported = () => ({ choose: (list: readonly string[]) => list[0], scu: false, scp: true });
    await using scp = await scripted(() => ({ accept: true, supported }));
    const times = { connectMs: 1000, artimMs: 1000, answerMs: 300 };
    const peer = { aeTitle: 'DSA', ...here(scp.port) };
    const answer = await echoForApp(peer, 'ANGIOVAULT', new AbortController().signal, times);
    assert.equal('code' in answer && answer.code, 'timed-out');
  });
});
