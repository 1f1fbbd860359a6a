// Negotiation as a function of two lists (PS3.8 §9.3.3.2, PS3.7 §D.3.3.4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  acceptedContexts,
  answerRoles,
  contextsInUse,
  negotiateContexts,
  type Supported,
} from '../../../src/ul/negotiation.ts';
import type { ProposedContext } from '../../../src/ul/pdu.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const JPEG = '1.2.840.10008.1.2.4.70';
const STORAGE = '1.2.840.10008.5.1.4.1.1.12.1';
const BOTH_WAYS = '1.2.840.10008.5.1.4.1.1.2';
const SENT_ONLY = '1.2.840.10008.5.1.4.1.1.7';

const supported: Supported = (abstractSyntax) => {
  const choose = (proposed: readonly string[]) => [JPEG, EXPLICIT].find((uid) => proposed.includes(uid));
  if (abstractSyntax === STORAGE) return { choose, scu: false, scp: true };
  if (abstractSyntax === BOTH_WAYS) return { choose, scu: true, scp: true };
  if (abstractSyntax === SENT_ONLY) return { choose, scu: true, scp: false };
  return undefined;
};

function propose(abstractSyntax: string, transferSyntaxes = [EXPLICIT], id = 1): ProposedContext {
  return { id, abstractSyntax, transferSyntaxes };
}

describe('negotiateContexts: the result of each proposed context (PS3.8 Table 9-18)', () => {
  test('0 acceptance, with the transfer syntax that was chosen', () => {
    const [result] = negotiateContexts([propose(STORAGE, [IMPLICIT, EXPLICIT, JPEG])], supported, []);
    assert.deepEqual(result, {
      id: 1,
      abstractSyntax: STORAGE,
      result: 0,
      transferSyntax: JPEG,
      scu: false,
      scp: true,
    });
  });

  test('3 abstract syntax not supported', () => {
    assert.equal(negotiateContexts([propose('1.2.3')], supported, [])[0]?.result, 3);
  });

  test('4 transfer syntaxes not supported, also when none is proposed', () => {
    const results = negotiateContexts([propose(STORAGE, [IMPLICIT]), propose(STORAGE, [], 3)], supported, []);
    assert.deepEqual(
      results.map(({ result }) => result),
      [4, 4],
    );
  });

  test('2 no reason for an even identifier: costs its own context only (PS3.8 §9.3.2.2)', () => {
    const results = negotiateContexts(
      [propose(STORAGE, [EXPLICIT], 2), propose(STORAGE, [EXPLICIT], 0), propose(STORAGE, [EXPLICIT], 255)],
      supported,
      [],
    );
    assert.deepEqual(
      results.map(({ result }) => result),
      [2, 2, 0],
    );
  });

  test('128 contexts keep their order and identifiers', () => {
    const proposed = Array.from({ length: 128 }, (_, n) => propose(STORAGE, [EXPLICIT], 2 * n + 1));
    const results = negotiateContexts(proposed, supported, []);
    assert.deepEqual(
      results.map(({ id, result }) => [id, result]),
      proposed.map(({ id }) => [id, 0]),
    );
  });

  test('a rejected context still names a transfer syntax that every peer can parse', () => {
    assert.equal(negotiateContexts([propose('1.2.3')], supported, [])[0]?.transferSyntax, IMPLICIT);
    assert.equal(negotiateContexts([propose(STORAGE, [])], supported, [])[0]?.transferSyntax, IMPLICIT);
  });

  test('only accepted contexts are in use', () => {
    const results = negotiateContexts([propose('1.2.3'), propose(STORAGE, [EXPLICIT], 3)], supported, []);
    assert.deepEqual(
      [...contextsInUse(results)],
      [[3, { id: 3, abstractSyntax: STORAGE, transferSyntax: EXPLICIT, scu: false, scp: true }]],
    );
  });
});

describe('role selection at the acceptor (PS3.7 §D.3.3.4)', () => {
  function roles(abstractSyntax: string, scu: boolean, scp: boolean) {
    const proposedRoles = [{ sopClassUid: abstractSyntax, scu, scp }];
    const [result] = negotiateContexts([propose(abstractSyntax)], supported, proposedRoles);
    return { local: [result?.scu, result?.scp], result: result?.result };
  }

  test('without an item the requestor is SCU, the acceptor SCP', () => {
    const [result] = negotiateContexts([propose(BOTH_WAYS)], supported, []);
    assert.deepEqual([result?.scu, result?.scp], [false, true]);
  });

  test('requestor as SCP only: the acceptor is SCU', () => {
    assert.deepEqual(roles(BOTH_WAYS, false, true), { local: [true, false], result: 0 });
  });

  test('requestor as both: the acceptor is both', () => {
    assert.deepEqual(roles(BOTH_WAYS, true, true), { local: [true, true], result: 0 });
  });

  test('a role the acceptor does not support is taken away, the other stays', () => {
    assert.deepEqual(roles(STORAGE, true, true), { local: [false, true], result: 0 });
  });

  test('no role left: the context is rejected', () => {
    assert.equal(roles(STORAGE, false, true).result, 3);
    assert.equal(roles(BOTH_WAYS, false, false).result, 3);
    assert.equal(negotiateContexts([propose(SENT_ONLY)], supported, [])[0]?.result, 3);
  });

  test('the answer repeats what is granted, and nothing for SOP classes unknown here', () => {
    const answer = answerRoles(
      [
        { sopClassUid: STORAGE, scu: true, scp: true },
        { sopClassUid: SENT_ONLY, scu: false, scp: true },
        { sopClassUid: '1.2.3', scu: true, scp: true },
      ],
      supported,
    );
    assert.deepEqual(answer, [
      { sopClassUid: STORAGE, scu: true, scp: false },
      { sopClassUid: SENT_ONLY, scu: false, scp: true },
    ]);
  });
});

describe('acceptedContexts: what the requestor may use', () => {
  const proposed = [propose(STORAGE, [EXPLICIT, JPEG]), propose(BOTH_WAYS, [EXPLICIT], 3)];

  test('accepted ones, with the default roles', () => {
    const answers = [
      { id: 1, result: 0, transferSyntax: JPEG },
      { id: 3, result: 4, transferSyntax: '' },
    ];
    assert.deepEqual(
      [...acceptedContexts(proposed, [], answers, [])],
      [[1, { id: 1, abstractSyntax: STORAGE, transferSyntax: JPEG, scu: true, scp: false }]],
    );
  });

  const roleCases: [string, [boolean, boolean], [boolean, boolean] | undefined, [boolean, boolean]][] = [
    ['both proposed, both granted', [true, true], [true, true], [true, true]],
    ['both proposed, SCP denied', [true, true], [true, false], [true, false]],
    ['SCP proposed, SCP granted', [false, true], [false, true], [false, true]],
    ['SCP proposed, more granted than asked', [false, true], [true, true], [false, true]],
    ['both proposed, no answer: default roles', [true, true], undefined, [true, false]],
  ];
  for (const [name, asked, given, local] of roleCases) {
    test(`roles: ${name}`, () => {
      const item = (roles: [boolean, boolean] | undefined) =>
        roles === undefined ? [] : [{ sopClassUid: BOTH_WAYS, scu: roles[0], scp: roles[1] }];
      const answers = [{ id: 3, result: 0, transferSyntax: EXPLICIT }];
      const context = acceptedContexts(proposed, item(asked), answers, item(given)).get(3);
      assert.deepEqual([context?.scu, context?.scp], local);
    });
  }

  test('an answer about a context that was not proposed is an invalid PDU', () => {
    const answers = [{ id: 5, result: 0, transferSyntax: EXPLICIT }];
    assert.throws(() => acceptedContexts(proposed, [], answers, []), /context 5, which was not proposed/);
  });

  test('a transfer syntax that was not proposed is an invalid PDU', () => {
    const answers = [{ id: 3, result: 0, transferSyntax: JPEG }];
    assert.throws(() => acceptedContexts(proposed, [], answers, []), /which was not proposed/);
  });
});
