// RLE Lossless: what decodes, and every way in which a frame can be wrong (PS3.5 Annex G).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeRle } from '../../../../src/dicom/transcode/rle.ts';
import { compressed, imageOf, nativePixels, RLE, refusal, removeStored } from './support.ts';

after(removeStored);

/** PackBits as PS3.5 §G.3.1 has it; `prefer` decides between runs where both kinds would do. */
function packBits(plane: Buffer, prefer: 'literal' | 'replicate'): Buffer {
  const out: number[] = [];
  for (let at = 0; at < plane.length; ) {
    let run = 1;
    while (run < 128 && plane[at + run] === plane[at] && at + run < plane.length) run += 1;
    if (run >= (prefer === 'literal' ? 3 : 2)) out.push(257 - run, plane[at]!);
    else {
      run = Math.min(prefer === 'literal' ? 128 : 1, plane.length - at);
      out.push(run - 1, ...plane.subarray(at, at + run));
    }
    at += run;
  }
  if (out.length % 2 === 1) out.push(0);
  return Buffer.from(out);
}

function frameOf(segments: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let offset = 64;
  for (const [index, segment] of segments.entries()) {
    header.writeUInt32LE(offset, 4 + index * 4);
    offset += segment.length;
  }
  return Buffer.concat([header, ...segments]);
}

/** Byte planes of little endian cells, the most significant first. */
function planes(cells: Buffer, samples: number, sampleBytes: number): Buffer[] {
  const pixelBytes = samples * sampleBytes;
  return Array.from({ length: pixelBytes }, (_, segment) => {
    const offset =
      Math.floor(segment / sampleBytes) * sampleBytes + sampleBytes - 1 - (segment % sampleBytes);
    return Buffer.from(cells.filter((_byte, index) => index % pixelBytes === offset));
  });
}

function decode(frame: Buffer, rows: number, columns: number, samples = 1, bitsAllocated = 8): Buffer {
  const image = imageOf({ rows, columns, samples, bitsAllocated });
  const target = Buffer.alloc(image.frameBytes, 0x55);
  decodeRle(frame, image, target);
  return target;
}

describe('RLE Lossless decoding', () => {
  test('every cell comes back, whatever the runs (PS3.5 §G.3)', () => {
    const images = fc
      .record({
        rows: fc.integer({ min: 1, max: 9 }),
        columns: fc.integer({ min: 1, max: 150 }),
        samples: fc.constantFrom(1, 3),
        sampleBytes: fc.constantFrom(1, 2, 4),
        prefer: fc.constantFrom('literal' as const, 'replicate' as const),
        values: fc.constantFrom(1, 2, 256),
        seed: fc.integer(),
      })
      .map((shape) => {
        let state = shape.seed | 1;
        const cells = Buffer.alloc(shape.rows * shape.columns * shape.samples * shape.sampleBytes);
        for (let index = 0; index < cells.length; index += 1) {
          state = (Math.imul(state, 1103515245) + 12345) | 0;
          cells[index] = (state >>> 16) % shape.values;
        }
        return { ...shape, cells };
      });
    fc.assert(
      fc.property(images, ({ rows, columns, samples, sampleBytes, prefer, cells }) => {
        const frame = frameOf(planes(cells, samples, sampleBytes).map((plane) => packBits(plane, prefer)));
        assert.deepEqual(decode(frame, rows, columns, samples, sampleBytes * 8), cells);
      }),
      { numRuns: 300 },
    );
  });

  test('the most significant byte comes first: 0102 and FFFE (PS3.5 §G.2)', () => {
    const frame = frameOf([Buffer.of(1, 0x01, 0xff, 0), Buffer.of(1, 0x02, 0xfe, 0)]);
    assert.equal(decode(frame, 1, 2, 1, 16).toString('hex'), '0201feff');
  });

  test('128 says nothing, and bytes of padding are not pixels (PS3.5 §G.3.1)', () => {
    assert.equal(
      decode(frameOf([Buffer.of(128, 0, 7, 128, 0xff, 8, 128, 0)]), 1, 3).toString('hex'),
      '070808',
    );
  });

  test('runs of 128 cells of both kinds', () => {
    const literal = Buffer.from(Array.from({ length: 128 }, (_, index) => index));
    const frame = frameOf([Buffer.concat([Buffer.of(127), literal, Buffer.of(129, 9)])]);
    assert.deepEqual(decode(frame, 2, 128), Buffer.concat([literal, Buffer.alloc(128, 9)]));
  });
});

describe('RLE Lossless frames that are wrong', () => {
  const whole = Buffer.of(3, 1, 2, 3, 4, 0);

  test('a header that is cut short', () => {
    assert.throws(() => decode(Buffer.alloc(63), 2, 2), refusal('malformed', /no whole header/));
  });

  test('a number of segments other than the image has byte planes', () => {
    for (const segments of [[], [whole, whole], new Array(15).fill(whole)]) {
      assert.throws(
        () => decode(frameOf(segments), 2, 2),
        refusal('malformed', /segments where the image has 1/),
      );
    }
    const header = frameOf([whole]);
    header.writeUInt32LE(0xffffffff, 0);
    assert.throws(() => decode(header, 2, 2), refusal('malformed', /names 4294967295 segments/));
  });

  test('offsets inside the header, behind the frame, or going back', () => {
    for (const offsets of [[0], [63], [1000], [0xffffffff]]) {
      const frame = frameOf([whole]);
      frame.writeUInt32LE(offsets[0]!, 4);
      assert.throws(() => decode(frame, 2, 2), refusal('malformed', /offsets do not ascend/));
    }
    const frame = frameOf([whole, whole]);
    frame.writeUInt32LE(64, 8);
    frame.writeUInt32LE(70, 4);
    assert.throws(() => decode(frame, 2, 2, 1, 16), refusal('malformed', /offsets do not ascend/));
  });

  test('a segment that is cut at any byte', () => {
    for (let length = 0; length < 5; length += 1) {
      const frame = frameOf([whole.subarray(0, length)]);
      assert.throws(() => decode(frame, 2, 2), refusal('malformed', /segment 1 ends/), `${length} bytes`);
    }
    assert.throws(
      () => decode(frameOf([Buffer.of(0xfd)]), 2, 2),
      refusal('malformed', /inside a replicate run/),
    );
  });

  test('runs that go on behind the plane', () => {
    const literal = frameOf([Buffer.of(4, 1, 2, 3, 4, 5)]);
    const replicate = frameOf([Buffer.of(0xfc, 1)]);
    for (const frame of [literal, replicate]) {
      assert.throws(() => decode(frame, 2, 2), refusal('malformed', /more than its plane/));
    }
    assert.throws(
      () => decode(frameOf([Buffer.of(3, 1, 2, 3, 4, 1, 9, 9)]), 2, 2),
      refusal('malformed', /goes on/),
    );
  });

  test('random bytes: a frame or a refusal, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 300 }), (bytes) => {
        const frame = Buffer.from(bytes);
        if (frame.length >= 8) frame.writeUInt32LE(1, 0);
        if (frame.length >= 8) frame.writeUInt32LE(64, 4);
        try {
          assert.equal(decode(frame, 3, 5).length, 15);
        } catch (error) {
          assert.ok(refusal('malformed', /RLE/)(error), String(error));
        }
      }),
    );
  });
});

describe('RLE Lossless instances', () => {
  test('a frame in several fragments is put together (PS3.5 §A.4)', async () => {
    const frame = frameOf([Buffer.of(3, 1, 2, 3, 4, 0)]);
    for (const cut of [1, 2, 63, 64, 67]) {
      const dataSet = compressed({ rows: 2, columns: 2 }, [frame.subarray(0, cut), frame.subarray(cut)]);
      assert.equal((await nativePixels(dataSet, RLE)).toString('hex'), '01020304');
    }
  });

  test('a truncated fragment refuses the instance and names the frame', async () => {
    const good = frameOf([Buffer.of(3, 1, 2, 3, 4, 0)]);
    const dataSet = compressed({ rows: 2, columns: 2, frames: '2' }, [good, good.subarray(0, 66)]);
    await assert.rejects(
      nativePixels(dataSet, RLE),
      refusal('malformed', /segment 1 ends.*\(frame 2 of 2\)/),
    );
  });

  test('32 bits a sample, three samples: 12 segments', async () => {
    const cells = Buffer.from(Array.from({ length: 24 }, (_, index) => index * 10));
    const frame = frameOf(planes(cells, 3, 4).map((plane) => packBits(plane, 'literal')));
    const image = { rows: 1, columns: 2, samples: 3, bitsAllocated: 32, planarConfiguration: 1 };
    assert.deepEqual(await nativePixels(compressed(image, [frame]), RLE), cells);
  });
});
