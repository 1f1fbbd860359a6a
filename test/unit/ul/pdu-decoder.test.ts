// The decoder's results for whole PDUs (PS3.8 §9.3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pdu } from '../../../src/ul/pdu.ts';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import {
  A_ABORT_PROVIDER,
  A_ASSOCIATE_AC,
  A_ASSOCIATE_RJ,
  A_ASSOCIATE_RQ,
  A_RELEASE_RP,
  A_RELEASE_RQ,
  bytesOf,
  P_DATA_TF,
} from './encoded-pdus.ts';

function decodeAll(...chunks: Buffer[]): Pdu[] {
  const decoder = new PduDecoder();
  const pdus: Pdu[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let pdu = decoder.next(); pdu !== undefined; pdu = decoder.next()) pdus.push(pdu);
  }
  return pdus;
}

test('A-ASSOCIATE-RQ: titles, contexts and user information (PS3.8 §9.3.2)', () => {
  assert.deepEqual(decodeAll(A_ASSOCIATE_RQ), [
    {
      type: 'A-ASSOCIATE-RQ',
      protocolVersion: 1,
      calledAeTitle: 'ANGIOVAULT',
      callingAeTitle: 'AXIOM_1',
      applicationContext: '1.2.840.10008.3.1.1.1',
      contexts: [
        { id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2.1'] },
        {
          id: 3,
          abstractSyntax: '1.2.840.10008.5.1.1',
          transferSyntaxes: ['1.2.840.10008.1.2.1', '1.2.840.10008.1.'],
        },
      ],
      userInformation: {
        maxPduBytes: 16_384,
        implementationClassUid: '1.2.3.4',
        implementationVersionName: 'TEST_1',
        asyncWindow: { invoked: 5, performed: 7 },
        roles: [],
        extendedNegotiation: [],
        commonExtendedNegotiation: [],
        userIdentity: {
          identityType: 1,
          responseRequested: true,
          primary: Buffer.from('user'),
          secondary: Buffer.alloc(0),
        },
        userIdentityResponse: undefined,
      },
    },
  ]);
});

test('A-ASSOCIATE-AC: results, transfer syntaxes and server response (PS3.8 §9.3.3)', () => {
  const [pdu] = decodeAll(A_ASSOCIATE_AC);
  assert.ok(pdu?.type === 'A-ASSOCIATE-AC');
  assert.deepEqual(pdu.contexts, [
    { id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2.1' },
    { id: 3, result: 3, transferSyntax: '' },
  ]);
  assert.equal(pdu.userInformation.maxPduBytes, 0);
  assert.deepEqual(pdu.userInformation.userIdentityResponse, Buffer.from('fine'));
});

test('A-ASSOCIATE-RJ: result, source, reason (PS3.8 §9.3.4)', () => {
  assert.deepEqual(decodeAll(A_ASSOCIATE_RJ), [{ type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 3 }]);
});

test('A-RELEASE-RQ, A-RELEASE-RP and A-ABORT, one behind the other (PS3.8 §9.3.6 to §9.3.8)', () => {
  assert.deepEqual(decodeAll(Buffer.concat([A_RELEASE_RQ, A_RELEASE_RP, A_ABORT_PROVIDER])), [
    { type: 'A-RELEASE-RQ' },
    { type: 'A-RELEASE-RP' },
    { type: 'A-ABORT', source: 2, reason: 6 },
  ]);
});

test('P-DATA-TF: one fragment per PDV, message control header decoded (PS3.8 §9.3.5, §E.2)', () => {
  assert.deepEqual(decodeAll(P_DATA_TF), [
    { type: 'P-DATA-TF', contextId: 1, isCommand: true, isLast: true, data: Buffer.from('echo') },
    { type: 'P-DATA-TF', contextId: 3, isCommand: false, isLast: false, data: Buffer.from('0123456789') },
  ]);
});

test('a PDV without a value still comes up: it may be the last fragment', () => {
  assert.deepEqual(decodeAll(bytesOf('04 00 00000006 00000002 05 02')), [
    { type: 'P-DATA-TF', contextId: 5, isCommand: false, isLast: true, data: Buffer.alloc(0) },
  ]);
});

test('PDV values are slices of the chunk, not copies', () => {
  const chunk = Buffer.from(P_DATA_TF);
  const fragments = decodeAll(chunk).filter((pdu) => pdu.type === 'P-DATA-TF');
  for (const { data } of fragments) assert.equal(data.buffer, chunk.buffer);
  assert.equal(fragments[0]?.data.byteOffset, chunk.byteOffset + 12);
});

test('a PDV spread over chunks comes up part by part, last only with its final part', () => {
  const pdu = bytesOf('04 00 0000000a 00000006 01 02 aabbccdd');
  const parts = decodeAll(pdu.subarray(0, 13), pdu.subarray(13, 15), pdu.subarray(15));
  assert.deepEqual(
    parts.map((part) => part.type === 'P-DATA-TF' && [part.data.toString('hex'), part.isLast]),
    [
      ['aa', false],
      ['bbcc', false],
      ['dd', true],
    ],
  );
});

test('bytes pushed before the former ones are used up are not lost', () => {
  const decoder = new PduDecoder();
  decoder.push(P_DATA_TF);
  decoder.next();
  decoder.push(A_RELEASE_RQ);
  assert.equal(decoder.next()?.type, 'P-DATA-TF');
  assert.equal(decoder.next()?.type, 'A-RELEASE-RQ');
  assert.equal(decoder.next(), undefined);
});

test('atBoundary tells whether a PDU is half-read', () => {
  const decoder = new PduDecoder();
  assert.equal(decoder.atBoundary, true);
  decoder.push(A_RELEASE_RQ.subarray(0, 3));
  decoder.next();
  assert.equal(decoder.atBoundary, false);
  decoder.push(A_RELEASE_RQ.subarray(3));
  assert.equal(decoder.next()?.type, 'A-RELEASE-RQ');
  assert.equal(decoder.atBoundary, true);
});
