// JPEG 2000 and HTJ2K: reversible, whole codestreams come back exactly, others are refused (ITU-T T.800, T.814).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { jpeg2000Codec } from '../../../../src/dicom/transcode/jpeg-2000.ts';
import { inspectCodestream } from '../../../../src/dicom/transcode/jpeg-2000-codestream.ts';
import {
  cells,
  compressed,
  EXPLICIT,
  elementsOf,
  imageOf,
  JPEG_2000,
  nativePixels,
  noise,
  openEncoder,
  refusal,
  removeStored,
  rewrite,
} from './support.ts';

after(removeStored);

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
  readonly isUsingColorTransform: boolean;
}

interface Encoder {
  getDecodedBuffer(shape: Shape): Uint8Array;
  setQuality(reversible: boolean, quality: number): void;
  setTileSize(size: { width: number; height: number }): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

const openJpeg = await openEncoder<{ J2KEncoder: new () => Encoder }>('@cornerstonejs/codec-openjpeg/wasmjs');
const openJph = await openEncoder<{ HTJ2KEncoder: new () => Encoder }>('@cornerstonejs/codec-openjph/wasmjs');
const codec = await jpeg2000Codec();

const columns = 61;
const rows = 47;
const MAKERS = { 'JPEG 2000': openJpeg.J2KEncoder, HTJ2K: openJph.HTJ2KEncoder };
type Maker = keyof typeof MAKERS;

interface Picture {
  readonly bits: number;
  readonly components?: number;
  readonly signed?: boolean;
  readonly reversible?: boolean;
  readonly tile?: number;
}

function values({ bits, components = 1, signed = false }: Picture): number[] {
  const least = signed ? -(2 ** (bits - 1)) : 0;
  return noise(rows * columns * components, bits).map((value) => least + value);
}

function encode(maker: Maker, picture: Picture): Buffer {
  const { bits, components = 1, signed = false, reversible = true, tile } = picture;
  const encoder = new MAKERS[maker]();
  const shape = {
    width: columns,
    height: rows,
    bitsPerSample: bits,
    componentCount: components,
    isSigned: signed,
  };
  const buffer = encoder.getDecodedBuffer({ ...shape, isUsingColorTransform: components === 3 });
  buffer.set(cells(values(picture), bits <= 8 ? 8 : 16));
  encoder.setQuality(reversible, reversible ? 0 : 0.01);
  if (tile !== undefined) encoder.setTileSize({ width: tile, height: tile });
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

const grey = encode('JPEG 2000', { bits: 8 });
const greyImage = imageOf({ rows, columns });
const greyValues = values({ bits: 8 });

/** Offset of a marker's body in the main header. */
function bodyOf(codestream: Buffer, marker: number): number {
  return codestream.indexOf(Buffer.of(0xff, marker)) + 4;
}

describe('JPEG 2000 decoding', () => {
  for (const maker of Object.keys(MAKERS) as Maker[]) {
    test(`${maker}: every sample of 8 to 16 bits comes back, signed from 9 bits on`, () => {
      for (let bits = 8; bits <= 16; bits += 1) {
        for (const signed of bits > 8 ? [false, true] : [false]) {
          const bitsAllocated = bits <= 8 ? 8 : 16;
          const image = imageOf({ rows, columns, bitsAllocated, bitsStored: bits, signed });
          const decoded = Buffer.from(codec.decode(encode(maker, { bits, signed }), image));
          assert.deepEqual(
            decoded,
            cells(values({ bits, signed }), bitsAllocated),
            `${bits} bits, signed ${signed}`,
          );
        }
      }
    });

    test(`${maker}: colours with the reversible transformation become RGB (PS3.5 §8.2.4)`, async () => {
      const frame = encode(maker, { bits: 8, components: 3 });
      const image = { rows, columns, samples: 3, photometric: 'YBR_RCT', planarConfiguration: 0 };
      const elements = elementsOf(await rewrite(compressed(image, [frame]), JPEG_2000, EXPLICIT));
      assert.equal(elements.get(0x00280004)?.value.toString(), 'RGB ');
      const expected = cells(values({ bits: 8, components: 3 }), 8);
      assert.deepEqual(elements.get(0x7fe00010)?.value.subarray(0, expected.length), expected);
    });
  }

  test('tiles of which the last are not whole', () => {
    assert.equal(inspectCodestream(encode('HTJ2K', { bits: 8, tile: 32 })).columns, columns);
    const decoded = codec.decode(encode('HTJ2K', { bits: 8, tile: 32 }), greyImage);
    assert.deepEqual([...decoded], greyValues);
  });

  test('the data set says which patterns are negative, whatever the codestream says of its sign', async () => {
    const unsigned = encode('JPEG 2000', { bits: 13 });
    const expected = values({ bits: 13 }).map((value) => (value >= 4096 ? value - 8192 : value));
    const image = { rows, columns, bitsAllocated: 16, bitsStored: 13, signed: true };
    assert.deepEqual(await nativePixels(compressed(image, [unsigned]), JPEG_2000), cells(expected, 16));
    const signed = encode('JPEG 2000', { bits: 12, signed: true });
    const patterns = values({ bits: 12, signed: true }).map((value) => value & 0xfff);
    const unsignedImage = { rows, columns, bitsAllocated: 16, bitsStored: 12 };
    assert.deepEqual(await nativePixels(compressed(unsignedImage, [signed]), JPEG_2000), cells(patterns, 16));
  });
});

describe('JPEG 2000 that is refused', () => {
  for (const maker of Object.keys(MAKERS) as Maker[]) {
    test(`${maker}: the irreversible transformation`, () => {
      const frame = encode(maker, { bits: 8, reversible: false });
      assert.throws(() => codec.inspect(frame, greyImage), refusal('lossy', /irreversible/));
    });

    test(`${maker}: cut at any byte`, () => {
      const frame = encode(maker, { bits: 8 });
      for (let length = 0; length < frame.length; length += length < 200 ? 1 : 37) {
        assert.throws(() => codec.decode(frame.subarray(0, length), greyImage), refusal('malformed', /./));
      }
      assert.throws(() => codec.decode(frame.subarray(0, -1), greyImage), refusal('malformed', /./));
    });
  }

  test('quantization, a transformation of Part 2, markers that nobody knows', () => {
    const quantized = Buffer.from(grey);
    quantized[bodyOf(quantized, 0x5c)] = 0x42;
    assert.throws(() => inspectCodestream(quantized), refusal('lossy', /irreversible/));
    const array = Buffer.from(grey);
    array[bodyOf(array, 0x52) + 4] = 2;
    assert.throws(() => inspectCodestream(array), refusal('lossy', /irreversible/));
    const at = grey.indexOf(Buffer.of(0xff, 0x5c));
    const nonLinear = Buffer.concat([grey.subarray(0, at), Buffer.of(0xff, 0x76, 0, 2), grey.subarray(at)]);
    assert.throws(() => inspectCodestream(nonLinear), refusal('unsupported', /marker FF76/));
  });

  test('a component or a tile that is irreversible by itself (T.800 §A.6.2, §A.4.2)', () => {
    const irreversible = Buffer.of(0xff, 0x53, 0, 9, 0, 0, 5, 4, 4, 0, 0);
    const inMain = grey.indexOf(Buffer.of(0xff, 0x5c));
    const main = Buffer.concat([grey.subarray(0, inMain), irreversible, grey.subarray(inMain)]);
    assert.throws(() => inspectCodestream(main), refusal('lossy', /irreversible/));
    const inTile = grey.indexOf(Buffer.of(0xff, 0x90)) + 12;
    const tile = Buffer.concat([grey.subarray(0, inTile), irreversible, grey.subarray(inTile)]);
    tile.writeUInt32BE(tile.readUInt32BE(inTile - 6) + irreversible.length, inTile - 6);
    assert.throws(() => inspectCodestream(tile), refusal('lossy', /irreversible/));
  });

  test('tiles that are missing', () => {
    const tiled = encode('HTJ2K', { bits: 8, tile: 32 });
    const last = tiled.lastIndexOf(Buffer.of(0xff, 0x90, 0, 10));
    const cut = Buffer.concat([tiled.subarray(0, last), Buffer.of(0xff, 0xd9)]);
    assert.throws(() => codec.decode(cut, greyImage), refusal('malformed', /lacks some of its tiles/));
  });

  test('samples that the decoder does not give back as they are', () => {
    const cases: [Picture, Parameters<typeof imageOf>[0]][] = [
      [
        { bits: 8, signed: true },
        { rows, columns, signed: true },
      ],
      [
        { bits: 12, components: 3 },
        { rows, columns, samples: 3, bitsAllocated: 16, bitsStored: 12 },
      ],
    ];
    for (const [picture, description] of cases) {
      const frame = encode('HTJ2K', picture);
      assert.throws(
        () => codec.inspect(frame, imageOf(description)),
        refusal('unsupported', /not decoded exactly/),
      );
    }
  });

  test('another size or number of components than the data set has; a size that would be allocated for', () => {
    for (const other of [{ rows: 46 }, { columns: 60 }, { samples: 3 }]) {
      const image = imageOf({ rows, columns, ...other });
      assert.throws(() => codec.decode(grey, image), refusal('malformed', /the data set says/));
    }
    const huge = Buffer.from(grey);
    huge.writeUInt32BE(0xffffffff, bodyOf(huge, 0x51) + 2);
    assert.throws(
      () => codec.decode(huge, greyImage),
      refusal('malformed', /impossible tile size|the data set says/),
    );
  });

  test('a JP2 file instead of a codestream (PS3.5 §A.4.4)', () => {
    const file = Buffer.concat([Buffer.from('0000000c6a5020200d0a870a', 'hex'), grey]);
    assert.throws(() => codec.inspect(file, greyImage), refusal('malformed', /does not begin with/));
  });

  test('something behind the end', () => {
    assert.throws(
      () => codec.decode(Buffer.concat([grey, grey]), greyImage),
      refusal('malformed', /goes on behind/),
    );
    assert.deepEqual([...codec.decode(Buffer.concat([grey, Buffer.of(0)]), greyImage)], greyValues);
  });

  test('what the decoder complains about, and it is of use afterwards', () => {
    const broken = Buffer.from(grey);
    // A progression order that does not exist.
    broken[bodyOf(broken, 0x52) + 1] = 9;
    assert.throws(() => codec.decode(broken, greyImage), refusal('malformed', /OpenJPEG: /));
    assert.deepEqual([...codec.decode(grey, greyImage)], greyValues);
  });
});

describe('JPEG 2000 syntaxes that allow both', () => {
  const NAMES = { 'JPEG 2000': '1.2.840.10008.1.2.4.91', HTJ2K: '1.2.840.10008.1.2.4.203' };

  for (const maker of Object.keys(NAMES) as Maker[]) {
    test(`${maker}: reversible, and the instance says that nothing was lost (PS3.3 §C.7.6.1.1.5)`, async () => {
      const frame = encode(maker, { bits: 8 });
      const exact = await nativePixels(compressed({ rows, columns, lossy: '00' }, [frame]), NAMES[maker]);
      assert.deepEqual([...exact.subarray(0, greyValues.length)], greyValues);
    });

    test(`${maker}: reversible, but declared lossy or not declared: it may have been cut`, async () => {
      const frame = encode(maker, { bits: 8 });
      const declared = compressed({ rows, columns, lossy: '01' }, [frame]);
      await assert.rejects(nativePixels(declared, NAMES[maker]), refusal('lossy', /"01", not "00"/));
      const silent = compressed({ rows, columns }, [frame]);
      await assert.rejects(nativePixels(silent, NAMES[maker]), refusal('lossy', /is not there/));
    });
  }
});
