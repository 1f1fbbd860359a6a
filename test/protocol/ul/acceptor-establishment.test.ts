// Association establishment at the acceptor, byte by byte (PS3.8 §7.1, §9.3.2 to §9.3.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAssociateAc } from '../../../src/ul/associate-decoder.ts';
import {
  abortPdu,
  associateRq,
  IMPLICIT,
  openAcceptor,
  RELEASE_RP,
  RELEASE_RQ,
  rejectPdu,
  VERIFICATION,
  XA_STORAGE,
} from './open-acceptor.ts';

test('A-ASSOCIATE-RQ → A-ASSOCIATE-AC → A-RELEASE-RQ → A-RELEASE-RP, the peer closes', async (t) => {
  const { connect, association, acceptor, faults } = await openAcceptor(t);
  const peer = await connect();
  peer.send(associateRq());
  const answer = decodeAssociateAc((await peer.readPdu()).subarray(6));
  assert.deepEqual(
    answer.contexts.map(({ id, result, transferSyntax }) => [id, result, transferSyntax]),
    [
      [1, 0, IMPLICIT],
      [3, 0, IMPLICIT],
    ],
  );
  assert.equal(answer.userInformation.maxPduBytes, 262_144);
  assert.equal(answer.userInformation.implementationVersionName, 'TESTED');
  const { callingAeTitle, calledAeTitle, remoteAddress, remotePort, maxSendPduBytes, closed } =
    await association();
  assert.deepEqual([callingAeTitle, calledAeTitle], ['SCRIPT', 'TESTED']);
  assert.deepEqual([remoteAddress, remotePort], ['127.0.0.1', peer.socket.localPort]);
  assert.equal(maxSendPduBytes, 16_384);
  assert.equal(acceptor.associations.size, 1);
  peer.send(RELEASE_RQ);
  await peer.expect(RELEASE_RP);
  peer.end();
  await peer.expectClose();
  await closed;
  assert.equal(acceptor.associations.size, 0);
  assert.deepEqual(faults, []);
});

test('the request one byte at a time', async (t) => {
  const { connect } = await openAcceptor(t);
  const peer = await connect();
  for (const byte of associateRq()) peer.send(Buffer.from([byte]));
  assert.equal((await peer.readPdu())[0], 2);
});

test('request, data and release in one write: all are answered in order', async (t) => {
  const values: string[] = [];
  const { connect } = await openAcceptor(t, {}, (association) =>
    association.attach({ receive: ({ data }) => void values.push(data.toString()) }),
  );
  const peer = await connect();
  const data = Buffer.from(`040000000008${'00000004'}0103${'6f6b'}`, 'hex');
  peer.send(Buffer.concat([associateRq(), data, Buffer.from(RELEASE_RQ.replaceAll(' ', ''), 'hex')]));
  assert.equal((await peer.readPdu())[0], 2);
  await peer.expect(RELEASE_RP);
  assert.deepEqual(values, ['ok']);
});

test('the policy rejects: A-ASSOCIATE-RJ as decided, `rejected` instead of `fault`', async (t) => {
  const { connect, rejections, faults } = await openAcceptor(t, {
    decide: () => ({ accept: false, result: 1, source: 1, reason: 7 }),
  });
  const peer = await connect();
  peer.send(associateRq());
  await peer.expect(rejectPdu(1, 1, 7));
  peer.end();
  await peer.expectClose();
  assert.equal(rejections[0]?.request.callingAeTitle, 'SCRIPT');
  assert.deepEqual(rejections[0]?.pdu, {
    type: 'A-ASSOCIATE-RJ',
    result: 1,
    source: 1,
    reason: 7,
  });
  assert.deepEqual(faults, []);
});

test('the policy throws: A-ABORT, one fault, the next request is served', async (t) => {
  let calls = 0;
  const { connect, fault } = await openAcceptor(t, {
    decide: () => {
      calls += 1;
      if (calls === 1) throw new Error('configuration unreadable');
      return { accept: true, supported: () => undefined };
    },
  });
  const peer = await connect();
  peer.send(associateRq());
  await peer.expect(abortPdu(0, 0));
  const { error, remote } = await fault();
  assert.equal(error.code, 'ul-user-fault');
  assert.equal(error.message, 'configuration unreadable');
  assert.equal(remote.callingAeTitle, 'SCRIPT');
  const next = await connect();
  next.send(associateRq());
  assert.equal((await next.readPdu())[0], 2);
});

test('a listener that throws costs its association, not the acceptor', async (t) => {
  const { connect, fault } = await openAcceptor(t, {}, () => {
    throw new Error('no service');
  });
  const peer = await connect();
  peer.send(associateRq());
  assert.equal((await peer.readPdu())[0], 2);
  await peer.expect(abortPdu(0, 0));
  assert.equal((await fault()).error.message, 'no service');
});

test('nothing acceptable: still an association, every context with its reason (PS3.8 Table 9-18)', async (t) => {
  const { connect, association } = await openAcceptor(t);
  const peer = await connect();
  peer.send(
    associateRq({
      contexts: [
        { id: 1, abstractSyntax: '1.2.3', transferSyntaxes: [IMPLICIT] },
        { id: 4, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
        { id: 5, abstractSyntax: VERIFICATION, transferSyntaxes: ['1.2.4'] },
      ],
    }),
  );
  const answer = decodeAssociateAc((await peer.readPdu()).subarray(6));
  assert.deepEqual(
    answer.contexts.map(({ id, result }) => [id, result]),
    [
      [1, 3],
      [4, 2],
      [5, 4],
    ],
  );
  assert.equal((await association()).contexts.size, 0);
});

test('role selection, extended negotiation, window and identity are answered together', async (t) => {
  const { connect, association } = await openAcceptor(t);
  const peer = await connect();
  const user = Buffer.from('nurse');
  peer.send(
    associateRq(
      {},
      {
        asyncWindow: { invoked: 8, performed: 8 },
        roles: [{ sopClassUid: XA_STORAGE, scu: false, scp: true }],
        userIdentity: { identityType: 1, responseRequested: true, primary: user, secondary: Buffer.alloc(0) },
      },
    ),
  );
  const { userInformation } = decodeAssociateAc((await peer.readPdu()).subarray(6));
  assert.deepEqual(userInformation.asyncWindow, { invoked: 1, performed: 1 });
  assert.deepEqual(userInformation.roles, [{ sopClassUid: XA_STORAGE, scu: false, scp: true }]);
  assert.deepEqual(userInformation.userIdentityResponse, Buffer.alloc(0));
  const context = (await association()).contexts.get(3);
  assert.deepEqual([context?.scu, context?.scp], [true, false]);
});

test('a maximum length in which nothing fits is refused', async (t) => {
  const { connect, fault } = await openAcceptor(t);
  const peer = await connect();
  peer.send(associateRq({}, { maxPduBytes: 7 }));
  await peer.expect(abortPdu(2, 6));
  assert.match((await fault()).error.message, /limits P-DATA-TF to 7 bytes/);
});
