// Every uncompressed sample in every other uncompressed syntax: DCMTK's dcmconv writes the same elements (PS3.5 §7).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canTranscode } from '../../src/dicom/transcode/transcode.ts';
import { cutFile } from '../support/sample-data-sets.ts';
import { samples } from '../support/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  dcmtk,
  dumpLines,
  EXPLICIT,
  IMPLICIT,
  transcodeSample,
  writePart10,
} from './transcode-support.ts';

const OPTIONS: Readonly<Record<string, string>> = {
  [IMPLICIT]: '+ti',
  [EXPLICIT]: '+te',
  [BIG_ENDIAN]: '+tb',
};
const NATIVE: readonly string[] = [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED];

/** Broken beyond exactness; DCMTK fails on them too, or makes something up. */
const REFUSED: Record<string, RegExp> = {
  'malformed/DICOMDIR-nooffset': /runs past its sequence/,
  'malformed/FreezePattern.dcm': /stands where an element should/,
  'malformed/GH1376.dcm': /PixelData has undefined length/,
  'malformed/GH179A.dcm': /PixelPaddingValue of 139296 bytes runs past/,
  'malformed/GH179B.dcm': /PixelPaddingValue of 139296 bytes runs past/,
  'malformed/MR_truncated.dcm': /PixelData of 8192 bytes runs past/,
  'malformed/no_meta.dcm': /runs past/,
  'malformed/no_preamble_dicm_in_data': /runs past/,
  'malformed/rtplan_truncated.dcm': /BeamSequence of 976 bytes runs past/,
};

/** Where DCMTK does otherwise, on purpose: what we write instead, line by line. */
const OTHERWISE: readonly [ours: RegExp, theirs: RegExp, why: string][] = [
  [
    /^ *\([0-9a-f]{3}[13579bdf],....\) UN /,
    /^ *\([0-9a-f]{3}[13579bdf],....\) [A-Z]{2} /,
    'DCMTK knows private tags',
  ],
  [/ (\?\?|UN) /, / UN /, 'inside UN of undefined length nothing is changed'],
  [
    /Item with explicit length/,
    /Item with undefined length/,
    'inside UN of undefined length nothing is changed',
  ],
  [
    /LO \(no value available\) +# +2, 0/,
    /LO \(no value available\) +# +0, 0/,
    'DCMTK drops a value of zeros',
  ],
  [/for re-encoding/, /Delimitation/, 'inside UN of undefined length nothing is changed'],
];

/** Values of odd length, which we keep; DCMTK pads them in its own way. */
const ODD: Record<string, RegExp> = { 'malformed/dx_image.dcm': /^\(7fe0,0010\)/ };

/** Of what there is most of, every eighth: Explicit VR Little Endian, and whole series. */
const native = samples()
  .map((sample, index) => ({ ...sample, from: syntaxOf(sample.file), eighth: index % 8 === 0 }))
  .filter(({ path, from, eighth }) => {
    return (
      NATIVE.includes(from) &&
      (eighth || path in REFUSED || (from !== EXPLICIT && !path.startsWith('series/')))
    );
  })
  .flatMap((sample) =>
    Object.keys(OPTIONS)
      .filter((to) => canTranscode(sample.from, to))
      .map((to) => ({ ...sample, to })),
  );

describe('uncompressed samples', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder('transcode-native');
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const { path, file, to } of native) {
    if (path in REFUSED) {
      test(`${path} cannot be sent with ${OPTIONS[to]}`, async () => {
        await assert.rejects(transcodeSample(path, to), (error: Error) => REFUSED[path]!.test(error.message));
      });
      continue;
    }
    test(`${path} with ${OPTIONS[to]}`, async () => {
      const ours = join(folder.path, 'ours.dcm');
      const theirs = join(folder.path, 'theirs.dcm');
      await writePart10(ours, await transcodeSample(path, to), to);
      await dcmtk('dcmconv', '-q', OPTIONS[to]!, '-e', '-g', file, theirs);
      const [written, expected] = await Promise.all([dumpLines(ours), dumpLines(theirs)]);
      assert.equal(written.length, expected.length);
      for (const [index, line] of written.entries()) {
        const other = expected[index]!;
        if (line === other || ODD[path]?.test(line)) continue;
        const known = OTHERWISE.some(([our, their]) => our.test(line) && their.test(other));
        assert.ok(known, `${line.slice(0, 200)}\n${other.slice(0, 200)}`);
        // The same attribute with the same number of bytes, except where DCMTK dropped them.
        const shape = /^ *(\([0-9a-f]{4},[0-9a-f]{4}\)).*# +(\d+|u\/l),/;
        assert.equal(shape.exec(line)?.[1], shape.exec(other)?.[1]);
      }
    });
  }
});

function syntaxOf(file: string): string {
  try {
    return cutFile(file).transferSyntaxUid;
  } catch {
    return '';
  }
}
