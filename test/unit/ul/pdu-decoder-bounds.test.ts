// What the decoder refuses, and that it refuses before keeping anything (PS3.8 §9.3.1, §9.3.8).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { PduDecoder } from '../../../src/ul/pdu-decoder.ts';
import { A_ASSOCIATE_RQ, bytesOf, hexOf } from './encoded-pdus.ts';

function faultOf(bytes: Buffer, maxPduBytes?: number): UlError {
  const decoder = new PduDecoder(maxPduBytes);
  decoder.push(bytes);
  try {
    while (decoder.next() !== undefined);
  } catch (error) {
    assert.ok(error instanceof UlError, String(error));
    assert.equal(error.abortSource, 2);
    decoder.push(Buffer.alloc(100));
    assert.equal(decoder.next(), undefined, 'nothing comes after a fault');
    return error;
  }
  assert.fail('accepted');
}

// An A-ASSOCIATE-RQ with these items behind its fixed part.
function associateRq(items: string): Buffer {
  const body = bytesOf(`0001 0000 ${'20'.repeat(32)} ${'00'.repeat(32)} ${items}`);
  const header = bytesOf('01 00 00000000');
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

describe('PDU header', () => {
  for (const type of [0x00, 0x08, 0x16, 0x47, 0xff]) {
    test(`type ${type.toString(16)}H is no PDU: reason 1, unrecognised PDU`, () => {
      const fault = faultOf(Buffer.from([type, 0, 0, 0, 0, 4]));
      assert.equal(fault.code, 'ul-unrecognised-pdu');
      assert.equal(fault.reason, 1);
    });
  }

  test('P-DATA-TF of 4 GB is refused by its header alone', () => {
    const fault = faultOf(bytesOf('04 00 ffffffff'));
    assert.equal(fault.code, 'ul-pdu-too-long');
    assert.equal(fault.reason, 6);
    assert.match(fault.message, /P-DATA-TF declares 4294967295 bytes, the most allowed is 262144/);
  });

  test('P-DATA-TF of exactly the announced length passes, one byte more does not', () => {
    const decoder = new PduDecoder(100);
    decoder.push(bytesOf('04 00 00000064 00000060 01 02'));
    assert.equal(decoder.next(), undefined);
    assert.equal(faultOf(bytesOf('04 00 00000065'), 100).code, 'ul-pdu-too-long');
  });

  for (const type of ['01', '02']) {
    test(`A-ASSOCIATE type ${type}H above 1 MiB is refused by its header alone`, () => {
      assert.equal(faultOf(bytesOf(`${type} 00 00100001`)).code, 'ul-pdu-too-long');
    });
  }

  for (const type of ['03', '05', '06', '07']) {
    test(`PDU type ${type}H has four bytes, neither less nor more`, () => {
      assert.equal(faultOf(bytesOf(`${type} 00 00000003 000000`)).code, 'ul-invalid-pdu');
      assert.equal(faultOf(bytesOf(`${type} 00 00000005`)).code, 'ul-invalid-pdu');
      assert.equal(faultOf(bytesOf(`${type} 00 ffffffff`)).code, 'ul-invalid-pdu');
    });
  }

  test('a declared length costs no memory until the bytes are there', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 200 }, () => new PduDecoder());
    for (const decoder of decoders) {
      decoder.push(bytesOf('01 00 00100000 0001'));
      assert.equal(decoder.next(), undefined);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 << 20);
  });
});

describe('PDV', () => {
  test('P-DATA-TF too short for one PDV', () => {
    assert.equal(faultOf(bytesOf('04 00 00000000')).code, 'ul-invalid-pdu');
    assert.equal(faultOf(bytesOf('04 00 00000005')).code, 'ul-invalid-pdu');
  });

  test('PDV length below its own two control bytes', () => {
    for (const length of ['00000000', '00000001']) {
      assert.equal(faultOf(bytesOf(`04 00 00000006 ${length} 01 02`)).code, 'ul-invalid-pdu');
    }
  });

  test('PDV longer than its P-DATA-TF', () => {
    assert.match(faultOf(bytesOf('04 00 00000008 00000005 01 02 aabb')).message, /declares 5 bytes/);
    assert.equal(faultOf(bytesOf('04 00 00000008 ffffffff 01 02 aabb')).code, 'ul-invalid-pdu');
  });

  test('bytes left behind the last PDV that are no PDV', () => {
    assert.match(faultOf(bytesOf('04 00 00000009 00000003 01 02 aa 0000')).message, /ends with 2 bytes/);
  });
});

describe('A-ASSOCIATE items', () => {
  test('shorter than its fixed fields', () => {
    assert.match(faultOf(bytesOf('01 00 00000004 0001 0000')).message, /called AE title wants 16 bytes/);
    assert.match(faultOf(bytesOf('01 00 00000000')).message, /protocol version/);
  });

  test('item longer than the PDU', () => {
    assert.match(faultOf(associateRq('10 00 0005 31')).message, /item wants 5 bytes, 1 are left/);
  });

  test('item header cut off', () => {
    assert.match(faultOf(associateRq('10 00 00')).message, /item length wants 2 bytes/);
  });

  test('sub-item longer than its item: the message names the item', () => {
    const fault = faultOf(associateRq(`20 00 000a 01000000 30 00 0040 ${hexOf('1.')} ${'00'.repeat(80)}`));
    assert.match(fault.message, /A-ASSOCIATE-RQ item 20H: item wants 64 bytes, 2 are left/);
  });

  test('proposed context without an abstract syntax', () => {
    assert.match(
      faultOf(associateRq(`20 00 000b 01000000 40 00 0003 ${hexOf('1.2')}`)).message,
      /presentation context 1 proposes no abstract syntax/,
    );
  });

  const context = (id: number) =>
    `20 00 000b ${id.toString(16).padStart(2, '0')}000000 30 00 0003 ${hexOf('1.2')}`;

  test('the same context identifier twice', () => {
    assert.match(faultOf(associateRq(context(5) + context(5))).message, /context 5 comes twice/);
  });

  test('128 contexts pass, 300 do not: a clear typed error', () => {
    const ids = Array.from({ length: 300 }, (_, index) => (2 * index + 1) % 256);
    const decoder = new PduDecoder();
    decoder.push(associateRq(ids.slice(0, 128).map(context).join('')));
    assert.equal(decoder.next()?.type, 'A-ASSOCIATE-RQ');
    const fault = faultOf(associateRq(ids.map(context).join('')));
    assert.equal(fault.code, 'ul-too-many-contexts');
    assert.match(fault.message, /more than 128 presentation contexts/);
  });

  test('unknown items and sub-items are passed over (PS3.8 §9.3.1)', () => {
    const decoder = new PduDecoder();
    decoder.push(associateRq('77 00 0002 ffff 50 00 0006 7f 00 0002 ffff'));
    const pdu = decoder.next();
    assert.ok(pdu?.type === 'A-ASSOCIATE-RQ');
    assert.equal(pdu.userInformation.maxPduBytes, undefined);
  });

  test('a request cut at any length by its own header is an error, never a crash', () => {
    for (let length = 0; length < A_ASSOCIATE_RQ.length - 6; length += 1) {
      const cut = Buffer.from(A_ASSOCIATE_RQ.subarray(0, 6 + length));
      cut.writeUInt32BE(length, 2);
      const decoder = new PduDecoder();
      decoder.push(cut);
      try {
        assert.equal(decoder.next()?.type, 'A-ASSOCIATE-RQ');
      } catch (error) {
        assert.ok(error instanceof UlError);
      }
    }
  });
});
