// Never better than the truth: what each fact does to the level.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SafetyFacts, safetyOf } from '../../../src/http/safety.ts';

const NOW = new Date('2026-05-10T12:00:00Z');
const GOOD: SafetyFacts = {
  instances: 100,
  lastCheckAt: new Date('2026-05-09T02:00:00Z'),
  openFindings: 0,
  acceptedFindings: 0,
  space: 'ok',
  freeBytes: 1e12,
  pendingInstances: 0,
};

const cases: [string, Partial<SafetyFacts>, string, string[]][] = [
  ['everything read again and sound', {}, 'safe', ['all-verified']],
  ['nothing received yet', { instances: 0, lastCheckAt: undefined }, 'safe', ['empty']],
  ['never checked', { lastCheckAt: undefined }, 'unknown', ['never-verified']],
  ['checked long ago', { lastCheckAt: new Date('2026-03-01') }, 'attention', ['verification-old']],
  ['a finding', { openFindings: 2 }, 'danger', ['open-findings']],
  [
    'a finding before the first whole check',
    { openFindings: 1, lastCheckAt: undefined },
    'danger',
    ['open-findings', 'never-verified'],
  ],
  ['a loss that somebody accepted', { acceptedFindings: 1 }, 'attention', ['accepted-findings']],
  ['little space', { space: 'warning' }, 'attention', ['all-verified', 'space-low']],
  ['no space', { space: 'full' }, 'danger', ['space-full', 'all-verified']],
  [
    'behind with the second archive',
    { lagging: { aeTitle: 'B', count: 3 } },
    'attention',
    ['all-verified', 'second-archive-lagging'],
  ],
  [
    'a workstation that has not confirmed what it got',
    { uncommitted: [{ aeTitle: 'FLAT', count: 3 }] },
    'safe',
    ['all-verified', 'uncommitted'],
  ],
  ['on the way into the catalogue', { pendingInstances: 3 }, 'safe', ['all-verified', 'pending']],
  [
    'unknown outweighs attention',
    { lastCheckAt: undefined, space: 'warning' },
    'unknown',
    ['never-verified', 'space-low'],
  ],
];

for (const [words, facts, level, codes] of cases) {
  test(`${words}: ${level}`, () => {
    const found = safetyOf({ ...GOOD, ...facts }, NOW);
    assert.equal(found.level, level);
    assert.deepEqual(
      found.reasons.map(({ code }) => code),
      codes,
    );
  });
}
