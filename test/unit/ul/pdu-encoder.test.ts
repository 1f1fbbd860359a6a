// The encoder's bytes (PS3.8 §9.3) against annotated fixtures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import type { AAssociateAc, AAssociateRq } from '../../../src/ul/pdu.ts';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import {
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeAssociateRq,
  encodeReleaseRp,
  encodeReleaseRq,
  P_DATA_HEADER_BYTES,
  writePDataHeader,
} from '../../../src/ul/pdu-encoder.ts';
import {
  A_ABORT_PROVIDER,
  A_ASSOCIATE_AC,
  A_ASSOCIATE_RJ,
  A_ASSOCIATE_RQ,
  A_RELEASE_RP,
  A_RELEASE_RQ,
  bytesOf,
} from './encoded-pdus.ts';

function decoded<T extends 'A-ASSOCIATE-RQ' | 'A-ASSOCIATE-AC'>(bytes: Buffer, type: T) {
  const decoder = new PduDecoder();
  decoder.push(bytes);
  const pdu = decoder.next();
  assert.equal(pdu?.type, type);
  return pdu;
}

test('A-ASSOCIATE-RQ: the same bytes again, but for blanks before a title', () => {
  const pdu = decoded(A_ASSOCIATE_RQ, 'A-ASSOCIATE-RQ') as AAssociateRq;
  const expected = Buffer.from(A_ASSOCIATE_RQ);
  expected.write('AXIOM_1         ', 26, 'latin1');
  assert.deepEqual(encodeAssociateRq(pdu), expected);
});

test('A-ASSOCIATE-AC: the same bytes again', () => {
  const pdu = decoded(A_ASSOCIATE_AC, 'A-ASSOCIATE-AC') as AAssociateAc;
  assert.deepEqual(encodeAssociateAc(pdu), A_ASSOCIATE_AC);
});

test('A-ASSOCIATE-AC sends back even an empty AE title (PS3.8 Table 9-17)', () => {
  const pdu = decoded(A_ASSOCIATE_AC, 'A-ASSOCIATE-AC') as AAssociateAc;
  const bytes = encodeAssociateAc({ ...pdu, callingAeTitle: '' });
  assert.equal(bytes.toString('latin1', 26, 42), ' '.repeat(16));
});

test('A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP, A-ABORT', () => {
  assert.deepEqual(encodeAssociateRj({ result: 1, source: 1, reason: 3 }), A_ASSOCIATE_RJ);
  assert.deepEqual(encodeReleaseRq(), A_RELEASE_RQ);
  assert.deepEqual(encodeReleaseRp(), A_RELEASE_RP);
  assert.deepEqual(encodeAbort({ source: 2, reason: 6 }), A_ABORT_PROVIDER);
});

test('P-DATA-TF header in place: twelve bytes, nothing around them touched (PS3.8 §9.3.5)', () => {
  const target = Buffer.alloc(16, 0xee);
  writePDataHeader(target, 2, 5, false, true, 0x010203);
  assert.equal(P_DATA_HEADER_BYTES, 12);
  assert.deepEqual(target, bytesOf('eeee 04 00 00010209 00010205 05 02 eeee'));
  writePDataHeader(target, 2, 255, true, false, 0);
  assert.deepEqual(target, bytesOf('eeee 04 00 00000006 00000002 ff 01 eeee'));
});

test('an item above 65535 bytes is refused: its length has 16 bits', () => {
  const pdu = decoded(A_ASSOCIATE_RQ, 'A-ASSOCIATE-RQ') as AAssociateRq;
  for (const bytes of [65_536, 65_530]) {
    const extendedNegotiation = [{ sopClassUid: '1.2', info: Buffer.alloc(bytes) }];
    const tooLong = { ...pdu, userInformation: { ...pdu.userInformation, extendedNegotiation } };
    assert.throws(
      () => encodeAssociateRq(tooLong),
      (error) => error instanceof UlError && error.code === 'ul-item-too-long',
    );
  }
});
