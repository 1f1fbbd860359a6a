// Numbers as text of one character per byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uint16Text, uint32Text } from '../../../src/util/byte-text.ts';

test('numbers become their little endian bytes', () => {
  const bytes = Buffer.from(uint16Text(0x80ff) + uint32Text(0xfffe0001), 'latin1');
  assert.equal(bytes.toString('hex'), 'ff800100feff');
});
