// Associations over TLS (PS3.15 §B.12): our requestor and our acceptor, and everybody who does not fit.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import type { Association } from '../../../src/ul/association.ts';
import { P_DATA_HEADER_BYTES, writePDataHeader } from '../../../src/ul/pdu-encoder.ts';
import { requestAssociation } from '../../../src/ul/requestor.ts';
import { type SecureTransport, secureTransport } from '../../../src/ul/tls.ts';
import { type Certificate, makeCertificate } from '../../support/certificates.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';
import { IDENTITY, IMPLICIT, openAcceptor, VERIFICATION } from './open-acceptor.ts';

let folder: TempFolder;
let archive: Certificate;
let workstation: Certificate;
let stranger: Certificate;

before(async () => {
  folder = await tempFolder('tls');
  [archive, workstation, stranger] = (await Promise.all(
    ['archive', 'workstation', 'stranger'].map((name) => makeCertificate(folder, name)),
  )) as [Certificate, Certificate, Certificate];
});
after(() => folder[Symbol.asyncDispose]());

async function request(t: TestContext, port: number, tls?: SecureTransport): Promise<Association> {
  const association = await requestAssociation({
    host: '127.0.0.1',
    port,
    callingAeTitle: 'SENDER',
    calledAeTitle: 'TAKER',
    contexts: [{ abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] }],
    ...IDENTITY,
    ...(tls === undefined ? {} : { tls }),
  });
  t.after(async () => {
    association.abort();
    await association.closed;
  });
  return association;
}

describe('an acceptor with a certificate', () => {
  test('takes an association, and data both ways arrive complete', async (t) => {
    const { port } = await openAcceptor(t, { tls: secureTransport(archive) }, (acceptor) =>
      acceptor.attach({ receive: ({ data, isLast }) => acceptor.write([pData(Buffer.from(data), isLast)]) }),
    );
    const association = await request(t, port, secureTransport());
    const received: Buffer[] = [];
    const whole = new Promise<void>((resolve) => {
      association.attach({
        receive: ({ data, isLast }) => {
          received.push(Buffer.from(data));
          if (isLast) resolve();
        },
      });
    });
    const sent = Buffer.alloc(3_000_000, 'run ');
    for (let at = 0; at < sent.length; at += 250_000) {
      await association.write([pData(sent.subarray(at, at + 250_000), at + 250_000 >= sent.length)]);
    }
    await whole;
    assert.ok(Buffer.concat(received).equals(sent));
    await association.release();
  });

  test('hears that somebody speaks without TLS, and the other end that this is no DICOM without TLS', async (t) => {
    const acceptor = await openAcceptor(t, { tls: secureTransport(archive) });
    await assert.rejects(request(t, acceptor.port), { name: 'UlError' });
    const { error } = await acceptor.fault();
    assert.match(
      String((error.cause as Error)?.message),
      /wrong version number|http request|unknown|packet/i,
    );
  });

  test('closes without waiting for who never agrees on keys', async (t) => {
    const { acceptor, port, connect: open } = await openAcceptor(t, { tls: secureTransport(archive) });
    const silent = await open();
    const accepted = await request(t, port, secureTransport());
    accepted.attach({ receive() {} });
    const closing = acceptor.close(0);
    await silent.expectClose();
    await Promise.all([closing, accepted.closed]);
  });

  test('takes nothing older than TLS 1.2', async (t) => {
    const { port, fault } = await openAcceptor(t, { tls: secureTransport(archive) });
    const old = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await once(old, 'error');
    assert.equal((await fault()).error.code, 'ul-tls-failed');
  });
});

describe('with a list of the trusted', () => {
  const trusting = () => secureTransport({ ...archive, trusted: workstation.certificate });

  test('an acceptor takes who is on it', async (t) => {
    const { port, association } = await openAcceptor(t, { tls: trusting() });
    const tls = secureTransport({ ...workstation, trusted: archive.certificate });
    await (await request(t, port, tls)).release();
    assert.equal((await association()).callingAeTitle, 'SENDER');
  });

  for (const [who, identity] of [
    ['somebody else', () => stranger],
    ['somebody without a certificate', () => undefined],
  ] as const) {
    test(`an acceptor does not take ${who}`, async (t) => {
      const { port, associations, fault } = await openAcceptor(t, { tls: trusting() });
      await assert.rejects(request(t, port, secureTransport(identity())), { name: 'UlError' });
      assert.equal((await fault()).error.code, 'ul-tls-failed');
      assert.deepEqual(associations, []);
    });
  }

  test('a requestor does not speak to who is not on it', async (t) => {
    const { port, associations } = await openAcceptor(t, { tls: secureTransport(stranger) });
    const tls = secureTransport({ ...workstation, trusted: archive.certificate });
    await assert.rejects(request(t, port, tls), (error: Error) => {
      assert.equal((error.cause as { code?: string }).code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
      return true;
    });
    assert.deepEqual(associations, []);
  });
});

test('a requestor with TLS learns that the other end has none', async (t) => {
  const { port } = await openAcceptor(t);
  await assert.rejects(request(t, port, secureTransport()), { name: 'UlError' });
});

test('texts that are no certificate are refused before anything listens', () => {
  assert.throws(() => secureTransport({ certificate: 'none', privateKey: 'none' }));
});

function pData(value: Buffer, isLast: boolean): Buffer {
  const pdu = Buffer.concat([Buffer.alloc(P_DATA_HEADER_BYTES), value]);
  writePDataHeader(pdu, 0, 1, false, isLast, value.length);
  return pdu;
}
