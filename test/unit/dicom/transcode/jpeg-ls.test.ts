// JPEG-LS: lossless streams come back exactly, everything else is refused by its headers (ITU-T T.87 Annex C).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { inspectJpegLs, jpegLsCodec } from '../../../../src/dicom/transcode/jpeg-ls.ts';
import { segment } from './jpeg-lossless-encoder.ts';
import {
  cells,
  compressed,
  imageOf,
  JPEG_LS,
  nativePixels,
  noise,
  openEncoder,
  refusal,
  removeStored,
} from './support.ts';

after(removeStored);

interface JpegLsEncoder {
  getDecodedBuffer(image: {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
  }): Uint8Array;
  setNearLossless(near: number): void;
  setInterleaveMode(mode: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

const encoders = await openEncoder<{ JpegLSEncoder: new () => JpegLsEncoder }>(
  '@cornerstonejs/codec-charls/wasmjs',
);
const codec = await jpegLsCodec();

interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly samples: 1 | 3;
  /** In the order of the interleaving. */
  readonly values: readonly number[];
  readonly near?: number;
  /** 0 planes, 1 lines, 2 pixels. */
  readonly interleave?: number;
}

function encode({ rows, columns, bits, samples, values, near = 0, interleave = 0 }: Picture): Buffer {
  const encoder = new encoders.JpegLSEncoder();
  const image = { width: columns, height: rows, bitsPerSample: bits, componentCount: samples };
  encoder.getDecodedBuffer(image).set(cells(values, bits <= 8 ? 8 : 16));
  encoder.setNearLossless(near);
  encoder.setInterleaveMode(interleave);
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

const rows = 13;
const columns = 21;
const grey: Picture = { rows, columns, bits: 8, samples: 1, values: noise(rows * columns, 8) };
const greyImage = imageOf({ rows, columns });
const colour: Picture = { rows, columns, bits: 8, samples: 3, values: noise(rows * columns * 3, 8) };
const colourImage = imageOf({ rows, columns, samples: 3 });

describe('JPEG-LS decoding', () => {
  test('every sample of 2 to 16 bits comes back', () => {
    for (let bits = 2; bits <= 16; bits += 1) {
      const values = noise(rows * columns, bits);
      const bitsAllocated = bits <= 8 ? 8 : 16;
      const decoded = codec.decode(
        encode({ rows, columns, bits, samples: 1, values }),
        imageOf({ rows, columns, bitsAllocated, bitsStored: bits }),
      );
      assert.deepEqual(Buffer.from(decoded), cells(values, bitsAllocated), `${bits} bits`);
    }
  });

  test('colours come out pixel by pixel, however the components were interleaved (PS3.3 §C.7.6.3.1.3)', () => {
    const plane = rows * columns;
    const byPlane = Array.from({ length: plane * 3 }, (_, index) => {
      return colour.values[(index % 3) * plane + Math.floor(index / 3)]!;
    });
    assert.deepEqual([...codec.decode(encode(colour), colourImage)], byPlane);
    for (const interleave of [1, 2]) {
      assert.deepEqual([...codec.decode(encode({ ...colour, interleave }), colourImage)], colour.values);
    }
  });

  test('signed samples are bit patterns, with their sign extended (PS3.5 §8.1.1)', async () => {
    const values = [0, 1, 2047, 2048, 4095, 3000];
    const frame = encode({ rows: 2, columns: 3, bits: 12, samples: 1, values });
    const image = { rows: 2, columns: 3, bitsAllocated: 16, bitsStored: 12, signed: true };
    const signed = values.map((value) => (value >= 2048 ? value - 4096 : value));
    assert.deepEqual(await nativePixels(compressed(image, [frame]), JPEG_LS), cells(signed, 16));
  });

  test('one frame after the other through the same decoder', async () => {
    const second = { ...grey, values: [...grey.values].reverse() };
    const dataSet = compressed({ rows, columns, frames: '3' }, [encode(grey), encode(second), encode(grey)]);
    const pixels = await nativePixels(dataSet, JPEG_LS);
    const expected = [...grey.values, ...second.values, ...grey.values];
    assert.deepEqual([...pixels.subarray(0, expected.length)], expected);
    // Three frames of 273 bytes are odd together (PS3.5 §8.1.1).
    assert.deepEqual([...pixels.subarray(expected.length)], [0]);
  });
});

describe('JPEG-LS that is refused', () => {
  test('NEAR above zero, in whichever scan (T.87 §C.2.3)', () => {
    const near = encode({ ...grey, near: 3 });
    assert.throws(() => codec.inspect(near, greyImage), refusal('lossy', /off by 3/));
    const lastScan = encode(colour);
    lastScan[lastScan.lastIndexOf(Buffer.of(0xff, 0xda)) + 7] = 1;
    assert.throws(() => codec.decode(lastScan, colourImage), refusal('lossy', /off by 1/));
  });

  test('cut at any byte', () => {
    const frame = encode(grey);
    for (let length = 0; length < frame.length; length += 1) {
      assert.throws(() => codec.decode(frame.subarray(0, length), greyImage), refusal('malformed', /./));
    }
  });

  test('cut within its samples, with an end put behind them', () => {
    const frame = encode(grey);
    const cut = Buffer.concat([frame.subarray(0, 150), Buffer.of(0xff, 0xd9)]);
    assert.throws(() => codec.decode(cut, greyImage), refusal('malformed', /CharLS: /));
    // The codec is of use afterwards.
    assert.deepEqual([...codec.decode(frame, greyImage)], grey.values);
  });

  test('a size that CharLS would allocate for', () => {
    const frame = encode(grey);
    const at = frame.indexOf(Buffer.of(0xff, 0xf7));
    frame.writeUInt32BE(0xffffffff, at + 5);
    assert.throws(
      () => codec.decode(frame, greyImage),
      refusal('malformed', /65535×65535.*the data set says 21×13/),
    );
  });

  test('mapping tables, oversize images, a point transform, components out of order', () => {
    const frame = encode(grey);
    const at = frame.indexOf(Buffer.of(0xff, 0xda));
    const withTable = Buffer.concat([frame.subarray(0, at), segment(0xf8, [2, 1, 1, 0]), frame.subarray(at)]);
    assert.throws(() => inspectJpegLs(withTable, greyImage), refusal('unsupported', /type 2/));
    const mapped = Buffer.from(frame);
    mapped[at + 6] = 1;
    assert.throws(() => inspectJpegLs(mapped, greyImage), refusal('unsupported', /through a table/));
    const shifted = Buffer.from(frame);
    shifted[at + 9] = 1;
    assert.throws(() => inspectJpegLs(shifted, greyImage), refusal('lossy', /1 lowest bits/));
    const swapped = encode(colour);
    swapped[swapped.indexOf(Buffer.of(0xff, 0xda)) + 5] = 2;
    assert.throws(() => inspectJpegLs(swapped, colourImage), refusal('malformed', /out of order/));
  });

  test('another kind of JPEG under this name', () => {
    const frame = encode(grey);
    frame[frame.indexOf(Buffer.of(0xff, 0xf7)) + 1] = 0xc3;
    assert.throws(() => inspectJpegLs(frame, greyImage), refusal('malformed', /marker FFC3/));
  });
});
