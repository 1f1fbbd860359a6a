// User information sub-items, each with its bytes (PS3.7 §D.3.3, PS3.8 Annex D).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { FieldReader } from '../../../src/ul/field-reader.ts';
import type { UserInformation } from '../../../src/ul/user-information.ts';
import { decodeUserInformation, emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';
import { encodeUserInformation } from '../../../src/ul/user-information-encoder.ts';
import { bytesOf, hexOf } from './encoded-pdus.ts';

function decode(hex: string): UserInformation {
  return decodeUserInformation(new FieldReader(bytesOf(hex), 'A-ASSOCIATE-RQ'));
}

// Each row: the rule, the item's bytes, what it says.
const ITEMS: [string, string, Partial<UserInformation>][] = [
  ['maximum length (PS3.8 §D.1.1)', '51 00 0004 00040000', { maxPduBytes: 262_144 }],
  [
    'implementation class UID (PS3.7 §D.3.3.2.1)',
    `52 00 0007 ${hexOf('1.2.3.4')}`,
    { implementationClassUid: '1.2.3.4' },
  ],
  [
    'asynchronous operations window (PS3.7 §D.3.3.3)',
    '53 00 0004 0000 0002',
    { asyncWindow: { invoked: 0, performed: 2 } },
  ],
  [
    'role selection (PS3.7 §D.3.3.4)',
    `54 00 0007 0003 ${hexOf('1.2')} 00 01`,
    { roles: [{ sopClassUid: '1.2', scu: false, scp: true }] },
  ],
  [
    'implementation version name (PS3.7 §D.3.3.2.3)',
    `55 00 0009 ${hexOf('VENDOR_12')}`,
    { implementationVersionName: 'VENDOR_12' },
  ],
  [
    'SOP class extended negotiation (PS3.7 §D.3.3.5)',
    `56 00 0009 0003 ${hexOf('1.2')} 01000201`,
    { extendedNegotiation: [{ sopClassUid: '1.2', info: bytesOf('01000201') }] },
  ],
  [
    'SOP class common extended negotiation (PS3.7 §D.3.3.6)',
    `57 00 0017 0003 ${hexOf('1.2')} 0003 ${hexOf('1.3')} 000b 0003 ${hexOf('1.4')} 0004 ${hexOf('1.50')}`,
    {
      commonExtendedNegotiation: [
        { sopClassUid: '1.2', serviceClassUid: '1.3', relatedSopClassUids: ['1.4', '1.50'] },
      ],
    },
  ],
  [
    'user identity of a request (PS3.7 §D.3.3.7.1)',
    `58 00 0011 02 00 0005 ${hexOf('nurse')} 0006 ${hexOf('secret')}`,
    {
      userIdentity: {
        identityType: 2,
        responseRequested: false,
        primary: Buffer.from('nurse'),
        secondary: Buffer.from('secret'),
      },
    },
  ],
  [
    'user identity of an answer (PS3.7 §D.3.3.7.2)',
    '59 00 0002 0000',
    { userIdentityResponse: Buffer.alloc(0) },
  ],
];

for (const [rule, hex, meaning] of ITEMS) {
  describe(rule, () => {
    const info: UserInformation = { ...emptyUserInformation(), ...meaning };

    test('decodes', () => assert.deepEqual(decode(hex), info));

    test('encodes', () => assert.deepEqual(Buffer.concat(encodeUserInformation(info)), bytesOf(hex)));

    test('cut short anywhere, it is a typed error or an item with less in it', () => {
      const whole = bytesOf(hex);
      for (let length = 0; length < whole.length - 4; length += 1) {
        const cut = Buffer.from(whole.subarray(0, 4 + length));
        cut.writeUInt16BE(length, 2);
        try {
          decodeUserInformation(new FieldReader(cut, 'A-ASSOCIATE-RQ'));
        } catch (error) {
          assert.ok(error instanceof UlError && error.code === 'ul-invalid-pdu', String(error));
        }
      }
    });
  });
}

test('Deviation: UIDs padded with NUL or blank are accepted', () => {
  assert.equal(decode(`52 00 0004 ${hexOf('1.2')} 00`).implementationClassUid, '1.2');
  assert.equal(decode(`54 00 0009 0005 ${hexOf('1.2')} 2020 01 01`).roles[0]?.sopClassUid, '1.2');
});

test('a related SOP class that reaches beyond its list is refused', () => {
  const hex = `57 00 0012 0003 ${hexOf('1.2')} 0003 ${hexOf('1.3')} 0004 0004 ${hexOf('1.45')}`;
  assert.throws(() => decode(hex), /reaches beyond its list/);
});

test('application information is a copy: an association does not keep the chunk it came in', () => {
  const chunk = bytesOf(`56 00 0009 0003 ${hexOf('1.2')} 01000201`);
  const info = decodeUserInformation(new FieldReader(chunk, 'A-ASSOCIATE-RQ'));
  chunk.fill(0);
  assert.deepEqual(info.extendedNegotiation[0]?.info, bytesOf('01000201'));
});
