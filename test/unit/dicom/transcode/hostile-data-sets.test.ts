// Data sets that contradict themselves: refused by name, with bounded work (PS3.5 §7).

import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { transcodeFile } from '../../../../src/dicom/transcode/transcode-file.ts';
import { elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import {
  BIG_ENDIAN,
  compressed,
  EXPLICIT,
  IMPLICIT,
  ITEM_DELIMITER,
  item,
  RLE,
  refusal,
  removeStored,
  rewrite,
  SEQUENCE_DELIMITER,
  store,
  UNDEFINED,
} from './support.ts';

after(removeStored);

const one = encodeElements([{ tag: 0x00080018, vr: 'UI', value: '1.2.3.4' }], true);

async function refused(dataSet: Buffer, words: RegExp, code = 'malformed', from = EXPLICIT): Promise<void> {
  await assert.rejects(rewrite(dataSet, from, from === IMPLICIT ? EXPLICIT : IMPLICIT), refusal(code, words));
}

describe('data sets that contradict themselves', () => {
  test('a value longer than the file, before a byte of it is given out', async () => {
    const path = await store(
      Buffer.concat([one, elementHeader(0x7fe00010, 'OW', 0xfffffffe, true), Buffer.alloc(1_000_000)]),
    );
    let chunks = 0;
    const sent = transcodeFile({ path, dataSetOffset: 0, from: EXPLICIT, to: IMPLICIT }, async () => {
      chunks += 1;
    });
    await assert.rejects(sent, refusal('malformed', /PixelData of 4294967294 bytes runs past the end/));
    assert.equal(chunks, 0);
  });

  test('an element past its item, an item past its sequence, a sequence past its item', async () => {
    const long = elementHeader(0x00080018, 'UI', 100, true);
    await refused(
      Buffer.concat([
        elementHeader(0x00081140, 'SQ', 24, true),
        item(Buffer.concat([long, Buffer.alloc(8)])),
        Buffer.alloc(100),
      ]),
      /SOPInstanceUID of 100 bytes runs past/,
    );
    await refused(
      Buffer.concat([elementHeader(0x00081140, 'SQ', 16, true), item(one, 200), Buffer.alloc(200)]),
      /An item of \(0008,1140\) \w+ runs past its sequence/,
    );
    const inner = Buffer.concat([
      elementHeader(0x00081140, 'SQ', UNDEFINED, true),
      item(one, UNDEFINED),
      ITEM_DELIMITER,
      SEQUENCE_DELIMITER,
    ]);
    await refused(
      Buffer.concat([
        elementHeader(0x00081115, 'SQ', 8 + inner.length, true),
        item(inner, inner.length - 4),
        Buffer.alloc(4),
      ]),
      /runs past/,
    );
  });

  test('delimiters where none belong, and none where one does', async () => {
    await refused(Buffer.concat([one, ITEM_DELIMITER]), /stands where an element should/);
    await refused(Buffer.concat([one, SEQUENCE_DELIMITER]), /stands where an element should/);
    await refused(Buffer.concat([one, item(one)]), /stands where an element should/);
    await refused(
      Buffer.concat([elementHeader(0x00081140, 'SQ', UNDEFINED, true), item(one, UNDEFINED)]),
      /ends inside an item/,
    );
    await refused(
      Buffer.concat([elementHeader(0x00081140, 'SQ', UNDEFINED, true), item(one)]),
      /holds something that is no item/,
    );
    await refused(
      Buffer.concat([elementHeader(0x00081140, 'SQ', one.length, true), one]),
      /holds something that is no item/,
    );
  });

  test('undefined length where there is neither sequence nor encapsulation', async () => {
    await refused(
      Buffer.concat([elementHeader(0x00420011, 'OB', UNDEFINED, true), SEQUENCE_DELIMITER]),
      /has undefined length and is no sequence/,
    );
    // Encapsulated Pixel Data in an uncompressed syntax.
    await refused(compressed({ rows: 1, columns: 1 }, [Buffer.alloc(66)]), /PixelData has undefined length/);
  });

  test('sequences nested deeper than anybody needs', async () => {
    const deep = (depth: number) =>
      Buffer.concat([
        ...Array.from({ length: depth }, () =>
          Buffer.concat([elementHeader(0x00081140, 'SQ', UNDEFINED, true), item(Buffer.alloc(0), UNDEFINED)]),
        ),
        ...Array.from({ length: depth }, () => Buffer.concat([ITEM_DELIMITER, SEQUENCE_DELIMITER])),
      ]);
    assert.ok((await rewrite(deep(32), EXPLICIT, IMPLICIT)).length > 0);
    await refused(deep(33), /more than 32 deep/, 'limit');
    await refused(deep(100_000), /more than 32 deep/, 'limit');
  });

  test('cut at any byte: refused, unless the cut is between elements', async () => {
    const dataSet = Buffer.concat([
      one,
      elementHeader(0x00081140, 'SQ', UNDEFINED, true),
      item(one),
      SEQUENCE_DELIMITER,
      encodeElements([{ tag: 0x7fe00010, vr: 'OW', value: Buffer.alloc(8, 1) }], true),
    ]);
    const whole: number[] = [];
    for (let length = 0; length < dataSet.length; length += 1) {
      try {
        await rewrite(dataSet.subarray(0, length), EXPLICIT, IMPLICIT);
        whole.push(length);
      } catch (error) {
        assert.ok(refusal('malformed', /./)(error), `${length}: ${error}`);
      }
    }
    assert.deepEqual(whole, [0, one.length, one.length + 12 + 8 + one.length + 8]);
  });

  test('random bytes: a data set or a refusal, never anything else', async () => {
    const codes = ['malformed', 'limit', 'unsupported'];
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(EXPLICIT, IMPLICIT, BIG_ENDIAN, RLE),
        async (bytes, from) => {
          try {
            await rewrite(Buffer.from(bytes), from, from === IMPLICIT ? EXPLICIT : IMPLICIT);
          } catch (error) {
            assert.ok(
              codes.some((code) => refusal(code, /./)(error)),
              String(error),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('files that are no data set', () => {
  async function open(path: string, dataSetOffset: number): Promise<void> {
    await transcodeFile({ path, dataSetOffset, from: EXPLICIT, to: IMPLICIT }, async () => {});
  }

  test('a folder, a symbolic link, nothing, an offset behind the end', async () => {
    const file = await store(one);
    await mkdir(`${file}-folder`);
    await symlink(file, `${file}-link`);
    await assert.rejects(open(`${file}-folder`, 0), refusal('failed', /is not a file/));
    await assert.rejects(open(`${file}-link`, 0), { code: 'ELOOP' });
    await assert.rejects(open(`${file}-missing`, 0), { code: 'ENOENT' });
    await assert.rejects(open(file, one.length + 1), refusal('failed', /is not a file that holds/));
  });

  test('the data set begins at its offset', async () => {
    const path = await store(one, 1000);
    const chunks: Buffer[] = [];
    await transcodeFile({ path, dataSetOffset: 1000, from: EXPLICIT, to: IMPLICIT }, async (chunk) => {
      chunks.push(Buffer.from(chunk));
    });
    const expected = encodeElements([{ tag: 0x00080018, vr: 'UI', value: '1.2.3.4' }], false);
    assert.deepEqual(Buffer.concat(chunks), expected);
  });
});
