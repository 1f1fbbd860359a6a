// How much of a volume is kept free.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reserveBytesOf } from '../../../src/config/schema.ts';

test('auto is 5 % of a small volume', () => assert.equal(reserveBytesOf('auto', 100_000_000), 5_000_000));
test('auto is never more than 2 GiB', () => assert.equal(reserveBytesOf('auto', 16e12), 2 ** 31));
test('a number is taken as it is', () => assert.equal(reserveBytesOf(0, 16e12), 0));
