// The decoder gives the same PDUs wherever the transport cuts the bytes (PS3.8 §9.1: a byte stream has no borders).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import {
  A_ABORT_USER,
  A_ASSOCIATE_AC,
  A_ASSOCIATE_RJ,
  A_ASSOCIATE_RQ,
  A_RELEASE_RP,
  A_RELEASE_RQ,
  P_DATA_TF,
} from './encoded-pdus.ts';

const CONVERSATION = Buffer.concat([
  A_ASSOCIATE_RQ,
  P_DATA_TF,
  P_DATA_TF,
  A_ASSOCIATE_AC,
  P_DATA_TF,
  A_ASSOCIATE_RJ,
  A_RELEASE_RQ,
  A_RELEASE_RP,
  A_ABORT_USER,
]);

// Parts of a PDV joined again, so that results can be compared.
function decode(chunks: readonly Buffer[]): unknown[] {
  const decoder = new PduDecoder();
  const units: unknown[] = [];
  let value: Buffer[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let pdu = decoder.next(); pdu !== undefined; pdu = decoder.next()) {
      if (pdu.type !== 'P-DATA-TF') {
        units.push(pdu);
        continue;
      }
      value.push(pdu.data);
      const joined = Buffer.concat(value);
      if (pdu.contextId === 1 ? !pdu.isLast : joined.length < 10) continue;
      units.push({ ...pdu, data: joined });
      value = [];
    }
  }
  return units;
}

const WHOLE = decode([CONVERSATION]);

test('cut once, at every offset', () => {
  for (let at = 0; at <= CONVERSATION.length; at += 1) {
    const units = decode([CONVERSATION.subarray(0, at), CONVERSATION.subarray(at)]);
    assert.deepEqual(units, WHOLE, `cut at ${at}`);
  }
});

test('one byte at a time', () => {
  assert.deepEqual(decode(Array.from(CONVERSATION, (byte) => Buffer.from([byte]))), WHOLE);
});

test('every size of chunk', () => {
  for (let size = 2; size < 80; size += 1) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < CONVERSATION.length; at += size) chunks.push(CONVERSATION.subarray(at, at + size));
    assert.deepEqual(decode(chunks), WHOLE, `chunks of ${size}`);
  }
});
