// What is not what its head says gets a reason, whatever it is: never a crash, never more memory than a frame.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { RenderError, renderErrorOf } from '../../../../src/dicom/render/errors.ts';
import { thumbnail } from '../../../../src/dicom/render/thumbnail.ts';
import { type ElementSpec, elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import { cutFile } from '../../../support/sample-data-sets.ts';
import { samplePath } from '../../../support/samples.ts';
import { removeStored, store } from '../transcode/support.ts';

after(removeStored);

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMAGE: readonly ElementSpec[] = [
  { tag: 0x00280002, vr: 'US', value: 1 },
  { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
  { tag: 0x00280008, vr: 'IS', value: '1' },
  { tag: 0x00280010, vr: 'US', value: 4 },
  { tag: 0x00280011, vr: 'US', value: 4 },
  { tag: 0x00280100, vr: 'US', value: 8 },
  { tag: 0x00280101, vr: 'US', value: 8 },
  { tag: 0x00280102, vr: 'US', value: 7 },
];

const PIXELS: Buffer = Buffer.alloc(16);

/** Renders an image of 4×4 bytes with other attributes, in a syntax, with these bytes as Pixel Data. */
async function render(
  changes: readonly ElementSpec[],
  { pixels = PIXELS, transferSyntaxUid = EXPLICIT, encapsulated = false } = {},
): Promise<Uint8Array> {
  const specs = [...IMAGE.filter(({ tag }) => changes.every((spec) => spec.tag !== tag)), ...changes];
  const head = encodeElements(specs, true);
  const header = elementHeader(
    0x7fe00010,
    encapsulated ? 'OB' : 'OW',
    encapsulated ? 0xffffffff : pixels.length,
    true,
  );
  const path = await store(Buffer.concat([head, header, pixels]));
  return await thumbnail({ path, dataSetOffset: 0, transferSyntaxUid, size: 64 });
}

async function refused(promise: Promise<unknown>): Promise<RenderError> {
  const error = await promise.then(
    () => assert.fail('It gave a picture'),
    (reason: unknown) => renderErrorOf(reason),
  );
  assert.ok(error instanceof RenderError);
  return error;
}

function fragments(...values: Buffer[]): Buffer {
  const item = (tag: number, value: Buffer) => {
    const header = Buffer.alloc(8);
    header.writeUInt16LE(tag >>> 16, 0);
    header.writeUInt16LE(tag & 0xffff, 2);
    header.writeUInt32LE(value.length, 4);
    return Buffer.concat([header, value]);
  };
  const items = [Buffer.alloc(0), ...values].map((value) => item(0xfffee000, value));
  return Buffer.concat([...items, item(0xfffee0dd, Buffer.alloc(0))]);
}

const us = (tag: number, value: number): ElementSpec => ({ tag, vr: 'US', value });

describe('refused with a reason', () => {
  const rows: readonly (readonly [
    what: string,
    changes: readonly ElementSpec[],
    code: string,
    words: RegExp,
  ])[] = [
    ['no rows', [us(0x00280010, 0)], 'render-unsupported', /no image: Rows/],
    ['more rows than pixels', [us(0x00280010, 5)], 'render-malformed', /16 bytes, frame 1 would end at 20/],
    ['more frames than pixels', [{ tag: 0x00280008, vr: 'IS', value: '3' }], 'render-malformed', /frame 2/],
    ['frames that are no number', [{ tag: 0x00280008, vr: 'IS', value: '-1' }], 'render-malformed', /is -1/],
    [
      'a frame of 8 GB',
      [us(0x00280010, 65535), us(0x00280011, 65535), us(0x00280100, 16)],
      'render-limit',
      /larger than 64 MiB/,
    ],
    ['bits beyond the cell', [us(0x00280101, 12)], 'render-malformed', /12 bits/],
    ['no bits', [us(0x00280101, 0)], 'render-malformed', /0 bits/],
    ['cells of 12 bits', [us(0x00280100, 12)], 'render-unsupported', /12 bits allocated/],
    ['two samples', [us(0x00280002, 2)], 'render-unsupported', /2 samples/],
    [
      'a palette that is not there',
      [{ tag: 0x00280004, vr: 'CS', value: 'PALETTE COLOR' }],
      'render-unsupported',
      /palette/,
    ],
    [
      'colours nobody knows',
      [{ tag: 0x00280004, vr: 'CS', value: 'HSV' }],
      'render-unsupported',
      /HSV is not shown/,
    ],
  ];
  for (const [what, changes, code, words] of rows) {
    test(what, async () => {
      const error = await refused(render(changes));
      assert.equal(error.code, code);
      assert.match(error.message, words);
    });
  }

  test('a table with fewer entries than it says', async () => {
    const item: ElementSpec[] = [
      { tag: 0x00283002, vr: 'US', value: Buffer.from('000400001000', 'hex') },
      { tag: 0x00283006, vr: 'OW', value: Buffer.alloc(64) },
    ];
    const error = await refused(render([{ tag: 0x00283010, vr: 'SQ', value: [item] }]));
    assert.match(error.message, /64 bytes for 1024 entries/);
  });

  test('a video, by its name', async () => {
    const options = {
      pixels: fragments(Buffer.alloc(8)),
      transferSyntaxUid: '1.2.840.10008.1.2.4.102',
      encapsulated: true,
    };
    const error = await refused(render([], options));
    assert.match(error.message, /H\.264.* is not shown/);
  });

  test('a deflated frame that grows beyond its image', async () => {
    const { deflateRawSync } = await import('node:zlib');
    const bomb = deflateRawSync(Buffer.alloc(64 << 20));
    const options = {
      pixels: fragments(bomb),
      transferSyntaxUid: '1.2.840.10008.1.2.8.1',
      encapsulated: true,
    };
    assert.match((await refused(render([], options))).message, /cannot be inflated|too many for one frame/);
  });

  test('a JPEG stream that is larger than its data set says', async () => {
    const stream = Buffer.from('ffd8ffc0000b08ffffffff01011100ffda00080101000000003f00ffd9', 'hex');
    const options = {
      pixels: fragments(stream),
      transferSyntaxUid: '1.2.840.10008.1.2.4.50',
      encapsulated: true,
    };
    assert.match((await refused(render([], options))).message, /holds 65535×65535 pixels/);
  });
});

describe('a file whose bytes were changed gives a picture or a reason', () => {
  const SAMPLES = [
    'syntaxes/SC_rgb_small_odd_jpeg.dcm',
    'syntaxes/SC_rgb_dcmtk_+eb+cy+np.dcm',
    'syntaxes/MR_small_RLE.dcm',
    'syntaxes/MR_small_jp2klossless.dcm',
    'syntaxes/MR_small_jpeg_ls_lossless.dcm',
    'syntaxes/SC_rgb_jpeg_gdcm.dcm',
    'syntaxes/deflated/image_dfl.dcm',
    'objects/MR_small.dcm',
  ];
  for (const sample of SAMPLES) {
    test(sample, async () => {
      const { transferSyntaxUid, dataSet } = cutFile(samplePath(sample));
      assert.ok((await readFile(samplePath(sample))).length > dataSet.length);
      let seed = 7;
      const random = (below: number) => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        return seed % below;
      };
      for (let round = 0; round < 12; round += 1) {
        const changed = Buffer.from(
          dataSet.subarray(0, round % 4 === 3 ? random(dataSet.length) : dataSet.length),
        );
        for (let index = 0; index < 6; index += 1) changed[random(changed.length || 1)] = random(256);
        const path = await store(changed);
        const outcome = await thumbnail({ path, dataSetOffset: 0, transferSyntaxUid, size: 64 }).catch(
          renderErrorOf,
        );
        assert.ok(outcome instanceof Uint8Array || outcome instanceof RenderError);
        if (outcome instanceof RenderError) assert.notEqual(outcome.code, 'render-failed', outcome.message);
      }
    });
  }
});
