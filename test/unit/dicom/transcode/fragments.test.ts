// Which fragments make up which frame (PS3.5 §A.4, Table A.4-1 and A.4-2), shown with tiny RLE and JPEG frames.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { encodeElements } from '../../../support/byte-elements.ts';
import { encodeLosslessJpeg } from './jpeg-lossless-encoder.ts';
import {
  compressed,
  EXPLICIT,
  elementsOf,
  encapsulated,
  item,
  JPEG_LOSSLESS,
  nativePixels,
  pixelAttributes,
  RLE,
  refusal,
  removeStored,
  rewrite,
  SEQUENCE_DELIMITER,
} from './support.ts';

after(removeStored);

const size = { rows: 2, columns: 2 };

/** A frame whose four cells all are `value`. */
function rleFrame(value: number): Buffer {
  const frame = Buffer.alloc(66);
  frame.writeUInt32LE(1, 0);
  frame.writeUInt32LE(64, 4);
  frame[64] = 0xfd;
  frame[65] = value;
  return frame;
}

function jpegFrame(value: number): Buffer {
  const frame = encodeLosslessJpeg({
    ...{ ...size, components: 1, precision: 8, predictor: 1 },
    samples: [value, value, value, 255],
  });
  return frame.length % 2 === 0 ? frame : Buffer.concat([frame, Buffer.of(0)]);
}

function cut(frame: Buffer, ...at: number[]): Buffer[] {
  return [0, ...at].map((from, index) => frame.subarray(from, at[index] ?? frame.length));
}

/** Offsets of the fragments' items, as a Basic Offset Table has them. */
function offsets(fragments: readonly Buffer[], firsts: readonly number[]): Buffer {
  const table = Buffer.alloc(firsts.length * 4);
  for (const [entry, first] of firsts.entries()) {
    const before = fragments.slice(0, first).reduce((sum, fragment) => sum + 8 + fragment.length, 0);
    table.writeUInt32LE(before, entry * 4);
  }
  return table;
}

const jpegFragments = [...cut(jpegFrame(1), 20, 40), ...cut(jpegFrame(2), 30), ...cut(jpegFrame(3))];
const jpegPixels = '010101ff020202ff030303ff';

async function pixelsOf(dataSet: Buffer, syntax: string): Promise<string> {
  return (await nativePixels(dataSet, syntax)).toString('hex');
}

describe('frames out of fragments', () => {
  test('one fragment each, with and without a Basic Offset Table', async () => {
    const fragments = [rleFrame(1), rleFrame(2)];
    const image = { ...size, frames: '2' };
    assert.equal(await pixelsOf(compressed(image, fragments), RLE), '0101010102020202');
    const offsetTable = offsets(fragments, [0, 1]);
    assert.equal(await pixelsOf(compressed(image, fragments, { offsetTable }), RLE), '0101010102020202');
  });

  test('one frame in several fragments, Number of Frames absent or 1', async () => {
    const fragments = cut(rleFrame(7), 1, 64);
    assert.equal(await pixelsOf(compressed(size, fragments), RLE), '07070707');
    assert.equal(await pixelsOf(compressed({ ...size, frames: '1 ' }, fragments), RLE), '07070707');
  });

  test('several frames in several fragments, with a table', async () => {
    const fragments = [...cut(rleFrame(1), 10), ...cut(rleFrame(2), 64, 65)];
    const dataSet = compressed({ ...size, frames: '2' }, fragments, {
      offsetTable: offsets(fragments, [0, 2]),
    });
    assert.equal(await pixelsOf(dataSet, RLE), '0101010102020202');
  });

  test('several frames in several fragments, without a table: codestreams tell where frames begin', async () => {
    assert.equal(
      await pixelsOf(compressed({ ...size, frames: '3' }, jpegFragments), JPEG_LOSSLESS),
      jpegPixels,
    );
  });

  test('several frames in several fragments, with a table that hits no fragments', async () => {
    for (const wrong of [
      [0, 4, 8],
      [0, 0, 0],
      [8, 9, 10],
    ]) {
      const offsetTable = Buffer.from(new Uint32Array(wrong).buffer);
      const dataSet = compressed({ ...size, frames: '3' }, jpegFragments, { offsetTable });
      assert.equal(await pixelsOf(dataSet, JPEG_LOSSLESS), jpegPixels);
    }
  });

  test('as many fragments as frames need no table, be it wrong', async () => {
    const offsetTable = Buffer.from(new Uint32Array([9, 1]).buffer);
    const dataSet = compressed({ ...size, frames: '2' }, [rleFrame(1), rleFrame(2)], { offsetTable });
    assert.equal(await pixelsOf(dataSet, RLE), '0101010102020202');
  });

  test('an Extended Offset Table is obeyed and left out of the native form (PS3.3 §C.7.6.3.1.8)', async () => {
    const fragments = [rleFrame(1), rleFrame(2)];
    const before = encodeElements(
      [
        { tag: 0x7fe00001, vr: 'OV', value: Buffer.from(new BigUint64Array([0n, 74n]).buffer) },
        { tag: 0x7fe00002, vr: 'OV', value: Buffer.from(new BigUint64Array([66n, 66n]).buffer) },
        { tag: 0x7fe00003, vr: 'UV', value: Buffer.from(new BigUint64Array([148n]).buffer) },
      ],
      true,
    );
    const native = await rewrite(compressed({ ...size, frames: '2' }, fragments, { before }), RLE, EXPLICIT);
    const groups = [...elementsOf(native).keys()].filter((tag) => tag >>> 16 === 0x7fe0);
    assert.deepEqual(groups, [0x7fe00010]);
    assert.equal(elementsOf(native).get(0x7fe00010)?.value.toString('hex'), '0101010102020202');
  });
});

describe('fragments that do not make the frames', () => {
  test('fewer fragments than frames, or none', async () => {
    for (const fragments of [[], [rleFrame(1)], [rleFrame(1), rleFrame(2)]]) {
      const dataSet = compressed({ ...size, frames: '3' }, fragments);
      await assert.rejects(pixelsOf(dataSet, RLE), refusal('malformed', /Number of Frames is 3, which the/));
    }
  });

  test('more fragments than frames, and nothing to tell them apart', async () => {
    const fragments = [...cut(rleFrame(1), 10), rleFrame(2)];
    const rle = compressed({ ...size, frames: '2' }, fragments);
    await assert.rejects(pixelsOf(rle, RLE), refusal('malformed', /which the 3 fragments do not bear out/));
    const jpeg = compressed({ ...size, frames: '2' }, jpegFragments);
    await assert.rejects(pixelsOf(jpeg, JPEG_LOSSLESS), refusal('malformed', /which the 6 fragments/));
    const headless = compressed({ ...size, frames: '2' }, [
      jpegFrame(1).subarray(2),
      jpegFrame(2),
      jpegFrame(3),
    ]);
    await assert.rejects(pixelsOf(headless, JPEG_LOSSLESS), refusal('malformed', /which the 3 fragments/));
  });

  test('more frames than Number of Frames says are not put into one', async () => {
    const dataSet = compressed(size, [jpegFrame(1), jpegFrame(2)]);
    await assert.rejects(
      pixelsOf(dataSet, JPEG_LOSSLESS),
      refusal('malformed', /behind its codestream's end/),
    );
  });

  test('Number of Frames that is no number, or zero', async () => {
    for (const frames of ['0', '-1', 'x', '1\\2', '99999999999']) {
      const dataSet = compressed({ ...size, frames }, [rleFrame(1)]);
      await assert.rejects(pixelsOf(dataSet, RLE), refusal('unsupported', /Number of Frames is/), frames);
    }
  });

  test('a fragment that runs past the file, a missing delimiter, something else among the fragments', async () => {
    const attributes = encodeElements(pixelAttributes(size), true);
    const whole = encapsulated([rleFrame(1)]);
    const head = whole.subarray(0, 20);
    const broken = [
      whole.subarray(0, -8),
      whole.subarray(0, -9),
      whole.subarray(0, 40),
      Buffer.concat([head, item(rleFrame(1), 0xfffffffe), SEQUENCE_DELIMITER]),
      Buffer.concat([head, item(rleFrame(1), 0xffffffff), SEQUENCE_DELIMITER]),
      Buffer.concat([
        head,
        encodeElements([{ tag: 0x00100010, vr: 'PN', value: 'A' }], true),
        SEQUENCE_DELIMITER,
      ]),
      Buffer.concat([whole.subarray(0, 12), SEQUENCE_DELIMITER]),
    ];
    for (const pixels of broken) {
      await assert.rejects(pixelsOf(Buffer.concat([attributes, pixels]), RLE), refusal('malformed', /./));
    }
  });

  test('more compressed bytes than a frame can need', async () => {
    const dataSet = compressed(size, [rleFrame(1), Buffer.alloc(70_000)]);
    await assert.rejects(pixelsOf(dataSet, RLE), refusal('limit', /too many for one frame/));
  });
});
