// The head of a DICOM file: written, sealed, read back, and read from other people's files (PS3.10 §7.1).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DicomError } from '../../../src/dicom/errors.ts';
import { encodeFileHead, type FileMeta, readFileHead } from '../../../src/dicom/file-meta.ts';
import { readForeignHead } from '../../../src/dicom/foreign-head.ts';
import { IMPLEMENTATION_CLASS_UID } from '../../../src/dicom/uid.ts';
import { readSample } from '../../support/samples.ts';
import { BIG_ENDIAN, EXPLICIT, IMPLICIT, implicit, long, short, shortBig, u16, u32 } from './bytes.ts';

const META = {
  sopClassUid: '1.2.840.10008.5.1.4.1.1.12.1',
  sopInstanceUid: '1.2.3.4',
  transferSyntaxUid: '1.2.840.10008.1.2.4.70',
  sourceAeTitle: 'DSA',
  sendingAeTitle: 'DSA',
  receivingAeTitle: 'ANGIOVAULT',
};
const RECEIVED = '2024-05-06T07:08:09.123Z';
const DATA_SET = short(0x00080005, 'CS', 'ISO_IR 100');
const SHA256 = createHash('sha256').update(DATA_SET).digest('hex');

function readHead(bytes: Buffer): { meta: FileMeta; dataSetOffset: number } {
  const head = readFileHead(bytes);
  if (head === 'more') throw new Error('wants more');
  return head;
}

describe('our own head', () => {
  test('what is written is read back', () => {
    const head = encodeFileHead(META, RECEIVED);
    const { meta, dataSetOffset } = readHead(Buffer.concat([head.bytes, DATA_SET]));
    assert.deepEqual(meta, META);
    assert.equal(dataSetOffset, head.bytes.length);
  });

  test('preamble of 128 zeros, then DICM', () => {
    const { bytes } = encodeFileHead(META, RECEIVED);
    assert.equal(bytes.subarray(0, 132).toString('latin1'), `${'\0'.repeat(128)}DICM`);
  });

  test('group length counts what follows it', () => {
    const { bytes } = encodeFileHead(META, RECEIVED);
    assert.equal(bytes.subarray(132, 140).toString('hex'), '02000000554c0400');
    assert.equal(bytes.readUInt32LE(140), bytes.length - 144);
    assert.equal(bytes.length % 2, 0);
  });

  test('seal fills hash, count and time into the blank without changing any length', () => {
    const head = encodeFileHead(META, RECEIVED);
    const before = Buffer.from(head.bytes);
    head.seal(SHA256, DATA_SET.length);
    assert.equal(head.bytes.length, before.length);
    const firstDifference = head.bytes.findIndex((byte, index) => byte !== before[index]);
    assert.equal(before.subarray(firstDifference).toString('latin1').trim(), '');
    const { meta } = readHead(Buffer.concat([head.bytes, DATA_SET]));
    assert.deepEqual(meta.integrity, {
      sha256: SHA256,
      bytes: DATA_SET.length,
      receivedAt: RECEIVED,
    });
  });

  test('a count of many gigabytes fits', () => {
    const head = encodeFileHead(META, RECEIVED);
    head.seal(SHA256, Number.MAX_SAFE_INTEGER);
    const { meta } = readHead(Buffer.concat([head.bytes, DATA_SET]));
    assert.equal(meta.integrity?.bytes, Number.MAX_SAFE_INTEGER);
  });

  test('an unsealed head claims no integrity', () => {
    const { meta } = readHead(Buffer.concat([encodeFileHead(META, RECEIVED).bytes, DATA_SET]));
    assert.equal(meta.integrity, undefined);
  });

  test("somebody else's private information is not taken for ours", () => {
    const head = encodeFileHead(META, RECEIVED);
    head.seal(SHA256, 1);
    const at = head.bytes.lastIndexOf(IMPLEMENTATION_CLASS_UID);
    head.bytes.write('9', at + IMPLEMENTATION_CLASS_UID.length - 1);
    assert.equal(readHead(Buffer.concat([head.bytes, DATA_SET])).meta.integrity, undefined);
  });

  test('AE titles are left out when unknown', () => {
    const { sopClassUid, sopInstanceUid, transferSyntaxUid } = META;
    const head = encodeFileHead({ sopClassUid, sopInstanceUid, transferSyntaxUid }, RECEIVED);
    const { meta } = readHead(Buffer.concat([head.bytes, DATA_SET]));
    assert.deepEqual(meta, { sopClassUid, sopInstanceUid, transferSyntaxUid });
  });

  test('DCMTK reads it and finds every field in its place', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'file-meta-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const head = encodeFileHead({ ...META, transferSyntaxUid: EXPLICIT }, RECEIVED);
    head.seal(SHA256, DATA_SET.length);
    const file = join(folder, 'one.dcm');
    writeFileSync(file, Buffer.concat([head.bytes, DATA_SET]));
    const dump = execFileSync('dcmdump', ['-Un', '+L', file], { encoding: 'latin1' });
    assert.doesNotMatch(dump, /^[EW]:/m);
    for (const [tag, value] of [
      ['0002,0002', META.sopClassUid],
      ['0002,0003', META.sopInstanceUid],
      ['0002,0010', EXPLICIT],
      ['0002,0012', IMPLEMENTATION_CLASS_UID],
      ['0002,0013', 'ANGIOVAULT_0.1'],
      ['0002,0016', 'DSA'],
      ['0002,0017', 'DSA'],
      ['0002,0018', 'ANGIOVAULT'],
      ['0002,0100', IMPLEMENTATION_CLASS_UID],
    ]) {
      assert.match(dump, new RegExp(`^\\(${tag}\\) .. \\[${value}\\]`, 'm'));
    }
    const field = /^\(0002,0102\) OB ([0-9a-f\\]+)/m.exec(dump)?.[1]?.replaceAll('\\', '') ?? '';
    assert.match(
      Buffer.from(field, 'hex').toString('latin1'),
      /^sha256=[0-9a-f]{64} bytes=0{18}18 received=2024/,
    );
  });
});

describe('bytes that are not all there', () => {
  test('every beginning of a head asks for more', () => {
    const whole = Buffer.concat([encodeFileHead(META, RECEIVED).bytes, DATA_SET]);
    const { dataSetOffset } = readHead(whole);
    for (let length = 0; length < dataSetOffset; length += 1) {
      assert.equal(readFileHead(whole.subarray(0, length)), 'more', `cut at ${length}`);
    }
  });

  test('the first byte that contradicts "DICM" ends it', () => {
    assert.throws(() => readFileHead(Buffer.alloc(129, 'x')), { code: 'not-part-10' });
    assert.throws(() => readFileHead(Buffer.concat([Buffer.alloc(128), Buffer.from('DICX')])), {
      code: 'not-part-10',
    });
  });

  test('File Meta Information without end is bounded', () => {
    const endless = Buffer.alloc(2 << 20, short(0x00020003, 'UI', '1.2.3.4.'));
    const bytes = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), endless]);
    assert.throws(() => readFileHead(bytes), { code: 'limit' });
  });

  test('random bytes only ever give DicomError', () => {
    const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), u16(2), u16(0)]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, asFile) => {
        const input = asFile ? Buffer.concat([prefix, bytes]) : Buffer.from(bytes);
        for (const read of [readFileHead, readForeignHead]) {
          try {
            read(input);
          } catch (error) {
            assert.ok(error instanceof DicomError, String(error));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("other people's heads", () => {
  const part10 = (...parts: Buffer[]): Buffer =>
    Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), ...parts]);
  const syntax = short(0x00020010, 'UI', '1.2.840.10008.1.2.1\0');

  test('Deviation (PS3.10 §7.1): no group length', () => {
    const { meta, dataSetOffset } = readHead(part10(syntax, DATA_SET));
    assert.deepEqual([meta.transferSyntaxUid, dataSetOffset], [EXPLICIT, 132 + syntax.length]);
  });

  for (const [name, count] of [
    ['too small', 8],
    ['too large', 60],
    ['absurd', 0xfffffff0],
  ] as const) {
    test(`Deviation (PS3.10 §7.1): a group length that is ${name}`, () => {
      const file = part10(short(0x00020000, 'UL', u32(count)), syntax, DATA_SET, Buffer.alloc(100));
      assert.equal(readHead(file).dataSetOffset, 144 + syntax.length);
    });
  }

  test('Deviation (PS3.10 §7.1): meta information in Implicit VR', () => {
    const file = part10(implicit(0x00020010, '1.2.840.10008.1.2\0'), implicit(0x00080005, 'ISO_IR 100'));
    assert.equal(readHead(file).meta.transferSyntaxUid, IMPLICIT);
  });

  test('Deviation (PS3.10 §7.1): no transfer syntax, told by the first element', () => {
    const named = short(0x00020003, 'UI', '1.2.3\0');
    const cases = [
      [EXPLICIT, DATA_SET],
      [IMPLICIT, implicit(0x00080005, 'ISO_IR 100')],
      [BIG_ENDIAN, shortBig(0x00080005, 'CS', 'ISO_IR 100')],
    ] as const;
    for (const [uid, dataSet] of cases) {
      const { meta } = readHead(part10(named, dataSet));
      assert.deepEqual([meta.sopInstanceUid, meta.transferSyntaxUid], ['1.2.3', uid]);
    }
  });

  test('a deflated data set may begin like group 0002', () => {
    const group = [short(0x00020010, 'UI', '1.2.840.10008.1.2.1.99')];
    const counted = part10(
      short(0x00020000, 'UL', u32(group[0]!.length)),
      ...group,
      Buffer.from([1, 0, 9, 9, 9, 9, 9, 9]),
    );
    assert.equal(readHead(counted).dataSetOffset, 144 + group[0]!.length);
  });

  test('UIDs padded with blanks', () => {
    const { meta } = readHead(part10(short(0x00020010, 'UI', '1.2.840.10008.1.2.1 '), DATA_SET));
    assert.equal(meta.transferSyntaxUid, EXPLICIT);
  });
});

describe('files without a head (readForeignHead)', () => {
  const bare = { sopClassUid: '', sopInstanceUid: '' };

  test('bare data sets begin at 0, their encoding is guessed', () => {
    const cases = [
      [EXPLICIT, DATA_SET],
      [IMPLICIT, implicit(0x00080005, 'ISO_IR 100')],
      [BIG_ENDIAN, shortBig(0x00080005, 'CS', 'ISO_IR 100')],
    ] as const;
    for (const [transferSyntaxUid, bytes] of cases) {
      assert.deepEqual(readForeignHead(bytes), { meta: { ...bare, transferSyntaxUid }, dataSetOffset: 0 });
    }
  });

  test('meta information without a preamble, or with the prefix alone', () => {
    const syntax = short(0x00020010, 'UI', '1.2.840.10008.1.2.1\0');
    for (const lead of ['', 'DICM']) {
      const head = readForeignHead(Buffer.concat([Buffer.from(lead), syntax, DATA_SET]));
      assert.ok(head !== 'more');
      assert.deepEqual(
        [head.meta.transferSyntaxUid, head.dataSetOffset],
        [EXPLICIT, lead.length + syntax.length],
      );
    }
  });

  test('"DICM" at 128 by chance, inside a value', () => {
    const text = short(0x00080005, 'CS', 'ISO_IR 100');
    const comment = short(0x00104000, 'LT', `${'x'.repeat(128 - text.length - 8)}DICM${'x'.repeat(20)}`);
    const head = readForeignHead(Buffer.concat([text, comment]));
    assert.ok(head !== 'more' && head.dataSetOffset === 0);
  });

  test('a proper file is read as one', () => {
    const head = readForeignHead(Buffer.concat([encodeFileHead(META, RECEIVED).bytes, DATA_SET]));
    assert.ok(head !== 'more');
    assert.deepEqual(head.meta, META);
  });

  test('what is no DICOM at all is refused', () => {
    const others = [
      '',
      'x',
      '%PDF-1.7 and more text',
      '\xff\xd8\xff\xe0\0\x10JFIF\0\x01',
      '\x89PNG\r\n\x1a\n',
      'PK\x03\x04\x14\0\0\0',
      '\x7fELF\x02\x01\x01\0',
      '<html><body>hello</body></html>',
    ];
    for (const text of others) {
      assert.throws(
        () => readForeignHead(Buffer.from(text, 'latin1')),
        { code: 'not-dicom' },
        JSON.stringify(text),
      );
    }
    assert.throws(() => readForeignHead(Buffer.alloc(4096)), { code: 'not-dicom' });
  });

  test('the samples without heads', () => {
    const cases: [string, string, number][] = [
      ['malformed/ExplVR_LitEndNoMeta.dcm', EXPLICIT, 0],
      ['syntaxes/ExplVR_BigEndNoMeta.dcm', BIG_ENDIAN, 0],
      ['malformed/OT-PAL-8-face.dcm', IMPLICIT, 0],
      ['malformed/no_preamble_dicm_in_data', EXPLICIT, 0],
      ['malformed/meta_missing_tsyntax.dcm', IMPLICIT, 202],
    ];
    for (const [path, transferSyntaxUid, offset] of cases) {
      const head = readForeignHead(readSample(path).subarray(0, 4096));
      assert.ok(head !== 'more', path);
      assert.deepEqual([head.meta.transferSyntaxUid, head.dataSetOffset], [transferSyntaxUid, offset], path);
    }
    // This one has lost its first byte.
    assert.throws(() => readForeignHead(readSample('malformed/no_meta.dcm')), { code: 'not-dicom' });
  });

  test('an unfinished head asks for more', () => {
    const bytes = Buffer.concat([encodeFileHead(META, RECEIVED).bytes, long(0x00420011, 'OB', 'ab')]);
    assert.equal(readForeignHead(bytes.subarray(0, 200)), 'more');
  });
});
