// DICOM over TLS (PS3.15 §B.12) with DCMTK at the other end, in both directions, each side proving itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { eventually, filesIn, logLines } from '../support/archive-state.ts';
import { ByteAssociation, EXPLICIT_LE, NotAssociatedError } from '../support/byte-association.ts';
import { ByteConnection } from '../support/byte-connection.ts';
import { type Certificate, makeCertificate } from '../support/certificates.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { echoscu, type ForeignScp, movescu, startStorescp, storescu } from '../support/foreign-peers.ts';
import { samplePath } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const FILE = samplePath('objects/CT_small.dcm');

let folder: TempFolder;
let workstation: Certificate;
let destination: ForeignScp;
let daemon: Daemon;
let securePort: number;
let received: string;

const asWorkstation = () => [
  ...['+tls', workstation.privateKeyFile, workstation.certificateFile],
  ...['+cf', join(folder.path, 'archive.crt')],
];

before(async () => {
  folder = await tempFolder('tls');
  const [archive, peer] = await Promise.all([
    makeCertificate(folder, 'archive'),
    makeCertificate(folder, 'workstation'),
  ]);
  workstation = peer;
  received = join(folder.path, 'received');
  destination = await startStorescp(received, { args: asWorkstation() });
  const { aeTitle, host, port } = destination;
  const tls = {
    port: 0,
    certificate: archive.certificateFile,
    privateKey: archive.privateKeyFile,
    trusted: peer.certificateFile,
  };
  const dataDir = folder.path;
  const peers = [{ aeTitle, host, port, tls: true }];
  await writeFile(join(dataDir, 'config.json'), JSON.stringify({ version: 1, dimse: { tls }, peers }));
  daemon = await startDaemon({ dataDir });
  const ready = await eventually(
    () => /^.* ready .*$/m.exec(logLines(dataDir).join('\n'))?.[0],
    'the line that says ready',
  );
  securePort = Number(/tls\W+[^:]*:(\d+)/.exec(ready)?.[1]);
});

after(async () => {
  await daemon[Symbol.asyncDispose]();
  await destination.stop();
  await folder[Symbol.asyncDispose]();
});

const secure = () => ({ aeTitle: daemon.aeTitle, host: daemon.host, port: securePort });

describe('DCMTK over TLS', () => {
  test('echoes and stores', async () => {
    assert.equal((await echoscu(secure(), { args: asWorkstation() })).code, 0);
    assert.equal((await storescu(secure(), [FILE], { args: ['-x=', ...asWorkstation()] })).code, 0);
    assert.equal(filesIn(folder.path, 'studies').length, 1);
  });

  test('is given what was stored over a secure connection of ours', async () => {
    const keys = ['QueryRetrieveLevel=STUDY', 'StudyInstanceUID=1.3.6.1.4.1.5962.1.2.1.20040119072730.12322'];
    const run = await movescu(daemon, 'S', destination.aeTitle, keys);
    assert.equal(run.code, 0, run.stderr);
    assert.equal((await readdir(received)).length, 1);
  });

  test('gets nowhere without TLS, or without a certificate that is trusted; without either the plain port is there', async () => {
    assert.notEqual((await echoscu(secure())).code, 0);
    const stranger = await makeCertificate(folder, 'stranger');
    const asStranger = ['+tls', stranger.privateKeyFile, stranger.certificateFile, '-ic'];
    assert.notEqual((await echoscu(secure(), { args: asStranger })).code, 0);
    assert.equal((await echoscu(daemon)).code, 0);
  });
});

test('the limit of associations holds at the secure port as soon as it is set', async () => {
  const limited = await fetch(new URL('/api/config', daemon.httpUrl), {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'x-angiovault': '1' },
    body: JSON.stringify({ dimse: { maxAssociations: 1 } }),
  });
  assert.equal(limited.status, 200, await limited.text());
  const first = await associateSecurely();
  // PS3.8 Table 9-21: rejected-transient, by the provider, local-limit-exceeded.
  await assert.rejects(associateSecurely, (error) => {
    assert.ok(error instanceof NotAssociatedError);
    assert.equal(error.pdu?.body.toString('hex'), '00020302');
    return true;
  });
  await first.release();
});

async function associateSecurely(): Promise<ByteAssociation> {
  const socket = connect({
    ...{ host: daemon.host, port: securePort, rejectUnauthorized: false },
    ...{ cert: workstation.certificate, key: workstation.privateKey },
  });
  await once(socket, 'secureConnect');
  const contexts = [{ abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: [EXPLICIT_LE] }];
  return ByteAssociation.request({
    port: securePort,
    connection: new ByteConnection(socket),
    contexts,
  });
}

test('a certificate that cannot be read is told with its setting, exit code 2', async () => {
  await using other = await tempFolder('tls');
  const tls = { port: 0, certificate: 'none.crt', privateKey: 'none.key' };
  await writeFile(join(other.path, 'config.json'), JSON.stringify({ version: 1, dimse: { tls } }));
  await assert.rejects(startDaemon({ dataDir: other.path }), /dimse\.tls\.certificate: wants a PEM file/);
});
