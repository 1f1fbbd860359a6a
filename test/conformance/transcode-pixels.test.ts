// Every compressed sample, decoded by the product and by DCMTK: the same pixels and the same attributes, or a refusal
// whose reason is written down here (PS3.5 §A.4).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FRAME_CODECS } from '../../src/dicom/transcode/lossless-syntaxes.ts';
import { cutFile } from '../support/sample-data-sets.ts';
import { samples } from '../support/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  dcmtk,
  dumpedPixels,
  dumpLines,
  EXPLICIT,
  IMPLICIT,
  numberIn,
  transcodeSample,
  writePart10,
} from './transcode-support.ts';

const CT = 'syntaxes/ct-one-image-many-syntaxes/CTImage.dcm_';

/** What cannot be exact, and why. */
const REFUSED: Record<string, RegExp> = {
  'malformed/GH1339.dcm': /ends inside the pixel data/,
  'malformed/GH364.dcm': /stands where an element should/,
  // Baseline JPEG under the name of lossless JPEG.
  'objects/sample-op.dcm': /lossy.*FFC0/,
  // A JP2 file in the place of a codestream.
  'syntaxes/GDCMJ2K_TextGBR.dcm': /does not begin with a JPEG 2000 codestream/,
  'syntaxes/HTJ2K_08_RGB.dcm': /irreversible/,
  'syntaxes/JPEG2000.dcm': /irreversible/,
  'syntaxes/JPEG2000-embedded-sequence-delimiter.dcm': /impossible tile size/,
  'syntaxes/JLSN_RGB_ILV0.dcm': /off by 3/,
  'syntaxes/emri_small_jpeg_2k_lossless_too_short.dcm': /ends inside the pixel data/,
  'syntaxes/fragments-and-bot/CT0012.fragmented_no_bot_jpeg_ls.81.dcm': /off by 2/,
  // Reversible codestreams that were cut short, as the instances themselves say.
  'syntaxes/jpeg2000-multiframe-multifragments.dcm': /"01", not "00"/,
  [`${CT}JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm`]: /"01", not "00"/,
  [`${CT}JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91-263036.dcm`]: /"01", not "00"/,
  [`${CT}JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81.dcm`]: /off by 1/,
  [`${CT}JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81-9428a7.dcm`]: /off by 1/,
};

/** JPEG 2000 samples, which DCMTK does not decode, and a file that holds the same pixels; undefined: none is known. */
const ORIGINALS: Record<string, string | undefined> = {
  'angio/nema-XA1_J2KR.dcm': 'angio/nema-XA1_JPLL.dcm',
  'angio/philips-alluraxper-cerebral-1024-10bit-j2k.dcm': undefined,
  'syntaxes/HTJ2KLossless_08_RGB.dcm': undefined,
  'syntaxes/J2K_pixelrep_mismatch.dcm': undefined,
  'syntaxes/examples_jpeg2k.dcm': undefined,
  'syntaxes/MR_small_jp2klossless.dcm': 'objects/MR_small.dcm',
  'syntaxes/emri_small_jpeg_2k_lossless.dcm': 'syntaxes/emri_small.dcm',
  [`${CT}JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm`]: `${CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm`,
  [`${CT}JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90-7e9974.dcm`]: `${CT}LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm`,
};

const TOOLS = { rle: ['dcmdrle'], 'jpeg-lossless': ['dcmdjpeg', '+cn'], 'jpeg-ls': ['dcmdjpls'] } as const;

const compressed = samples()
  .map((sample) => ({
    ...sample,
    codec: FRAME_CODECS.get(/\[([\d.]+)\]/.exec(sample.transferSyntax)?.[1] ?? ''),
  }))
  .filter(({ codec }) => codec !== undefined);
// A whole series has one kind of image: every tenth of it.
const chosen = compressed.filter(({ path }, index) => !path.startsWith('series/') || index % 10 === 0);

describe('compressed samples', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder('transcode-pixels');
  });
  after(() => folder[Symbol.asyncDispose]());

  /** The sample, decoded by us, as a file. */
  async function ours(path: string): Promise<string> {
    const file = join(folder.path, 'ours.dcm');
    await writePart10(file, await transcodeSample(path, EXPLICIT), EXPLICIT);
    return file;
  }

  for (const { path, file, codec } of chosen) {
    if (path in REFUSED) {
      test(`${path} is refused`, async () => {
        await assert.rejects(transcodeSample(path, EXPLICIT), (error: Error) =>
          REFUSED[path]!.test(error.message),
        );
      });
    } else if (codec !== 'jpeg-2000') {
      test(`${path} has the pixels and attributes that DCMTK gives it`, async () => {
        const theirs = join(folder.path, 'theirs.dcm');
        const [tool, ...options] = TOOLS[codec!];
        await dcmtk(tool, ...options, file, theirs);
        const decoded = await ours(path);
        const planes = (await numberIn(theirs, '0028,0006', 0)) === 1;
        const expected = await dumpedPixels(theirs, folder.path);
        const pixels = await dumpedPixels(decoded, folder.path);
        assert.ok(pixels.equals(planes ? await sideBySide(expected, theirs) : expected), 'pixels differ');
        const [lines, expectedLines] = [await comparable(decoded), await comparable(theirs)];
        for (const [index, line] of lines.entries()) assert.equal(line, expectedLines[index]);
        assert.equal(lines.length, expectedLines.length);
      });
    } else {
      const original = ORIGINALS[path];
      assert.ok(path in ORIGINALS, `${path}: not said what it is to be compared with`);
      if (original === undefined) continue;
      test(`${path} has the pixels of ${original}`, async () => {
        const pixels = await dumpedPixels(await ours(path), folder.path);
        assert.ok(pixels.length > 0);
        const { transferSyntaxUid } = cutFile(samples(original)[0]!.file);
        const reference =
          transferSyntaxUid === EXPLICIT ? samples(original)[0]!.file : join(folder.path, 'theirs.dcm');
        if (transferSyntaxUid !== EXPLICIT)
          await dcmtk('dcmdjpeg', '+cn', samples(original)[0]!.file, reference);
        assert.ok(pixels.equals(await dumpedPixels(reference, folder.path)), 'pixels differ');
      });
    }
  }

  test('a sample whose codestream has another sign than the data set says: −2000 in its corner', async () => {
    const dataSet = await transcodeSample('syntaxes/J2K_pixelrep_mismatch.dcm', EXPLICIT);
    const value = dataSet.indexOf(Buffer.from('e07f10004f57', 'hex')) + 12;
    assert.equal(dataSet.readInt16LE(value), -2000);
  });

  test('implicit output has the pixels of explicit output', async () => {
    for (const path of [
      'angio/catheter-12f-jpeg-lossless.dcm',
      'angio/nema-XA1_RLE.dcm',
      'angio/nema-XA1_J2KR.dcm',
    ]) {
      const file = join(folder.path, 'implicit.dcm');
      await writePart10(file, await transcodeSample(path, IMPLICIT), IMPLICIT);
      const implicit = await dumpedPixels(file, folder.path);
      assert.ok(implicit.equals(await dumpedPixels(await ours(path), folder.path)), path);
    }
  });
});

/** All elements but those whose form is ours to choose: pixels, how they are ordered, lengths of groups and sequences. */
async function comparable(file: string): Promise<string[]> {
  const lines = (await dumpLines(file)).filter(
    (line) => !/^ *\((7fe0,0010|0028,0006|....,0000)\)/.test(line),
  );
  return lines
    .filter((line) => !/\((fffe,e00d|fffe,e0dd)\)/.test(line))
    .map((line) => line.replace(/\((Sequence|Item) with [^)]*\).*$/, '($1)'));
}

/** Planes of samples as DCMTK keeps them, pixel by pixel. */
async function sideBySide(planes: Buffer, file: string): Promise<Buffer> {
  const [frames, rows, columns, samplesPerPixel, bits] = await Promise.all([
    numberIn(file, '0028,0008', 1),
    numberIn(file, '0028,0010', 0),
    numberIn(file, '0028,0011', 0),
    numberIn(file, '0028,0002', 1),
    numberIn(file, '0028,0100', 8),
  ]);
  const bytes = bits / 8;
  const cells = rows * columns;
  const out = Buffer.alloc(planes.length);
  for (let frame = 0, to = 0; frame < frames; frame += 1) {
    for (let cell = 0; cell < cells; cell += 1) {
      for (let sample = 0; sample < samplesPerPixel; sample += 1, to += bytes) {
        const from = ((frame * samplesPerPixel + sample) * cells + cell) * bytes;
        planes.copy(out, to, from, from + bytes);
      }
    }
  }
  return out;
}
