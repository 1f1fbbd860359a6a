// Versions are compared as DSM does: number by number, whatever stands between them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../../../src/dsm/version.ts';

const ORDER = [
  '0.1.0-0001',
  '0.1.0-0002',
  '0.1.0-0010',
  '0.1.1',
  '0.1.1-0001',
  '0.2.0-0001',
  '0.10.0-0001',
  '1.0',
  '10.0',
];

test('every version is older than those behind it, and as old as itself', () => {
  for (const [at, older] of ORDER.entries()) {
    assert.equal(compareVersions(older, older), 0);
    for (const newer of ORDER.slice(at + 1)) {
      assert.ok(compareVersions(older, newer) < 0, `${older} < ${newer}`);
      assert.ok(compareVersions(newer, older) > 0, `${newer} > ${older}`);
    }
  }
});

test('a build number that is missing is no build', () =>
  assert.equal(compareVersions('1.0', '1.0.0-0000'), 0));
