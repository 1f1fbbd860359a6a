// Dates, times and ranges of them (PS3.5 §6.2, PS3.4 §C.2.2.2.5).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { foldMoment, isWithin, parseInterval, type TemporalVr } from '../../../src/catalog/temporal.ts';

describe('moments', () => {
  const cases: readonly (readonly [vr: TemporalVr, text: string, moment: string | undefined])[] = [
    ['DA', '20240131', '20240131'],
    ['DA', '1994.10.16', '19941016'],
    ['DA', '2024', undefined],
    ['DA', 'unknown!', undefined],
    ['TM', '08', '080000000000'],
    ['TM', '0830', '083000000000'],
    ['TM', '083015.25', '083015250000'],
    ['TM', '08:30:15', '083015000000'],
    ['TM', '8', undefined],
    ['DT', '20240131', '20240131000000000000'],
    ['DT', '20240131083015.5', '20240131083015500000'],
    ['DT', '20240131003000+0100', '20240130233000000000'],
    ['DT', '20240131003000-0530', '20240131060000000000'],
    ['DT', '202401.5', undefined],
  ];
  for (const [vr, text, moment] of cases) {
    test(`${vr} '${text}'`, () => assert.equal(foldMoment(vr, text), moment));
  }
});

describe('ranges (PS3.4 §C.2.2.2.5)', () => {
  const cases: readonly (readonly [vr: TemporalVr, key: string, value: string, within: boolean])[] = [
    ['DA', '20240101-20240131', '20240101', true],
    ['DA', '20240101-20240131', '20240131', true],
    ['DA', '20240101-20240131', '20240201', false],
    ['DA', '-20240131', '19000101', true],
    ['DA', '20240101-', '99991231', true],
    ['DA', '20240101 - 20240131', '20240115', true],
    ['DA', '1994.10.01-1994.10.31', '19941016', true],
    ['TM', '10-11', '115959.999999', true],
    ['TM', '10-11', '120000', false],
    ['TM', '1030', '103059', true],
    ['TM', '1030', '103100', false],
    ['DT', '2023-2024', '20241231235959', true],
    ['DT', '20240131083000+0100-20240131084000+0100', '20240131073500+0000', true],
    ['DT', '20240131083000-0500', '20240131133000+0000', true],
    ['DT', '-20240131083000-0500', '20240131133000+0000', true],
    ['DT', '20240131083000-0500-', '20240131133000+0000', true],
  ];
  for (const [vr, key, value, within] of cases) {
    test(`${vr} ${value} is ${within ? '' : 'not '}in '${key}'`, () => {
      const interval = parseInterval(vr, key);
      assert.ok(interval);
      assert.equal(isWithin(foldMoment(vr, value) ?? '', interval), within);
    });
  }

  for (const key of ['', '-', 'today', '20240101-x', '2024-01-01']) {
    test(`'${key}' is no range of dates`, () => assert.equal(parseInterval('DA', key), undefined));
  }
});
