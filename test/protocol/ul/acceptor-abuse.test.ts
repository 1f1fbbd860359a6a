// Bytes no honest peer sends: each costs its own connection, one typed fault names it, and others go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScriptedPeer } from '../../support/scripted-peer.ts';
import { bytesOf, hexOf } from '../../unit/ul/encoded-pdus.ts';
import {
  abortPdu,
  associateRq,
  type OpenAcceptor,
  openAcceptor,
  RELEASE_RP,
  RELEASE_RQ,
} from './open-acceptor.ts';

interface Abuse {
  readonly name: string;
  readonly associated: boolean;
  readonly bytes: Buffer;
  readonly answer: string;
  readonly code: string;
  readonly message: RegExp;
}

function withContexts(count: number): Buffer {
  const items = Array.from(
    { length: count },
    (_, n) =>
      `20 00 000b ${((2 * n + 1) % 256).toString(16).padStart(2, '0')}000000 30 00 0003 ${hexOf('1.2')}`,
  );
  const body =
    bytesOf(`0001 0000 ${hexOf('TESTED'.padEnd(16))} ${hexOf('SCRIPT'.padEnd(16))} ${'00'.repeat(32)}
    10 00 0015 ${hexOf('1.2.840.10008.3.1.1.1')} ${items.join('')}`);
  const header = bytesOf('01 00 00000000');
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

const ABUSES: Abuse[] = [
  {
    name: 'HTTP on the DICOM port',
    associated: false,
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: pacs\r\n\r\n'),
    answer: abortPdu(2, 1),
    code: 'ul-unrecognised-pdu',
    message: /no PDU has the type 47H/,
  },
  {
    name: 'a TLS hello on the plain port',
    associated: false,
    bytes: bytesOf('16 03 01 00c8 01 0000c4 0303'),
    answer: abortPdu(2, 1),
    code: 'ul-unrecognised-pdu',
    message: /type 16H/,
  },
  {
    name: 'data before the association',
    associated: false,
    bytes: bytesOf('04 00 00000008 00000004 01 03 6f6b'),
    answer: abortPdu(2, 2),
    code: 'ul-unexpected-pdu',
    message: /P-DATA-TF is not allowed in Sta2/,
  },
  {
    name: 'release before the association',
    associated: false,
    bytes: bytesOf(RELEASE_RQ),
    answer: abortPdu(2, 2),
    code: 'ul-unexpected-pdu',
    message: /A-RELEASE-RQ is not allowed in Sta2/,
  },
  {
    name: 'an A-ASSOCIATE-RQ of 4 GB',
    associated: false,
    bytes: bytesOf('01 00 ffffffff 0001'),
    answer: abortPdu(2, 6),
    code: 'ul-pdu-too-long',
    message: /A-ASSOCIATE-RQ declares 4294967295 bytes/,
  },
  {
    name: '300 presentation contexts',
    associated: false,
    bytes: withContexts(300),
    answer: abortPdu(2, 6),
    code: 'ul-too-many-contexts',
    message: /more than 128 presentation contexts/,
  },
  {
    name: 'an item that reaches beyond the PDU',
    associated: false,
    bytes: Buffer.concat([bytesOf('01 00 00000048 0001 0000'), Buffer.alloc(64, 32), bytesOf('20 00 ffff')]),
    answer: abortPdu(2, 6),
    code: 'ul-invalid-pdu',
    message: /item wants 65535 bytes, 0 are left/,
  },
  {
    name: 'a second A-ASSOCIATE-RQ',
    associated: true,
    bytes: associateRq(),
    answer: abortPdu(2, 2),
    code: 'ul-unexpected-pdu',
    message: /A-ASSOCIATE-RQ is not allowed in Sta6/,
  },
  {
    name: 'a P-DATA-TF of 4 GB',
    associated: true,
    bytes: bytesOf('04 00 ffffffff 00001000 01 02'),
    answer: abortPdu(2, 6),
    code: 'ul-pdu-too-long',
    message: /P-DATA-TF declares 4294967295 bytes, the most allowed is 262144/,
  },
  {
    name: 'a P-DATA-TF one byte above the announced maximum',
    associated: true,
    bytes: bytesOf('04 00 00040001'),
    answer: abortPdu(2, 6),
    code: 'ul-pdu-too-long',
    message: /262145/,
  },
  {
    name: 'a PDV of 4 GB in a short P-DATA-TF',
    associated: true,
    bytes: bytesOf('04 00 00000100 ffffffff 01 02'),
    answer: abortPdu(2, 6),
    code: 'ul-invalid-pdu',
    message: /PDV of context 1 declares 4294967295 bytes/,
  },
  {
    name: 'a PDV for a context that was never proposed',
    associated: true,
    bytes: bytesOf('04 00 00000008 00000004 63 02 6f6b'),
    answer: abortPdu(2, 6),
    code: 'ul-invalid-pdu',
    message: /PDV for presentation context 99/,
  },
  {
    name: 'an A-RELEASE-RP nobody asked for',
    associated: true,
    bytes: bytesOf(RELEASE_RP),
    answer: abortPdu(2, 2),
    code: 'ul-unexpected-pdu',
    message: /A-RELEASE-RP is not allowed in Sta6/,
  },
];

async function stillServes({ associate }: OpenAcceptor, other: ScriptedPeer): Promise<void> {
  for (const peer of [other, await associate()]) {
    peer.send(RELEASE_RQ);
    await peer.expect(RELEASE_RP);
  }
}

for (const { name, associated, bytes, answer, code, message } of ABUSES) {
  test(`${name}: A-ABORT, one fault ${code}`, async (t) => {
    const opened = await openAcceptor(t);
    const other = await opened.associate();
    const peer = associated ? await opened.associate() : await opened.connect();
    peer.send(bytes);
    await peer.expect(answer);
    peer.end();
    await peer.expectClose();
    const { error, remote } = await opened.fault();
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(remote.address, '127.0.0.1');
    assert.equal(remote.callingAeTitle, associated ? 'SCRIPT' : undefined);
    await stillServes(opened, other);
    assert.equal(opened.faults.length, 1);
  });
}

test('a connection that breaks in mid-PDU: one fault, with the AE title', async (t) => {
  const opened = await openAcceptor(t);
  const peer = await opened.associate();
  peer.send('04 00 00001000 00000ffc 01 02 aabb');
  peer.reset();
  const { error, remote } = await opened.fault();
  assert.equal(error.code, 'ul-connection-lost');
  assert.equal(remote.callingAeTitle, 'SCRIPT');
  const [association] = opened.associations;
  await association?.closed;
  assert.equal(association?.signal.aborted, true);
  assert.equal(opened.faults.length, 1);
});

test('a peer that closes without a release: one fault', async (t) => {
  const opened = await openAcceptor(t);
  const peer = await opened.associate();
  peer.end();
  assert.equal((await opened.fault()).error.code, 'ul-connection-lost');
});

test('a peer that aborts: signal and fault say by whom', async (t) => {
  const opened = await openAcceptor(t);
  const peer = await opened.associate();
  peer.send(abortPdu(0, 0));
  await peer.expectClose();
  assert.equal((await opened.fault()).error.code, 'ul-aborted-by-peer');
  assert.equal(opened.associations[0]?.signal.aborted, true);
});

test('a peer that goes on sending after its A-ABORT is drained, then closed by ARTIM', async (t) => {
  const opened = await openAcceptor(t, { artimMs: 50 });
  const peer = await opened.associate();
  peer.send('ff 00 00000000');
  peer.send(Buffer.alloc(4 << 20));
  await peer.expect(abortPdu(2, 1));
  await peer.expectClose();
  assert.equal(opened.faults.length, 1);
});
