// An echo that fails is explained in plain words, from what really happened on the wire.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { diagnose } from '../../../src/scu/diagnosis.ts';
import { echo } from '../../../src/scu/echo.ts';
import { Acceptor, type AcceptorOptions } from '../../../src/ul/acceptor.ts';

const IMPLEMENTATION = { implementationClassUid: '2.25.1', implementationVersionName: 'TEST' };

async function explained(host: string, port: number): Promise<string> {
  const peer = { aeTitle: 'DSA', host, port };
  return echo(peer, 'ANGIOVAULT').then(
    () => 'it answered',
    (error: unknown) => diagnose(error, peer, 'ANGIOVAULT'),
  );
}

async function explainedBy(decide: AcceptorOptions['decide']): Promise<string> {
  const acceptor = new Acceptor({ host: '127.0.0.1', port: 0, ...IMPLEMENTATION, decide });
  const { port } = await acceptor.listen();
  const words = await explained('127.0.0.1', port);
  await acceptor.close(0);
  return words;
}

describe('diagnosis of an echo', () => {
  test('nothing listens on the port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    assert.match(await explained('127.0.0.1', port), /is there, but nothing listens on port/);
  });

  test('the name is not known', async () => {
    assert.match(
      await explained('no-such-machine.invalid', 104),
      /no-such-machine\.invalid.*Enter its IP address/,
    );
  });

  test('the other machine does not know us: rejected 1/1/3 (PS3.8 Table 9-21)', async () => {
    const words = await explainedBy(() => ({ accept: false, result: 1, source: 1, reason: 3 }));
    assert.match(words, /does not know ANGIOVAULT.*Enter ANGIOVAULT in its list/);
  });

  test('the other machine has another AE title: rejected 1/1/7 (PS3.8 Table 9-21)', async () => {
    const words = await explainedBy(() => ({ accept: false, result: 1, source: 1, reason: 7 }));
    assert.match(words, /does not call itself DSA/);
  });

  test('no presentation context', async () => {
    assert.match(
      await explainedBy(() => ({ accept: true, supported: () => undefined })),
      /does not offer Verification/,
    );
  });

  test('something else answers on the port', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const words = await explained('127.0.0.1', (server.address() as AddressInfo).port);
    server.close();
    assert.match(words, /did not answer in DICOM/);
  });
});
