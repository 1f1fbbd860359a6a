// AET@HOST:PORT and the AE title rule (PS3.5 §6.2, VR AE).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatHostPort, isAeTitle, isHost, parsePeerAddress } from '../../../src/config/peer-address.ts';

describe('AE title (PS3.5 §6.2)', () => {
  test('every character of the default repertoire but the backslash may stand in it', () => {
    for (let code = 0; code < 0x180; code += 1) {
      const character = String.fromCharCode(code);
      const allowed = code >= 0x20 && code <= 0x7e && character !== '\\';
      assert.equal(isAeTitle(`A${character}B`), allowed, JSON.stringify(character));
    }
  });

  test('one to sixteen characters', () => {
    assert.ok(isAeTitle('A'));
    assert.ok(isAeTitle('A'.repeat(16)));
    assert.ok(!isAeTitle('A'.repeat(17)));
    assert.ok(!isAeTitle(''));
  });

  test('blanks alone are no title', () => assert.ok(!isAeTitle(' '.repeat(16))));
});

describe('host', () => {
  for (const host of ['localhost', '10.0.0.1', '::1', 'fe80::1%eth0', 'nas.local', 'WS_3', 'a.b.c.', 'x-1']) {
    test(`${host} is one`, () => assert.ok(isHost(host)));
  }
  for (const host of [
    '',
    '10.0.0',
    '256.1.1.1',
    '-x',
    'a..b',
    'a b',
    'a/b',
    'é',
    `${'a'.repeat(64)}.b`,
    '[::1]',
    '1:2',
  ]) {
    test(`${JSON.stringify(host)} is none`, () => assert.ok(!isHost(host)));
  }
});

describe('AET@HOST:PORT', () => {
  const cases: [string, ReturnType<typeof parsePeerAddress>][] = [
    ['WS@192.168.1.20:104', { aeTitle: 'WS', host: '192.168.1.20', port: 104 }],
    ['WS@[::1]:11112', { aeTitle: 'WS', host: '::1', port: 11112 }],
    ['WS@nas.local:1', { aeTitle: 'WS', host: 'nas.local', port: 1 }],
    ['A@B@host:65535', { aeTitle: 'A@B', host: 'host', port: 65535 }],
    [' MY WS @host:104', { aeTitle: 'MY WS', host: 'host', port: 104 }],
  ];
  for (const [text, expected] of cases) {
    test(text, () => assert.deepEqual(parsePeerAddress(text), expected));
  }
  const wrong = [
    '',
    'WS',
    'WS@host',
    'WS@:104',
    '@host:104',
    'WS@host:0',
    'WS@host:65536',
    'WS@host:port',
    'WS@::1:104',
  ];
  for (const text of [
    ...wrong,
    'WS@[10.0.0.1]:104',
    'WS@[::1]',
    'SEVENTEEN LETTERS@h:1',
    'A\\B@h:1',
    'WS@h:104 ',
    'WS@h:1e3',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parsePeerAddress(text), undefined));
  }

  test('whatever is written is read back', () => {
    const title = fc.stringMatching(/^[!-[\]-~]{1,16}$/);
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('nas.local'));
    fc.assert(
      fc.property(title, host, fc.integer({ min: 1, max: 65535 }), (aeTitle, at, port) => {
        assert.deepEqual(parsePeerAddress(`${aeTitle}@${formatHostPort(at, port)}`), {
          aeTitle,
          host: at,
          port,
        });
      }),
    );
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parsePeerAddress(text)));
  });
});
