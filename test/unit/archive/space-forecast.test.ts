// When the volume will be full, and when somebody should be told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forecastSpace } from '../../../src/archive/space-forecast.ts';

const NOW = new Date('2026-04-01T00:00:00Z');
const TB = 1e12;
const space = (freeBytes: number) => ({ freeBytes, totalBytes: 4 * TB, reserveBytes: 2e9 });
/** So much on each of the last `days` days. */
const daily = (bytes: number, days: number) =>
  Array.from({ length: days }, (_, index) => ({
    day: new Date(NOW.getTime() - (days - index) * 86_400_000).toISOString().slice(0, 10),
    files: 1,
    bytes,
  }));

describe('forecast', () => {
  test('the mean of the known days decides the day; the reserve does not count', () => {
    const forecast = forecastSpace(space(1e12 + 2e9), daily(1e10, 90), NOW);
    assert.equal(forecast.bytesPerDay, 1e10);
    assert.equal(forecast.daysLeft, 100);
    assert.equal(forecast.fullOn, '2026-07-10');
    assert.equal(forecast.level, undefined);
  });

  test('days without intake count, days before the first do not', () => {
    const [first] = daily(9e10, 9);
    assert.equal(forecastSpace(space(TB), [first!], NOW).bytesPerDay, 1e10);
  });

  test('a few days say nothing about those to come', () => {
    const { daysLeft, fullOn, level } = forecastSpace(space(TB), daily(1e11, 3), NOW);
    assert.deepEqual([daysLeft, fullOn, level], [undefined, undefined, undefined]);
    assert.equal(forecastSpace(space(TB), [], NOW).daysLeft, undefined);
  });

  test('warning below 90 days or a tenth of the volume, urgent below 14 days or twice the reserve', () => {
    assert.equal(forecastSpace(space(8e11), daily(1e10, 90), NOW).level, 'warning');
    assert.equal(forecastSpace(space(3e11), [], NOW).level, 'warning');
    assert.equal(forecastSpace(space(8e11), daily(1e11, 90), NOW).level, 'urgent');
    assert.equal(forecastSpace(space(3e9), [], NOW).level, 'urgent');
  });
});
