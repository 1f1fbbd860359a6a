// Days and times as hospitals write them, in both languages.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFor } from '../../../ui/src/format.ts';

const AT = new Date(2026, 10, 8, 23, 5, 9).toISOString();

describe('times of the app', () => {
  for (const [language, day, instant, second] of [
    ['en', 'Nov 8, 2026', 'Nov 8, 2026, 23:05', 'Nov 8, 2026, 23:05:09'],
    ['zh-CN', '2026/11/08', '2026/11/08 23:05', '2026/11/08 23:05:09'],
  ] as const) {
    test(`have the hours from 0 to 23 (${language})`, () => {
      const format = formatFor(language);
      assert.equal(format.day('20261108'), day);
      assert.equal(format.instant(AT), instant);
      assert.equal(format.second(AT), second);
    });
  }
});
