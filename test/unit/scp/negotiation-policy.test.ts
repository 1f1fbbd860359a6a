// Which contexts are accepted, in which transfer syntax and role (PS3.7 §D.3.3; design: never lossy).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Permission } from '../../../src/scp/callers.ts';
import { extendedNegotiation, supportedContexts } from '../../../src/scp/negotiation-policy.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const JPEG_LOSSLESS = '1.2.840.10008.1.2.4.70';
const JPEG_2000 = '1.2.840.10008.1.2.4.91';
const XA = '1.2.840.10008.5.1.4.1.1.12.1';
const ECHO = '1.2.840.10008.1.1';
const STUDY_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const STUDY_GET = '1.2.840.10008.5.1.4.1.2.2.3';
const ALL: Permission[] = ['store', 'query', 'retrieve'];

function supported(abstractSyntax: string, may: Permission[] = ALL, receives: string[] = []) {
  return supportedContexts(new Set(receives), new Set(may))(abstractSyntax);
}

describe('negotiation policy', () => {
  test('everybody let in may echo, and no more without permission', () => {
    assert.ok(supported(ECHO, []));
    for (const uid of [XA, STUDY_FIND, STUDY_GET]) assert.equal(supported(uid, []), undefined, uid);
    assert.equal(supported(STUDY_FIND, ['store']), undefined);
    assert.equal(supported(XA, ['query', 'retrieve']), undefined);
  });

  test('storage: the requestor’s order decides between lossless syntaxes', () => {
    assert.equal(supported(XA)?.choose([JPEG_LOSSLESS, EXPLICIT]), JPEG_LOSSLESS);
    assert.equal(supported(XA)?.choose([IMPLICIT, JPEG_LOSSLESS]), IMPLICIT);
  });

  test('storage: a lossy syntax is taken only when nothing else is offered', () => {
    assert.equal(supported(XA)?.choose([JPEG_BASELINE, JPEG_2000, IMPLICIT]), IMPLICIT);
    assert.equal(supported(XA)?.choose([JPEG_BASELINE, JPEG_2000]), JPEG_2000);
    assert.equal(supported(XA)?.choose([JPEG_BASELINE]), JPEG_BASELINE);
  });

  test('storage: private and unknown classes and syntaxes are taken from known callers', () => {
    assert.equal(supported('1.3.12.2.1107.5.9.1')?.choose(['1.2.3.4']), '1.2.3.4');
  });

  test('services of the standard that are not offered are not taken for storage', () => {
    for (const uid of [
      '1.2.840.10008.1.20.2',
      '1.2.840.10008.5.1.4.31',
      '1.2.840.10008.5.1.1.9',
      '1.2.840.10008.1.9',
    ]) {
      assert.equal(supported(uid), undefined, uid);
    }
  });

  test('query: the first syntax that needs no codec', () => {
    assert.equal(supported(STUDY_FIND)?.choose([JPEG_LOSSLESS, EXPLICIT]), EXPLICIT);
    assert.equal(supported(STUDY_FIND)?.choose([JPEG_LOSSLESS]), undefined);
  });

  test('C-GET: a requestor that receives gets an uncompressed syntax and both roles (PS3.7 §D.3.3.4)', () => {
    const context = supported(XA, ALL, [XA]);
    assert.equal(context?.choose([JPEG_LOSSLESS, EXPLICIT]), EXPLICIT);
    assert.deepEqual([context?.scu, context?.scp], [true, true]);
    const only = supported(XA, ['retrieve'], [XA]);
    assert.deepEqual([only?.scu, only?.scp], [true, false]);
    assert.equal(supported(XA, ['query'], [XA]), undefined);
  });

  test('C-GET: of several syntaxes the one that can carry most of what may be stored', () => {
    const context = supported(XA, ALL, [XA]);
    assert.equal(context?.choose([DEFLATED, BIG_ENDIAN, IMPLICIT, EXPLICIT]), IMPLICIT);
    assert.equal(context?.choose([JPEG_LOSSLESS, DEFLATED, BIG_ENDIAN]), BIG_ENDIAN);
    assert.equal(context?.choose([JPEG_BASELINE, JPEG_LOSSLESS, JPEG_2000]), JPEG_LOSSLESS);
    assert.equal(context?.choose([JPEG_BASELINE]), JPEG_BASELINE);
  });

  test('extended negotiation answers what both can (PS3.4 C.5.1.1)', () => {
    assert.deepEqual(extendedNegotiation(STUDY_FIND, Buffer.from([1, 0, 1, 1])), Buffer.from([1, 0, 1, 0]));
    assert.deepEqual(extendedNegotiation(STUDY_GET, Buffer.from([1])), Buffer.from([1]));
    assert.equal(extendedNegotiation(XA, Buffer.from([1])), undefined);
    assert.equal(extendedNegotiation(STUDY_FIND, Buffer.alloc(60_000))?.length, 16);
  });
});
