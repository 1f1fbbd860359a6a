// Who is let in, and for what (design: a stranger may echo, loopback callers count as known).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Callers, type UnknownCallerPolicy } from '../../../src/scp/callers.ts';

const peers = [{ aeTitle: 'DSA', host: '10.0.0.5', port: 104, may: ['store'] as const }];
const everything = new Set(['store', 'query', 'retrieve']);

describe('callers', () => {
  test('a peer may do what its entry says, wherever it calls from', () => {
    assert.deepEqual(new Callers(peers, 'refuse').admit('DSA', '10.0.0.77'), new Set(['store']));
  });

  const strangers: [UnknownCallerPolicy, unknown][] = [
    ['refuse', 'refused'],
    ['echo', new Set()],
    ['all', everything],
  ];
  for (const [policy, expected] of strangers) {
    test(`a stranger under "${policy}"`, () => {
      assert.deepEqual(new Callers(peers, policy).admit('WHO', '10.0.0.9'), expected);
      assert.deepEqual(new Callers(peers, policy).admit('WHO', 'fe80::1'), expected);
    });
  }

  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    test(`${address} counts as known`, () => {
      assert.deepEqual(new Callers(peers, 'refuse').admit('WHO', address), everything);
    });
  }

  for (const address of ['::ffff:10.0.0.9', '128.0.0.1', '']) {
    test(`${address || 'no address'} does not`, () => {
      assert.equal(new Callers(peers, 'refuse').admit('WHO', address), 'refused');
    });
  }
});
