// Command sets: what is written is read back, and what lies about itself is refused by name (PS3.7 §6.3.1).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeCommandSet, encodeCommandSet } from '../../../src/dimse/command-set.ts';
import { COMMAND_FIELDS, CommandField, type CommandSet, NO_DATA_SET } from '../../../src/dimse/commands.ts';
import { ProtocolError } from '../../../src/dimse/errors.ts';

// C-ECHO-RQ (PS3.7 Table 9.3-12), one element per line.
const C_ECHO_RQ = Buffer.from(
  [
    '0000 0000 04000000 38000000', // Command Group Length 56
    '0000 0200 12000000 312e322e3834302e31303030382e312e3100', // Affected SOP Class UID 1.2.840.10008.1.1
    '0000 0001 02000000 3000', // Command Field C-ECHO-RQ
    '0000 1001 02000000 0700', // Message ID 7
    '0000 0008 02000000 0101', // Command Data Set Type: none
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
);

const echo: CommandSet = {
  affectedSopClassUid: '1.2.840.10008.1.1',
  commandField: CommandField.cEchoRq,
  messageId: 7,
  commandDataSetType: NO_DATA_SET,
};

describe('command set', () => {
  test('C-ECHO-RQ is written as in PS3.7 Table 9.3-12', () => {
    assert.equal(encodeCommandSet(echo).toString('hex'), C_ECHO_RQ.toString('hex'));
  });

  test('C-ECHO-RQ is read', () => {
    assert.deepEqual(decodeCommandSet(C_ECHO_RQ), echo);
  });

  test('what is written is read back, for any values of any fields', () => {
    const values = {
      US: fc.integer({ min: 0, max: 0xffff }),
      UI: fc.stringMatching(/^[1-9](\.[1-9]{1,5}){0,9}$/),
    };
    const texts = {
      AE: fc.stringMatching(/^[A-Z0-9]{1,16}$/),
      LO: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
      AT: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 1, maxLength: 5 }),
    };
    const fields = Object.fromEntries(
      COMMAND_FIELDS.map(([, key, vr]) => [key, { ...values, ...texts }[vr]]),
    );
    const required = ['commandField', 'commandDataSetType'];
    fc.assert(
      fc.property(fc.record(fields, { requiredKeys: required, noNullPrototype: true }), (command) => {
        assert.deepEqual(decodeCommandSet(encodeCommandSet(command as unknown as CommandSet)), command);
      }),
    );
  });

  test('elements are written in ascending order (PS3.7 §6.3.1)', () => {
    const elements = COMMAND_FIELDS.map(([element]) => element);
    assert.deepEqual(
      elements,
      elements.toSorted((a, b) => a - b),
    );
  });

  test('a command set cut anywhere is refused, never misread', () => {
    for (let end = 0; end < C_ECHO_RQ.length; end += 1) {
      assert.throws(() => decodeCommandSet(C_ECHO_RQ.subarray(0, end)), ProtocolError, `cut at ${end}`);
    }
  });

  test('random bytes give a command set or a ProtocolError, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeCommandSet(Buffer.from(bytes));
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }),
    );
  });

  test('a length of 4 GiB is refused by the name of its element', () => {
    const lying = Buffer.from('0000000104000000ffffffff'.replace('04000000ffffffff', 'ffffffff3000'), 'hex');
    assert.throws(() => decodeCommandSet(lying), /\(0000,0100\) is 4294967295 bytes/);
  });

  test('elements of another group are refused', () => {
    assert.throws(() => decodeCommandSet(Buffer.from('0800180002000000312e', 'hex')), /\(0008,0018\)/);
  });

  test('UIDs padded with a blank are accepted (Deviation PS3.5 §6.2)', () => {
    const blank = Buffer.from(C_ECHO_RQ);
    blank[12 + 8 + 17] = 0x20;
    assert.equal(decodeCommandSet(blank).affectedSopClassUid, '1.2.840.10008.1.1');
  });

  test('an Error Comment is cut to 64 characters of the default repertoire (PS3.7 §C.4.2)', () => {
    const comment = `Müller\\${'x'.repeat(100)}`;
    const read = decodeCommandSet(encodeCommandSet({ ...echo, errorComment: comment }));
    assert.match(read.errorComment ?? '', /^Mu\?ller\?x{56}$/);
  });
});
