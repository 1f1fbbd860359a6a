// Which transfer syntaxes can become which (PS3.5 Annex A).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canTranscode } from '../../../../src/dicom/transcode/transcode.ts';
import { TRANSFER_SYNTAXES } from '../../../../src/dicom/transfer-syntax.ts';
import { BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT } from './support.ts';

describe('canTranscode', () => {
  test('every uncompressed syntax becomes every other, none becomes itself', () => {
    for (const from of [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED]) {
      for (const to of [IMPLICIT, EXPLICIT, BIG_ENDIAN]) assert.equal(canTranscode(from, to), from !== to);
    }
  });

  test('compressed syntaxes become little endian ones only', () => {
    const compressed = ['5', '4.57', '4.70', '4.80', '4.81', '4.90', '4.91', '4.201', '4.202', '4.203'];
    for (const suffix of compressed) {
      const from = `1.2.840.10008.1.2.${suffix}`;
      assert.equal(canTranscode(from, IMPLICIT), true, from);
      assert.equal(canTranscode(from, EXPLICIT), true, from);
      assert.equal(canTranscode(from, BIG_ENDIAN), false, from);
    }
  });

  test('nothing becomes compressed or deflated', () => {
    for (const { uid } of TRANSFER_SYNTAXES) {
      if ([IMPLICIT, EXPLICIT, BIG_ENDIAN].includes(uid)) continue;
      for (const from of [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, '1.2.840.10008.1.2.5']) {
        assert.equal(canTranscode(from, uid), false, `${from} to ${uid}`);
      }
    }
  });

  test('what is always lossy, and what we have no codec for, becomes nothing', () => {
    // JPEG-LS near-lossless is "always lossy" by name; a stream of it with NEAR 0 is not.
    const decided = TRANSFER_SYNTAXES.filter(
      ({ lossy, uid }) => lossy === 'always' && !uid.endsWith('.4.81'),
    );
    const others = ['1.2.840.10008.1.2.4.110', '1.2.840.10008.1.2.8.1', '1.2.840.113619.5.2', '1.2.3', ''];
    for (const uid of [...decided.map((syntax) => syntax.uid), ...others]) {
      assert.equal(canTranscode(uid, EXPLICIT), false, uid);
      assert.equal(canTranscode(uid, IMPLICIT), false, uid);
    }
  });
});
