// Properties of decoder and encoder (PS3.8 §9.3): what is encoded decodes to the same; nothing hostile gets past
// a UlError or makes the decoder keep more than came.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UlError } from '../../../src/ul/errors.ts';
import type { AAssociateAc, AAssociateRq, Pdu } from '../../../src/ul/pdu.ts';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import {
  encodeAssociateAc,
  encodeAssociateRq,
  P_DATA_HEADER_BYTES,
  writePDataHeader,
} from '../../../src/ul/pdu-encoder.ts';
import { A_ASSOCIATE_AC, A_ASSOCIATE_RQ, A_RELEASE_RQ, P_DATA_TF } from './encoded-pdus.ts';

// Plain objects: deepEqual tells them from those without a prototype.
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

const uid = fc
  .array(fc.nat(99_999), { minLength: 1, maxLength: 8 })
  .map((components) => `1.2.${components.join('.')}`);
const title = fc.stringMatching(/^[A-Z0-9_]([A-Z0-9_ ]{0,14}[A-Z0-9_])?$/);
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const userInformation = record({
  maxPduBytes: fc.option(fc.nat(0xffff_ffff), { nil: undefined }),
  implementationClassUid: fc.option(uid, { nil: undefined }),
  implementationVersionName: fc.option(title, { nil: undefined }),
  asyncWindow: fc.option(record({ invoked: fc.nat(0xffff), performed: fc.nat(0xffff) }), { nil: undefined }),
  roles: fc.array(record({ sopClassUid: uid, scu: fc.boolean(), scp: fc.boolean() }), { maxLength: 5 }),
  extendedNegotiation: fc.array(record({ sopClassUid: uid, info: bytes(40) }), { maxLength: 3 }),
  commonExtendedNegotiation: fc.array(
    record({ sopClassUid: uid, serviceClassUid: uid, relatedSopClassUids: fc.array(uid, { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
  userIdentity: fc.option(
    record({
      identityType: fc.integer({ min: 1, max: 5 }),
      responseRequested: fc.boolean(),
      primary: bytes(40),
      secondary: bytes(40),
    }),
    { nil: undefined },
  ),
  userIdentityResponse: fc.option(bytes(40), { nil: undefined }),
});
const oddIds = fc.uniqueArray(
  fc.nat(127).map((n) => 2 * n + 1),
  { maxLength: 128 },
);
const frame = {
  protocolVersion: fc.nat(0xffff),
  calledAeTitle: title,
  callingAeTitle: title,
  applicationContext: uid,
  userInformation,
};
const associateRq: fc.Arbitrary<AAssociateRq> = record({
  type: fc.constant('A-ASSOCIATE-RQ' as const),
  ...frame,
  contexts: oddIds.chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        record({
          id: fc.constant(id),
          abstractSyntax: uid,
          transferSyntaxes: fc.array(uid, { maxLength: 4 }),
        }),
      ),
    ),
  ),
});
const associateAc: fc.Arbitrary<AAssociateAc> = record({
  type: fc.constant('A-ASSOCIATE-AC' as const),
  ...frame,
  contexts: oddIds.chain((ids) =>
    fc.tuple(...ids.map((id) => record({ id: fc.constant(id), result: fc.nat(4), transferSyntax: uid }))),
  ),
});

function decodeOne(encoded: Buffer): Pdu | undefined {
  const decoder = new PduDecoder();
  decoder.push(encoded);
  return decoder.next();
}

// Pieces of whatever size; every fault must be a UlError.
function drive(input: Buffer, sizes: readonly number[]): void {
  const decoder = new PduDecoder();
  let at = 0;
  for (let index = 0; at < input.length; index += 1) {
    const size = sizes[index % sizes.length]!;
    decoder.push(input.subarray(at, at + size));
    at += size;
    try {
      for (let pdu = decoder.next(); pdu !== undefined; pdu = decoder.next()) {
        if (pdu.type === 'P-DATA-TF') assert.ok(pdu.data.length <= size);
      }
    } catch (error) {
      assert.ok(error instanceof UlError, String(error));
    }
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });

test('A-ASSOCIATE-RQ: encode, then decode, gives the same value', () => {
  fc.assert(fc.property(associateRq, (pdu) => assert.deepEqual(decodeOne(encodeAssociateRq(pdu)), pdu)));
});

test('A-ASSOCIATE-AC: encode, then decode, gives the same value', () => {
  fc.assert(fc.property(associateAc, (pdu) => assert.deepEqual(decodeOne(encodeAssociateAc(pdu)), pdu)));
});

test('P-DATA-TF: header written, then decoded, gives the same PDV', () => {
  const pdv = record({ id: fc.nat(255), isCommand: fc.boolean(), isLast: fc.boolean(), value: bytes(300) });
  fc.assert(
    fc.property(pdv, ({ id, isCommand, isLast, value }) => {
      const pdu = Buffer.concat([Buffer.alloc(P_DATA_HEADER_BYTES), value]);
      writePDataHeader(pdu, 0, id, isCommand, isLast, value.length);
      assert.deepEqual(decodeOne(pdu), { type: 'P-DATA-TF', contextId: id, isCommand, isLast, data: value });
    }),
  );
});

test('random bytes never throw anything but UlError', () => {
  fc.assert(fc.property(bytes(2_000), sizes, drive), { numRuns: 500 });
});

test('random bytes behind a valid PDU header never throw anything but UlError', () => {
  const framed = fc.tuple(fc.integer({ min: 1, max: 7 }), bytes(500)).map(([type, body]) => {
    const header = Buffer.from([type, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(body.length, 2);
    return Buffer.concat([header, body]);
  });
  fc.assert(fc.property(framed, sizes, drive), { numRuns: 500 });
});

test('valid conversations with a few bytes changed never throw anything but UlError', () => {
  const conversation = Buffer.concat([A_ASSOCIATE_RQ, P_DATA_TF, A_ASSOCIATE_AC, A_RELEASE_RQ]);
  const changes = fc.array(fc.tuple(fc.nat(conversation.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(changes, sizes, (edits, cuts) => {
      const changed = Buffer.from(conversation);
      for (const [at, byte] of edits) changed[at] = byte;
      drive(changed, cuts);
    }),
    { numRuns: 1_000 },
  );
});
