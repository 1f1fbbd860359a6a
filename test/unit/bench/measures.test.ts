// Verdicts of the benchmark: who is how many times better, and whether that is enough.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isMet, type Measure, median, percentile, ratioTo } from '../../bench/measures.ts';
import { renderTable } from '../../bench/report.ts';

const THROUGHPUT: Measure = {
  part: 'ingest',
  name: 'ingest',
  unit: 'MB/s',
  better: 'higher',
  values: { ours: 300, orthanc: 100, storescp: 200 },
  required: { orthanc: 3, storescp: 1 },
};

describe('percentiles by nearest rank', () => {
  test('the median of an odd number of values is one of them', () => assert.equal(median([9, 1, 5]), 5));
  test('one slow answer in a hundred is not p99', () => {
    const times = [...Array.from({ length: 99 }, () => 1), 50];
    assert.equal(percentile(times, 99), 1);
    assert.equal(percentile(times, 100), 50);
  });
});

describe('verdicts', () => {
  test('more is better for throughput', () => assert.equal(ratioTo(THROUGHPUT, 'orthanc'), 3));
  test('less is better for time', () => {
    const time: Measure = { ...THROUGHPUT, better: 'lower', values: { ours: 2, orthanc: 80 } };
    assert.equal(ratioTo(time, 'orthanc'), 40);
  });
  test('every required ratio must hold', () => {
    assert.equal(isMet(THROUGHPUT), true);
    assert.equal(isMet({ ...THROUGHPUT, required: { orthanc: 3, storescp: 1.6 } }), false);
  });
  test('a limit binds our own value', () => {
    assert.equal(isMet({ ...THROUGHPUT, required: {}, limit: 300 }), true);
    assert.equal(isMet({ ...THROUGHPUT, required: {}, limit: 299 }), false);
  });
  test('what was not measured has no verdict', () => {
    assert.equal(isMet({ ...THROUGHPUT, values: { ours: 300 } }), undefined);
  });
  test('a miss is seen in the table', () => {
    assert.match(renderTable([{ ...THROUGHPUT, required: { orthanc: 4 } }]), /4× orthanc.*NOT MET/);
  });
});
