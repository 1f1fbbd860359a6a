// Attributes that follow the pixels, padding, icons, and sizes that are refused before they are allocated
// (PS3.3 §C.7.6.3, PS3.5 §8).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import { encodeLosslessJpeg } from './jpeg-lossless-encoder.ts';
import {
  compressed,
  EXPLICIT,
  elementsOf,
  encapsulated,
  IMPLICIT,
  ITEM_DELIMITER,
  item,
  JPEG_2000,
  JPEG_LOSSLESS,
  nativePixels,
  type PixelDescription,
  pixelAttributes,
  RLE,
  refusal,
  removeStored,
  rewrite,
  SEQUENCE_DELIMITER,
  UNDEFINED,
} from './support.ts';

after(removeStored);

function jpeg(samples: readonly number[], components = 1, precision = 8): Buffer {
  const columns = samples.length / components;
  return encodeLosslessJpeg({ rows: 1, columns, components, precision, predictor: 1, samples });
}

const colour = { rows: 1, columns: 2, samples: 3, planarConfiguration: 1 };
const colourFrame = jpeg([1, 2, 3, 4, 5, 6], 3);

async function text(description: PixelDescription, tag: number): Promise<string | undefined> {
  const native = await rewrite(compressed(description, [colourFrame]), JPEG_LOSSLESS, EXPLICIT);
  return elementsOf(native).get(tag)?.value.toString('latin1');
}

describe('attributes that follow the pixels', () => {
  test('Planar Configuration becomes 0: the samples of a pixel are side by side (§C.7.6.3.1.3)', async () => {
    assert.equal(await text(colour, 0x00280006), '\0\0');
    assert.deepEqual(
      await nativePixels(compressed(colour, [colourFrame]), JPEG_LOSSLESS),
      Buffer.of(1, 2, 3, 4, 5, 6),
    );
  });

  test('Photometric Interpretation stays where no transformation is undone (PS3.5 §8.2)', async () => {
    for (const photometric of ['RGB', 'YBR_FULL', 'HSV']) {
      assert.equal((await text({ ...colour, photometric }, 0x00280004))?.trim(), photometric);
    }
  });

  test('YBR_FULL_422 becomes YBR_FULL: colours come at full resolution', async () => {
    assert.equal(await text({ ...colour, photometric: 'YBR_FULL_422' }, 0x00280004), 'YBR_FULL');
  });

  test('what exists only inside a JPEG 2000 codestream is refused elsewhere (PS3.5 §8.2.4)', async () => {
    for (const photometric of ['YBR_RCT', 'YBR_ICT', 'YBR_PARTIAL_420']) {
      await assert.rejects(
        text({ ...colour, photometric }, 0x00280004),
        refusal('unsupported', new RegExp(photometric)),
      );
    }
  });

  test('everything else stays as it is', async () => {
    const before = encodeElements([{ tag: 0x00291010, vr: 'OB', value: 'private' }], true);
    const description = { rows: 1, columns: 2 };
    const native = await rewrite(
      compressed(description, [jpeg([7, 8])], { before }),
      JPEG_LOSSLESS,
      EXPLICIT,
    );
    const pixels = encodeElements([{ tag: 0x7fe00010, vr: 'OB', value: Buffer.of(7, 8) }], true);
    assert.deepEqual(
      native,
      Buffer.concat([encodeElements(pixelAttributes(description), true), before, pixels]),
    );
  });

  test('more than 8 bits allocated are OW, in Explicit VR; Implicit VR has no VR (PS3.5 §A.1, §A.2)', async () => {
    const dataSet = compressed({ rows: 1, columns: 2, bitsAllocated: 16 }, [jpeg([1, 65535], 1, 16)]);
    const explicit = await rewrite(dataSet, JPEG_LOSSLESS, EXPLICIT);
    assert.equal(explicit.subarray(-16).toString('hex'), `e07f10004f570000040000000100ffff`);
    const implicit = await rewrite(dataSet, JPEG_LOSSLESS, IMPLICIT);
    assert.equal(implicit.subarray(-12).toString('hex'), 'e07f1000040000000100ffff');
  });
});

describe('odd numbers of bytes', () => {
  test('one zero behind the last frame, none between frames (PS3.5 §8.1.1)', async () => {
    const one = compressed({ rows: 1, columns: 3 }, [jpeg([1, 2, 3])]);
    assert.deepEqual(await nativePixels(one, JPEG_LOSSLESS), Buffer.of(1, 2, 3, 0));
    const frames = [jpeg([1, 2, 3]), jpeg([4, 5, 6]), jpeg([7, 8, 9])];
    const three = compressed({ rows: 1, columns: 3, frames: '3' }, frames);
    assert.deepEqual(await nativePixels(three, JPEG_LOSSLESS), Buffer.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0));
  });
});

describe('icons and other pixel data in items', () => {
  test('compressed icons are decoded by their own attributes, native ones stay (PS3.3 §F.7)', async () => {
    const icon = (content: Buffer) =>
      Buffer.concat([
        elementHeader(0x00880200, 'SQ', UNDEFINED, true),
        item(content, UNDEFINED),
        ITEM_DELIMITER,
        SEQUENCE_DELIMITER,
      ]);
    const iconAttributes = encodeElements(pixelAttributes({ rows: 1, columns: 4 }), true);
    const pixels = (...values: number[]) =>
      encodeElements([{ tag: 0x7fe00010, vr: 'OB', value: Buffer.of(...values) }], true);
    const main = { rows: 1, columns: 2 };
    const attributes = encodeElements(pixelAttributes(main), true);

    const coded = Buffer.concat([iconAttributes, encapsulated([jpeg([1, 2, 3, 4])])]);
    const native = Buffer.concat([iconAttributes, pixels(1, 2, 3, 4)]);
    const expected = Buffer.concat([attributes, icon(native), pixels(9, 8)]);
    for (const content of [coded, native]) {
      const dataSet = compressed(main, [jpeg([9, 8])], { before: icon(content) });
      assert.deepEqual(await rewrite(dataSet, JPEG_LOSSLESS, EXPLICIT), expected);
    }
  });
});

describe('sizes that are refused before anything is allocated', () => {
  test('a frame above the limit, frames that no native value can hold', async () => {
    const huge = { rows: 65535, columns: 65535, bitsAllocated: 16 };
    await assert.rejects(
      nativePixels(compressed(huge, [Buffer.alloc(66)]), RLE),
      refusal('limit', /A frame of 65535×65535/),
    );
    const many = { rows: 4096, columns: 4096, frames: '1000' };
    await assert.rejects(
      nativePixels(compressed(many, [Buffer.alloc(66)]), RLE),
      refusal('limit', /1000 frames of 16777216/),
    );
  });

  test('attributes that are missing, zero, or of the wrong length', async () => {
    for (const missing of [0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101]) {
      for (const value of [undefined, 0, Buffer.alloc(4)]) {
        const attributes = pixelAttributes({ rows: 1, columns: 2 }).flatMap((spec) => {
          if (spec.tag !== missing) return [spec];
          return value === undefined ? [] : [{ ...spec, value }];
        });
        const dataSet = Buffer.concat([encodeElements(attributes, true), encapsulated([jpeg([1, 2])])]);
        await assert.rejects(nativePixels(dataSet, JPEG_LOSSLESS), refusal('unsupported', /come without/));
      }
    }
  });

  test('bits that make no cell', async () => {
    for (const bits of [
      { bitsAllocated: 1 },
      { bitsAllocated: 12 },
      { bitsAllocated: 72 },
      { bitsStored: 9 },
      { samples: 5 },
    ]) {
      const dataSet = compressed({ rows: 1, columns: 2, ...bits }, [jpeg([1, 2])]);
      await assert.rejects(
        nativePixels(dataSet, JPEG_LOSSLESS),
        refusal('unsupported', /Compressed pixels of/),
      );
    }
    const wide = compressed({ rows: 1, columns: 2, bitsAllocated: 32 }, [jpeg([1, 2])]);
    await assert.rejects(nativePixels(wide, JPEG_LOSSLESS), refusal('unsupported', /into 32 bits allocated/));
  });

  test('a sign that the codestream does not tell', async () => {
    const dataSet = compressed({ rows: 1, columns: 2, bitsAllocated: 16, bitsStored: 12, signed: true }, [
      jpeg([1, 2]),
    ]);
    await assert.rejects(
      nativePixels(dataSet, JPEG_LOSSLESS),
      refusal('unsupported', /do not tell the sign/),
    );
  });

  test('another codec than the transfer syntax says', async () => {
    const dataSet = compressed({ rows: 1, columns: 2 }, [jpeg([1, 2])]);
    await assert.rejects(
      nativePixels(dataSet, JPEG_2000),
      refusal('malformed', /does not begin with a JPEG 2000/),
    );
    await assert.rejects(nativePixels(dataSet, RLE), refusal('malformed', /RLE/));
  });
});
