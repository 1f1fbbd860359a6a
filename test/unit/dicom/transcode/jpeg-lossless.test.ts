// Lossless JPEG: exact for every predictor, precision and interleaving, or refused (ITU-T T.81 Annex H).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJpegLossless, jpegLosslessCodec } from '../../../../src/dicom/transcode/jpeg-lossless.ts';
import { encodeLosslessJpeg, type LosslessJpeg, segment } from './jpeg-lossless-encoder.ts';
import { cells, compressed, imageOf, JPEG_LOSSLESS, nativePixels, refusal, removeStored } from './support.ts';

after(removeStored);

function decode(frame: Buffer, jpeg: Omit<LosslessJpeg, 'samples' | 'predictor'>): number[] {
  const { rows, columns, components: samples, precision } = jpeg;
  const image = imageOf({ rows, columns, samples, bitsAllocated: precision <= 8 ? 8 : 16 });
  const { bytes } = decodeJpegLossless(frame, image);
  return Array.from(precision <= 8 ? bytes : new Uint16Array(bytes.buffer));
}

const small: LosslessJpeg = {
  ...{ rows: 2, columns: 3, components: 1, precision: 8, predictor: 1 },
  samples: [1, 2, 255, 0, 128, 7],
};
const smallImage = imageOf({ rows: 2, columns: 3 });

describe('lossless JPEG decoding', () => {
  test('every sample comes back: predictors 1–7, 2–16 bits, 1–4 components, restarts, long codes', () => {
    const images = fc
      .record({
        rows: fc.integer({ min: 1, max: 12 }),
        columns: fc.integer({ min: 1, max: 17 }),
        components: fc.constantFrom(1, 2, 3, 4),
        precision: fc.integer({ min: 2, max: 16 }),
        predictor: fc.integer({ min: 1, max: 7 }),
        interleaved: fc.boolean(),
        restartLines: fc.constantFrom(0, 0, 1, 2, 5),
        longCodes: fc.boolean(),
        smooth: fc.boolean(),
      })
      .chain((shape) => {
        const length = shape.rows * shape.columns * shape.components;
        const top = 2 ** shape.precision - 1;
        const value = shape.smooth
          ? fc.integer({ min: 0, max: Math.min(3, top) })
          : fc.oneof(fc.constantFrom(0, top), fc.integer({ min: 0, max: top }));
        return fc
          .array(value, { minLength: length, maxLength: length })
          .map((samples) => ({ ...shape, samples }));
      });
    fc.assert(
      fc.property(images, (jpeg) => {
        assert.deepEqual(decode(encodeLosslessJpeg(jpeg), jpeg), jpeg.samples);
      }),
      { numRuns: 400 },
    );
  });

  test('a difference of 32768 is category 16 without further bits (T.81 §H.1.2.2)', () => {
    const jpeg = {
      rows: 1,
      columns: 4,
      components: 1,
      precision: 16,
      predictor: 1,
      samples: [0, 32768, 0, 65535],
    };
    assert.deepEqual(decode(encodeLosslessJpeg(jpeg), jpeg), jpeg.samples);
  });

  test('signed samples are bit patterns; narrow ones get their sign extended in the cell (PS3.5 §8.1.1)', async () => {
    const jpeg = {
      rows: 1,
      columns: 3,
      components: 1,
      precision: 12,
      predictor: 1,
      samples: [0xfff, 0x800, 0x7ff],
    };
    const image = { ...jpeg, bitsAllocated: 16, bitsStored: 12, signed: true };
    const pixels = await nativePixels(
      compressed({ ...image, samples: 1 }, [encodeLosslessJpeg(jpeg)]),
      JPEG_LOSSLESS,
    );
    assert.deepEqual(pixels, cells([-1, -2048, 2047], 16));
  });

  test('8 bits of precision in cells of 16 (PS3.5 §8.1)', async () => {
    const image = { rows: 2, columns: 3, bitsAllocated: 16, bitsStored: 8 };
    const pixels = await nativePixels(compressed(image, [encodeLosslessJpeg(small)]), JPEG_LOSSLESS);
    assert.deepEqual(pixels, cells(small.samples, 16));
  });
});

describe('lossless JPEG that is refused', () => {
  test('cut at any byte', () => {
    const frame = encodeLosslessJpeg(small);
    for (let length = 0; length < frame.length; length += 1) {
      assert.throws(
        () => decode(frame.subarray(0, length), small),
        refusal('malformed', /./),
        `${length} bytes`,
      );
    }
  });

  test('cut within a scan, with an end put behind it', () => {
    const noise = Array.from({ length: 400 }, (_, index) => (index * 7919) % 256);
    const jpeg = { rows: 20, columns: 20, components: 1, precision: 8, predictor: 4, samples: noise };
    const frame = encodeLosslessJpeg(jpeg);
    for (let length = frame.length - 3; length > frame.length - 300; length -= 7) {
      const cut = Buffer.concat([frame.subarray(0, length), Buffer.of(0xff, 0xd9)]);
      if (frame[length - 1] === 0xff) continue;
      assert.throws(() => decode(cut, jpeg), refusal('malformed', /cut short in row/), `${length} bytes`);
    }
  });

  test('samples that no pixel is there for', () => {
    const frame = encodeLosslessJpeg({ ...small, rows: 3, samples: [...small.samples, 9, 9, 9] });
    frame.writeUInt16BE(2, frame.indexOf(Buffer.of(0xff, 0xc3)) + 5);
    assert.throws(() => decode(frame, small), refusal('malformed', /more samples than the image/));
  });

  test('another size, number of components or precision than the data set has', () => {
    const frame = encodeLosslessJpeg(small);
    for (const other of [{ rows: 3 }, { columns: 2 }, { samples: 3 }]) {
      const image = imageOf({ rows: 2, columns: 3, ...other });
      assert.throws(() => decodeJpegLossless(frame, image), refusal('malformed', /the data set says/));
    }
    const deep = encodeLosslessJpeg({ ...small, precision: 9 });
    assert.throws(
      () => decode(deep, small),
      refusal('malformed', /9 bits a sample, the data set 8 allocated/),
    );
  });

  test('a sample above the precision', () => {
    const frame = encodeLosslessJpeg({ ...small, precision: 9, samples: [300, 0, 0, 0, 0, 0] });
    frame[frame.indexOf(Buffer.of(0xff, 0xc3)) + 4] = 8;
    assert.throws(() => decode(frame, small), refusal('malformed', /above 8 bits/));
  });

  test('a point transform: bits were dropped', () => {
    const frame = encodeLosslessJpeg({ ...small, pointTransform: 2 });
    assert.throws(() => decode(frame, small), refusal('lossy', /2 lowest bits/));
  });

  test('lossy, arithmetic, hierarchical JPEG under a lossless name', () => {
    for (const [marker, code] of [
      [0xc0, 'lossy'],
      [0xc1, 'lossy'],
      [0xc2, 'lossy'],
      [0xc7, 'unsupported'],
      [0xcb, 'unsupported'],
    ] as const) {
      const frame = encodeLosslessJpeg(small);
      frame[frame.indexOf(Buffer.of(0xff, 0xc3)) + 1] = marker;
      assert.throws(() => decode(frame, small), refusal(code, /not Huffman coded lossless/));
      assert.throws(() => jpegLosslessCodec().inspect(frame, smallImage), refusal(code, /not Huffman/));
    }
  });

  test('subsampled components, predictor 0, a table that was not sent, a component twice', () => {
    const subsampled = encodeLosslessJpeg(small);
    subsampled[subsampled.indexOf(Buffer.of(0xff, 0xc3)) + 11] = 0x21;
    assert.throws(() => decode(subsampled, small), refusal('unsupported', /subsampled/));
    const differential = encodeLosslessJpeg({ ...small, predictor: 0 });
    assert.throws(() => decode(differential, small), refusal('unsupported', /predictor 0/));
    const scan = encodeLosslessJpeg(small);
    scan[scan.indexOf(Buffer.of(0xff, 0xda)) + 6] = 0x20;
    assert.throws(() => decode(scan, small), refusal('malformed', /not there/));
    const once = encodeLosslessJpeg(small);
    const twice = Buffer.concat([once.subarray(0, -2), once.subarray(once.indexOf(Buffer.of(0xff, 0xda)))]);
    assert.throws(() => decode(twice, small), refusal('malformed', /twice/));
  });

  test('Huffman tables that cannot be: too many codes, a category above 16, cut short', () => {
    const bodies: [number[], RegExp][] = [
      [[0, 3, ...new Array(15).fill(0), 0, 1, 2], /more codes than fit/],
      [[0, 1, ...new Array(15).fill(0), 17], /category above 16/],
      [[0, 1, ...new Array(15).fill(0)], /cut short/],
      [[4, 1, ...new Array(15).fill(0), 1], /not one of lossless coding/],
    ];
    for (const [body, words] of bodies) {
      const frame = encodeLosslessJpeg(small);
      const at = frame.indexOf(Buffer.of(0xff, 0xc4));
      const broken = Buffer.concat([frame.subarray(0, at), segment(0xc4, body), frame.subarray(at)]);
      assert.throws(() => decode(broken, small), refusal('malformed', words));
    }
  });

  test('restart markers that are missing or out of order, intervals that are not whole lines', () => {
    const jpeg = { ...small, restartLines: 1 };
    const restart = encodeLosslessJpeg(jpeg);
    restart[restart.indexOf(Buffer.of(0xff, 0xd0)) + 1] = 0xd1;
    assert.throws(
      () => decode(restart, small),
      refusal('malformed', /misses the restart marker before row 1/),
    );
    const odd = encodeLosslessJpeg(jpeg);
    odd[odd.indexOf(Buffer.of(0xff, 0xdd)) + 5] = 2;
    assert.throws(() => decode(odd, small), refusal('malformed', /not whole lines/));
  });

  test('a second image behind the first', () => {
    const frame = encodeLosslessJpeg(small);
    assert.throws(
      () => decode(Buffer.concat([frame, frame]), small),
      refusal('malformed', /behind its codestream/),
    );
    assert.deepEqual(decode(Buffer.concat([frame, Buffer.of(0, 0xff, 0)]), small), small.samples);
  });

  test('flipped bytes: samples or a refusal, never anything else', () => {
    const noise = Array.from({ length: 100 }, (_, index) => (index * 31) % 256);
    const jpeg = { rows: 10, columns: 10, components: 1, precision: 8, predictor: 6, samples: noise };
    const frame = encodeLosslessJpeg(jpeg);
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const broken = Buffer.from(frame);
        broken[at]! ^= flip;
        try {
          assert.equal(decode(broken, jpeg).length, 100);
        } catch (error) {
          assert.ok(isRefusal(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function isRefusal(error: unknown): boolean {
  return ['malformed', 'lossy', 'unsupported'].some((code) => refusal(code, /./)(error));
}
