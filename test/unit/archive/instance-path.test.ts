// Where instances lie: from validated UIDs and a possible Study Date, never outside.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveError } from '../../../src/archive/errors.ts';
import { instancePath, supersededPath } from '../../../src/archive/instance-path.ts';

const uids = { studyUid: '1.2.3', seriesUid: '1.2.3.4', sopInstanceUid: '1.2.3.4.5' };

describe('instance path', () => {
  const dates: [string | undefined, string][] = [
    ['20260228', '2026/02'],
    ['1994.10.16', '1994/10'],
    ['20240229', '2024/02'],
    ['20250229', 'undated'],
    ['20261301', 'undated'],
    ['00000101', 'undated'],
    ['2026022', 'undated'],
    ['2026/02/28', 'undated'],
    ['../../etc', 'undated'],
    ['', 'undated'],
    [undefined, 'undated'],
  ];
  for (const [date, folder] of dates) {
    test(`Study Date ${date ?? 'missing'} lies in ${folder}`, () => {
      assert.equal(instancePath(uids, date), `studies/${folder}/1.2.3/1.2.3.4/1.2.3.4.5.dcm`);
    });
  }

  for (const hostile of ['..', '../1.2', '1..2', '.1', '1.', '', '1.2/3', '1.2\0', '1'.repeat(65), '1.2.x']) {
    test(`the UID ${JSON.stringify(hostile).slice(0, 20)} is refused wherever it stands (PS3.5 §9.1)`, () => {
      for (const key of ['studyUid', 'seriesUid', 'sopInstanceUid'] as const) {
        assert.throws(() => instancePath({ ...uids, [key]: hostile }, '20260228'), ArchiveError);
      }
    });
  }

  test('no three strings make a path with other parts than theirs', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (study, series, instance, date) => {
        let path: string;
        try {
          path = instancePath({ studyUid: study, seriesUid: series, sopInstanceUid: instance }, date);
        } catch (error) {
          assert.ok(error instanceof ArchiveError);
          return;
        }
        assert.match(path, /^studies\/(\d{4}\/\d{2}|undated)\/[\d.]+\/[\d.]+\/[\d.]+\.dcm$/);
      }),
    );
  });

  test('older contents of one UID keep apart by time and hash', () => {
    const older = supersededPath(uids, '2026-02-28T10:11:12.345Z', 'ab'.repeat(32));
    assert.equal(older, 'superseded/1.2.3/1.2.3.4/1.2.3.4.5.20260228101112345.abababababababab.dcm');
  });
});
