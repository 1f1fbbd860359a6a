// The A-ASSOCIATE-AC to a request: user information items (PS3.7 Annex D.3.3, PS3.8 Annex D).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acceptance, answerAssociate } from '../../../src/ul/associate-answer.ts';
import type { AAssociateRq } from '../../../src/ul/pdu.ts';
import type { UserInformation } from '../../../src/ul/user-information.ts';
import { emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';

const IDENTITY = { maxPduBytes: 262_144, implementationClassUid: '1.2.3', implementationVersionName: 'US' };
const ACCEPTANCE: Acceptance = {
  accept: true,
  supported: () => ({ choose: (proposed) => proposed[0], scu: true, scp: true }),
};

function request(userInformation: Partial<UserInformation>): AAssociateRq {
  return {
    type: 'A-ASSOCIATE-RQ',
    protocolVersion: 0xffff,
    calledAeTitle: 'CALLED',
    callingAeTitle: 'CALLING',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [{ id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }],
    userInformation: { ...emptyUserInformation(), ...userInformation },
  };
}

function answerTo(userInformation: Partial<UserInformation>, acceptance = ACCEPTANCE) {
  return answerAssociate(request(userInformation), acceptance, IDENTITY);
}

test('says who we are and what we take, sends the titles back', () => {
  const { pdu, contexts } = answerTo({});
  assert.equal(pdu.protocolVersion, 1);
  assert.equal(pdu.calledAeTitle, 'CALLED');
  assert.equal(pdu.callingAeTitle, 'CALLING');
  assert.deepEqual(pdu.userInformation, { ...emptyUserInformation(), ...IDENTITY });
  assert.deepEqual([...contexts.keys()], [1]);
});

test('asynchronous operations window: answered 1/1 when asked, else left out (PS3.7 §D.3.3.3)', () => {
  const answered = answerTo({ asyncWindow: { invoked: 0, performed: 16 } });
  assert.deepEqual(answered.pdu.userInformation.asyncWindow, { invoked: 1, performed: 1 });
  assert.equal(answerTo({}).pdu.userInformation.asyncWindow, undefined);
});

test('user identity: accepted, a response only when requested (PS3.7 §D.3.3.7)', () => {
  const identity = { identityType: 2, primary: Buffer.from('u'), secondary: Buffer.from('p') };
  const asked = answerTo({ userIdentity: { ...identity, responseRequested: true } });
  assert.deepEqual(asked.pdu.userInformation.userIdentityResponse, Buffer.alloc(0));
  const silent = answerTo({ userIdentity: { ...identity, responseRequested: false } });
  assert.equal(silent.pdu.userInformation.userIdentityResponse, undefined);
});

test('role selection: granted roles are answered (PS3.7 §D.3.3.4)', () => {
  const { pdu, contexts } = answerTo({
    roles: [{ sopClassUid: '1.2.840.10008.1.1', scu: false, scp: true }],
  });
  assert.deepEqual(pdu.userInformation.roles, [{ sopClassUid: '1.2.840.10008.1.1', scu: false, scp: true }]);
  assert.equal(contexts.get(1)?.scu, true);
});

test('extended negotiation: the user answers per SOP class, or leaves it out (PS3.7 §D.3.3.5)', () => {
  const items = [
    { sopClassUid: '1.2', info: Buffer.from([1, 1]) },
    { sopClassUid: '1.3', info: Buffer.from([1]) },
  ];
  const acceptance: Acceptance = {
    ...ACCEPTANCE,
    extendedNegotiation: (uid, info) => (uid === '1.2' ? info.subarray(0, 1) : undefined),
  };
  const { pdu, extendedNegotiation } = answerTo({ extendedNegotiation: items }, acceptance);
  assert.deepEqual(pdu.userInformation.extendedNegotiation, [{ sopClassUid: '1.2', info: Buffer.from([1]) }]);
  assert.deepEqual([...extendedNegotiation], [['1.2', Buffer.from([1])]]);
  assert.deepEqual(answerTo({ extendedNegotiation: items }).pdu.userInformation.extendedNegotiation, []);
});

test('common extended negotiation has no answer (PS3.7 §D.3.3.6)', () => {
  const common = [{ sopClassUid: '1.2', serviceClassUid: '1.3', relatedSopClassUids: [] }];
  const { pdu } = answerTo({ commonExtendedNegotiation: common });
  assert.deepEqual(pdu.userInformation.commonExtendedNegotiation, []);
});
