// Association requests against a scripted acceptor (PS3.8 §7.1, Table 9-21).
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { decodeAssociateRq } from '../../../src/ul/associate-decoder.ts';
import { AssociationRejectedError, UlError } from '../../../src/ul/errors.ts';
import type { AAssociateAc } from '../../../src/ul/pdu.ts';
import { encodeAssociateAc } from '../../../src/ul/pdu-encoder.ts';
import { type AssociateOptions, requestAssociation } from '../../../src/ul/requestor.ts';
import { emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';
import { ScriptedListener } from '../../support/scripted-peer.ts';
import {
  abortPdu,
  IDENTITY,
  IMPLICIT,
  RELEASE_RP,
  RELEASE_RQ,
  rejectPdu,
  VERIFICATION,
  XA_STORAGE,
} from './open-acceptor.ts';

function options(port: number, changes: Partial<AssociateOptions> = {}): AssociateOptions {
  return {
    host: '127.0.0.1',
    port,
    callingAeTitle: 'US',
    calledAeTitle: 'THEM',
    contexts: [
      { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
      { abstractSyntax: XA_STORAGE, transferSyntaxes: [IMPLICIT], scu: false, scp: true },
    ],
    ...IDENTITY,
    ...changes,
  };
}

function associateAc(changes: Partial<AAssociateAc> = {}): Buffer {
  return encodeAssociateAc({
    type: 'A-ASSOCIATE-AC',
    protocolVersion: 1,
    calledAeTitle: 'THEM',
    callingAeTitle: 'US',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [
      { id: 1, result: 0, transferSyntax: IMPLICIT },
      { id: 3, result: 0, transferSyntax: IMPLICIT },
    ],
    userInformation: {
      ...emptyUserInformation(),
      maxPduBytes: 32_768,
      implementationVersionName: 'THEIRS',
      roles: [{ sopClassUid: XA_STORAGE, scu: false, scp: true }],
      extendedNegotiation: [{ sopClassUid: VERIFICATION, info: Buffer.from([1]) }],
    },
    ...changes,
  });
}

async function listen(t: TestContext): Promise<ScriptedListener> {
  const listener = await ScriptedListener.listen();
  t.after(() => listener.close());
  return listener;
}

describe('establishment', () => {
  test('A-ASSOCIATE-RQ says what was asked for; the association says what was accepted', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    const request = decodeAssociateRq((await peer.readPdu()).subarray(6));
    assert.deepEqual([request.callingAeTitle, request.calledAeTitle], ['US', 'THEM']);
    assert.deepEqual(
      request.contexts.map(({ id, abstractSyntax }) => [id, abstractSyntax]),
      [
        [1, VERIFICATION],
        [3, XA_STORAGE],
      ],
    );
    assert.equal(request.userInformation.maxPduBytes, 262_144);
    assert.deepEqual(request.userInformation.roles, [{ sopClassUid: XA_STORAGE, scu: false, scp: true }]);
    peer.send(associateAc());
    const association = await pending;
    assert.equal(association.role, 'requestor');
    assert.equal(association.maxSendPduBytes, 32_768);
    assert.equal(association.peerImplementationVersionName, 'THEIRS');
    assert.deepEqual(association.extendedNegotiation.get(VERIFICATION), Buffer.from([1]));
    const roles = [...association.contexts.values()].map(({ id, scu, scp }) => [id, scu, scp]);
    assert.deepEqual(roles, [
      [1, true, false],
      [3, false, true],
    ]);
    const released = association.release();
    await peer.expect(RELEASE_RQ);
    peer.send(RELEASE_RP);
    await released;
    await peer.expectClose();
  });

  test('data that comes right behind A-ASSOCIATE-AC waits for the sink', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    await peer.readPdu();
    peer.send(Buffer.concat([associateAc(), Buffer.from('040000000008000000040103' + '6f6b', 'hex')]));
    const association = await pending;
    const value = await new Promise<string>((resolve) => {
      association.attach({ receive: ({ data }) => resolve(data.toString()) });
    });
    assert.equal(value, 'ok');
    association.abort();
    await peer.expect(abortPdu(0, 0));
    peer.end();
    await association.closed;
  });

  test('A-ASSOCIATE-RJ: AssociationRejectedError with result, source and reason', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    await peer.readPdu();
    peer.send(rejectPdu(1, 1, 7));
    await assert.rejects(pending, (error) => {
      assert.ok(error instanceof AssociationRejectedError);
      assert.deepEqual([error.result, error.source, error.reason], [1, 1, 7]);
      assert.match(error.message, /^THEM@127\.0\.0\.1:\d+ rejected .* permanently: .*\(called\) AE title/);
      return true;
    });
    await peer.expectClose();
  });

  const BAD_ANSWERS: [string, Buffer, RegExp][] = [
    [
      'a context that was not proposed',
      associateAc({ contexts: [{ id: 7, result: 0, transferSyntax: IMPLICIT }] }),
      /answers context 7/,
    ],
    [
      'a transfer syntax that was not proposed',
      associateAc({ contexts: [{ id: 1, result: 0, transferSyntax: '1.2.3' }] }),
      /accepts context 1 with 1\.2\.3/,
    ],
    ['an answer that is cut short', Buffer.from('0200000000040001' + '0000', 'hex'), /called AE title/],
  ];
  for (const [name, answer, message] of BAD_ANSWERS) {
    test(`${name}: A-ABORT source 2, reason 6`, async (t) => {
      const listener = await listen(t);
      const pending = requestAssociation(options(listener.port));
      const peer = await listener.accept();
      await peer.readPdu();
      peer.send(answer);
      await assert.rejects(pending, (error) => error instanceof UlError && message.test(error.message));
      await peer.expect(abortPdu(2, 6));
      peer.end();
      await peer.expectClose();
    });
  }

  test('A-ABORT instead of an answer', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    await peer.readPdu();
    peer.send(abortPdu(2, 0));
    await assert.rejects(pending, { code: 'ul-aborted-by-peer' });
  });

  test('the peer hangs up instead of answering', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    await peer.readPdu();
    peer.end();
    await assert.rejects(pending, { code: 'ul-connection-lost' });
  });

  test('no answer within ARTIM: A-ABORT, ul-artim-expired', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port, { artimMs: 20 }));
    const peer = await listener.accept();
    await assert.rejects(pending, { code: 'ul-artim-expired' });
    await peer.readPdu();
    await peer.expect(abortPdu(0, 0));
    await peer.expectClose();
  });

  test('nobody listens: ul-connect-failed, the system error is the cause', async (t) => {
    const listener = await listen(t);
    const { port } = listener;
    listener.close();
    await assert.rejects(requestAssociation(options(port)), (error) => {
      assert.ok(error instanceof UlError && error.code === 'ul-connect-failed');
      assert.ok(error.cause instanceof Error && 'code' in error.cause);
      assert.equal(error.cause.code, 'ECONNREFUSED');
      assert.match(error.message, /^THEM@127\.0\.0\.1:\d+: no transport connection: .*ECONNREFUSED/);
      return true;
    });
  });

  test('cancelled before it began: nothing is sent', async (t) => {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port, { signal: AbortSignal.abort() }));
    await assert.rejects(pending, { code: 'ul-cancelled' });
  });

  test('cancelled while waiting for the answer: A-ABORT', async (t) => {
    const listener = await listen(t);
    const cancel = new AbortController();
    const pending = requestAssociation(options(listener.port, { signal: cancel.signal }));
    const peer = await listener.accept();
    await peer.readPdu();
    cancel.abort();
    await assert.rejects(pending, { code: 'ul-cancelled' });
    await peer.expect(abortPdu(0, 0));
    peer.end();
    await peer.expectClose();
  });

  test('more than 128 contexts, or a title that is none: refused before connecting', async () => {
    const contexts = Array.from({ length: 129 }, () => ({
      abstractSyntax: VERIFICATION,
      transferSyntaxes: [IMPLICIT],
    }));
    await assert.rejects(requestAssociation(options(1, { contexts })), { code: 'ul-too-many-contexts' });
    await assert.rejects(requestAssociation(options(1, { calledAeTitle: '' })), { code: 'ul-bad-ae-title' });
  });
});

describe('release', () => {
  async function established(t: TestContext) {
    const listener = await listen(t);
    const pending = requestAssociation(options(listener.port));
    const peer = await listener.accept();
    await peer.readPdu();
    peer.send(associateAc());
    const association = await pending;
    association.attach({ receive() {} });
    return { peer, association };
  }

  test('requested by the acceptor: Sta6 + Evt12 → AR-2, AR-4', async (t) => {
    const { peer, association } = await established(t);
    peer.send(RELEASE_RQ);
    await peer.expect(RELEASE_RP);
    peer.end();
    await association.closed;
    assert.equal(association.signal.reason.code, 'ul-released');
  });

  test('collision, requestor: Sta7 + Evt12 → AR-8, AR-9, then AR-3 on the peer’s A-RELEASE-RP', async (t) => {
    const { peer, association } = await established(t);
    const released = association.release();
    peer.send(RELEASE_RQ);
    await peer.expect(RELEASE_RQ);
    await peer.expect(RELEASE_RP);
    peer.send(RELEASE_RP);
    await released;
    await peer.expectClose();
  });

  test('answered by A-ABORT: release rejects', async (t) => {
    const { peer, association } = await established(t);
    const released = association.release();
    await peer.expect(RELEASE_RQ);
    peer.send(abortPdu(0, 0));
    await assert.rejects(released, { code: 'ul-aborted-by-peer' });
  });
});
