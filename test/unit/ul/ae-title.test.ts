// AE titles on the wire (PS3.8 §9.3.2, PS3.5 §6.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAeTitle, encodeAeTitle } from '../../../src/ul/ae-title.ts';
import { UlError } from '../../../src/ul/errors.ts';

test('blanks at both ends are not significant, those inside are', () => {
  assert.equal(decodeAeTitle(Buffer.from('  AXIOM ARTIS   ')), 'AXIOM ARTIS');
  assert.equal(decodeAeTitle(Buffer.from(' '.repeat(16))), '');
});

test('Deviation: NUL padding is accepted', () => {
  assert.equal(decodeAeTitle(Buffer.from('STORE\0\0\0junk\0\0\0\0', 'latin1')), 'STORE');
});

test('Deviation: characters outside the default repertoire are accepted', () => {
  assert.equal(decodeAeTitle(Buffer.from('RÖNTGEN         ', 'latin1')), 'RÖNTGEN');
});

test('control characters cannot reach a log line', () => {
  assert.equal(decodeAeTitle(Buffer.from('A\r\nB\x1b[2J\x9fC    ', 'latin1')), 'A??B?[2J?C');
});

test('written with 16 bytes, padded with blanks', () => {
  assert.deepEqual(encodeAeTitle('ANGIOVAULT'), Buffer.from('ANGIOVAULT      '));
  assert.deepEqual(encodeAeTitle(' SIXTEEN_CHARS__ '), Buffer.from('SIXTEEN_CHARS__ '));
});

for (const title of ['', '    ', 'SEVENTEEN_LETTERS', '血管造影', 'A\tB']) {
  test(`'${title}' cannot be sent as an AE title`, () => {
    assert.throws(
      () => encodeAeTitle(title),
      (error) => error instanceof UlError && error.code === 'ul-bad-ae-title',
    );
  });
}
