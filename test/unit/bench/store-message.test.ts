// The benchmark's sender must send what it says it sends: whole PDUs, within the limit, adding up (PS3.8 §9.3.5).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layOutStore, type StoreMessage } from '../../bench/store-message.ts';
import {
  SHAPES,
  type ShapeName,
  syntheticInstance,
  syntheticStudy,
} from '../../support/synthetic-instances.ts';

const UID_ROOT = '2.25.1234567890';

interface Laid {
  readonly commandPdus: number;
  readonly longestPdu: number;
  readonly dataSetBytes: number;
  readonly lastFlags: boolean[];
}

/** Walks over the PDUs of a message; throws when one is cut. */
function walk(message: StoreMessage): Laid {
  const parts = [message.start, ...Array.from({ length: message.blocks }, () => message.block), message.end];
  const laid = { commandPdus: 0, longestPdu: 0, dataSetBytes: 0, lastFlags: [] as boolean[] };
  for (const part of parts) {
    let offset = 0;
    while (offset < part.length) {
      const length = part.readUInt32BE(offset + 2);
      const control = part.readUInt8(offset + 11);
      assert.equal(part.readUInt8(offset), 4, 'P-DATA-TF');
      assert.equal(part.readUInt32BE(offset + 6), length - 4, 'one PDV a PDU');
      laid.longestPdu = Math.max(laid.longestPdu, length);
      if ((control & 1) === 1) laid.commandPdus += 1;
      else {
        laid.dataSetBytes += length - 6;
        laid.lastFlags.push((control & 2) === 2);
      }
      offset += 6 + length;
    }
    assert.equal(offset, part.length, 'no PDU runs past its part');
  }
  return laid;
}

describe('a C-STORE request laid out for the benchmark', () => {
  for (const shape of Object.keys(SHAPES) as ShapeName[]) {
    for (const maxPduBytes of [4096, 16_384, 131_072, 262_144]) {
      test(`${shape} in PDUs of ${maxPduBytes}`, () => {
        const instance = syntheticInstance(syntheticStudy(7, UID_ROOT), SHAPES[shape], 1, 1);
        const message = layOutStore(instance, 1, maxPduBytes);
        const laid = walk(message);
        assert.equal(laid.commandPdus, 1);
        assert.ok(laid.longestPdu <= maxPduBytes);
        assert.equal(laid.dataSetBytes, instance.head.length + instance.pixelBytes);
        assert.equal(message.dataSetBytes, laid.dataSetBytes);
        assert.equal(
          laid.lastFlags.indexOf(true),
          laid.lastFlags.length - 1,
          'only the last PDV is the last',
        );
      });
    }
  }
});
