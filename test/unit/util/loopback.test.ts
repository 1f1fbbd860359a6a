// Which addresses no other machine can reach.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopbackAddress } from '../../../src/util/loopback.ts';

for (const address of ['127.0.0.1', '127.255.1.2', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
  test(`${address} is loopback`, () => assert.ok(isLoopbackAddress(address)));
}
for (const address of ['128.0.0.1', '0.0.0.0', '::', '::2', '::ffff:10.0.0.1', 'localhost', '127.1', '']) {
  test(`${JSON.stringify(address)} is not`, () => assert.ok(!isLoopbackAddress(address)));
}
