// When the requestor of a retrieval hears how far it is (PS3.4 C.4.2.3, C.4.3.3).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResponseFields } from '../../../src/dimse/service-registry.ts';
import { Status } from '../../../src/dimse/status.ts';
import { SubOperations } from '../../../src/scp/sub-operations.ts';

const RESULT = {
  item: {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: '1.2.3',
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    canConvert: () => false,
    open: () => Promise.reject(new Error('never opened')),
  },
  status: Status.success,
};

/** Counts on a clock of its own, and what they reported. */
function counting(total: number) {
  const reports: ResponseFields[] = [];
  const clock = { ms: 1000 };
  const counts = new SubOperations(total, () => clock.ms);
  const step = async (ms: number, status: number = Status.success) => {
    clock.ms += ms;
    counts.add({ ...RESULT, status });
    await counts.report({ pending: async (fields) => void reports.push(fields) });
  };
  return { reports, step };
}

describe('Pending responses of a retrieval', () => {
  test('the first sub-operation is told at once', async () => {
    const { reports, step } = counting(400);
    await step(0);
    assert.deepEqual(reports, [
      {
        status: Status.pending,
        numberOfRemainingSubOperations: 399,
        numberOfCompletedSubOperations: 1,
        numberOfFailedSubOperations: 0,
        numberOfWarningSubOperations: 0,
      },
    ]);
  });

  test('fast ones are told ten times a second, with the counts of that moment', async () => {
    const { reports, step } = counting(1000);
    for (let nth = 0; nth < 1000; nth += 1) await step(1);
    assert.deepEqual(
      reports.map((report) => report.numberOfCompletedSubOperations),
      [1, 101, 201, 301, 401, 501, 601, 701, 801, 901],
    );
  });

  test('slow ones are told each', async () => {
    const { reports, step } = counting(5);
    for (let nth = 0; nth < 5; nth += 1)
      await step(100, nth === 2 ? Status.processingFailure : Status.success);
    assert.deepEqual(
      reports.map((report) => [report.numberOfRemainingSubOperations, report.numberOfFailedSubOperations]),
      [
        [4, 0],
        [3, 0],
        [2, 1],
        [1, 1],
        [0, 1],
      ],
    );
  });
});
