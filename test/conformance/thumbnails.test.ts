// Pictures of real instances, pixel for pixel against DCMTK's, or against the same image stored uncompressed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decode } from 'fast-png';
import { readForeignHead } from '../../src/dicom/foreign-head.ts';
import { thumbnail } from '../../src/dicom/render/thumbnail.ts';
import { samplePath } from '../support/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { dcmtk } from './transcode-support.ts';

/** Larger than every sample: nothing is made smaller. */
const WHOLE = 8192;
const CT = 'syntaxes/ct-one-image-many-syntaxes/CTImage.dcm_';
const BREAST = 'syntaxes/fragments-and-bot/CT0012.';

async function picture(sample: string, size = WHOLE) {
  const path = samplePath(sample);
  const head = readForeignHead(await readFile(path));
  assert.notEqual(head, 'more');
  if (head === 'more') throw new Error('unreachable');
  const { dataSetOffset, meta } = head;
  return decode(await thumbnail({ path, dataSetOffset, transferSyntaxUid: meta.transferSyntaxUid, size }));
}

/** What DCMTK makes of one frame, counted from 1: a PNM file's pixels. */
async function dcmtkPicture(sample: string, options: readonly string[], folder: string) {
  const file = join(folder, 'picture.pnm');
  await dcmtk('dcmj2pnm', '-O', ...options, samplePath(sample), file);
  const bytes = await readFile(file);
  const header = /^(P[56])\s(?:#.*\n)?(\d+) (\d+)\s\d+\s/.exec(bytes.toString('latin1', 0, 128));
  assert.ok(header);
  return {
    channels: header[1] === 'P6' ? 3 : 1,
    width: Number(header[2]),
    height: Number(header[3]),
    data: bytes.subarray(header[0].length),
  };
}

type Pixels = { width: number; height: number; channels: number; data: ArrayLike<number> };

function assertSame(actual: Pixels, expected: Pixels, tolerance: number): void {
  assert.deepEqual(
    [actual.width, actual.height, actual.channels, actual.data.length],
    [expected.width, expected.height, expected.channels, expected.data.length],
  );
  let worst = 0;
  for (let at = 0; at < expected.data.length; at += 1) {
    worst = Math.max(worst, Math.abs(actual.data[at]! - expected.data[at]!));
  }
  assert.ok(worst <= tolerance, `a pixel is off by ${worst}`);
}

describe('a picture is what DCMTK shows', () => {
  // Rounding alone may differ.
  const rows: readonly (readonly [
    what: string,
    sample: string,
    options: readonly string[],
    tolerance?: number,
  ])[] = [
    ['8 bits without a window, middle frame of 12', 'angio/catheter-12f-jpeg-lossless.dcm', ['+F', '7']],
    ['baseline JPEG, middle frame of 96', 'angio/coronary-96f-mask-none.dcm', ['+F', '49']],
    ['baseline JPEG under the name of lossless', 'objects/sample-op.dcm', []],
    ['a window over 8 bits', 'angio/ge-innova-phantom-cine-IM7.dcm', ['+F', '5', '+Wi', '1']],
    ['10 of 16 bits without a window', 'angio/nema-XA1_UNC.dcm', ['+Wm']],
    ['RLE of 16 bits', 'syntaxes/MR_small_RLE.dcm', ['+Wi', '1']],
    ['lossless JPEG', 'angio/nema-XA1_JPLL.dcm', ['+Wm']],
    [
      'signed, rescaled, windowed',
      `${CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm`,
      ['+Wi', '1'],
    ],
    ['big endian', `${CT}BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm`, ['+Wi', '1']],
    [
      'deflated',
      `${CT}DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm`,
      ['+Wi', '1'],
    ],
    ['MONOCHROME1', 'objects/gsps-with-image/image.dcm', ['+Wi', '1']],
    ['a signed Modality LUT', 'objects/mlut_18.dcm', ['+Wm']],
    ['32 bits', 'objects/rtdose.dcm', ['+F', '8', '+Wm']],
    ['single bits', 'objects/liver.dcm', ['+F', '2', '+Wm']],
    ['single bits that share bytes between frames', 'objects/seg_image_sm_dots.dcm', ['+F', '32', '+Wm']],
    ['old overlay bits above those stored', 'objects/examples_overlay.dcm', ['+Wi', '1']],
    ['RGB', 'objects/examples_rgb_color.dcm', []],
    ['RGB by plane, big endian', 'syntaxes/ExplVR_BigEnd.dcm', []],
    ['RGB of 16 bits, big endian', 'syntaxes/SC_rgb_expb_16bit.dcm', []],
    ['RGB of 32 bits, RLE, second of two frames', 'syntaxes/SC_rgb_rle_32bit_2frame.dcm', ['+F', '2']],
    ['RGB of odd size, big endian words', 'syntaxes/SC_rgb_small_odd_big_endian.dcm', []],
    ['YBR_FULL_422 uncompressed', 'syntaxes/YBR_422.dcm', []],
    ['YBR_FULL in RLE', 'syntaxes/YBR_FULL-RLE.dcm', [], 2],
    ['YBR_FULL_422 in JPEG', 'objects/examples_ybr_color.dcm', ['+F', '16']],
    ['YBR_FULL in JPEG', 'syntaxes/SC_rgb_dcmtk_+eb+cy+s4.dcm', []],
    ['PALETTE COLOR', 'objects/examples_palette.dcm', []],
    ['PALETTE COLOR in RLE, second of two frames', 'syntaxes/OBXXXX1A_rle_2frame.dcm', ['+F', '2']],
  ];
  for (const [what, sample, options, tolerance = 1] of rows) {
    test(what, async () => {
      await using folder = await tempFolder('thumbnails');
      assertSame(await picture(sample), await dcmtkPicture(sample, options, folder.path), tolerance);
    });
  }
});

describe('a picture is the same as that of the uncompressed image', () => {
  const rows: readonly (readonly [what: string, sample: string, twin: string, tolerance?: number])[] = [
    ['JPEG 2000, signed', 'syntaxes/MR_small_jp2klossless.dcm', 'objects/MR_small.dcm', 0],
    ['JPEG 2000, ten frames', 'syntaxes/emri_small_jpeg_2k_lossless.dcm', 'syntaxes/emri_small.dcm', 0],
    [
      'JPEG 2000, lossy',
      `${CT}JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm`,
      `${CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm`,
      12,
    ],
    ['HTJ2K, lossy', 'syntaxes/HTJ2K_08_RGB.dcm', 'syntaxes/HTJ2KLossless_08_RGB.dcm', 16],
    ['JPEG-LS', `${BREAST}fragmented_no_bot_jpeg_ls.80.dcm`, `${BREAST}explicit_little_endian.dcm`, 0],
    [
      'JPEG-LS, near-lossless',
      `${BREAST}fragmented_no_bot_jpeg_ls.81.dcm`,
      `${BREAST}explicit_little_endian.dcm`,
      8,
    ],
    ['JPEG-LS, near-lossless colours', 'syntaxes/JLSN_RGB_ILV0.dcm', 'syntaxes/JLSL_RGB_ILV2.dcm', 12],
    ['JPEG-LS, colours by line', 'syntaxes/JLSL_RGB_ILV1.dcm', 'syntaxes/JLSL_RGB_ILV2.dcm', 0],
    [
      'JPEG process 14',
      `${BREAST}fragmented_no_bot_jpeg_lossless.57.dcm`,
      `${BREAST}explicit_little_endian.dcm`,
      0,
    ],
    ['frames of single bits, each deflated', 'syntaxes/liver_deflate.dcm', 'objects/liver.dcm', 0],
  ];
  for (const [what, sample, twin, tolerance = 0] of rows) {
    test(what, async () => assertSame(await picture(sample), await picture(twin), tolerance));
  }
});

test('a picture of 160 is the mean of what it covers', async () => {
  const small = await picture('angio/ge-drs-rf-1024.dcm', 128);
  const { data } = await picture('angio/ge-drs-rf-1024.dcm');
  assert.deepEqual([small.width, small.height], [128, 128]);
  const mean = (row: number, column: number) => {
    let sum = 0;
    for (let y = 0; y < 8; y += 1) {
      for (let x = 0; x < 8; x += 1) sum += data[(row * 8 + y) * 1024 + column * 8 + x]!;
    }
    return Math.round(sum / 64);
  };
  for (const [row, column] of [
    [0, 0],
    [64, 64],
    [127, 127],
    [30, 90],
  ] as const) {
    assert.equal(small.data[row * 128 + column], mean(row, column));
  }
});
