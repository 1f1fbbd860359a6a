// Log: what the program wrote, narrowed; and who changed what.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LANGUAGES, textOf } from '../support/browser.ts';
import type { Scene } from './scene.ts';

export function logTests(here: () => Scene): void {
  describe('log', () => {
    for (const language of LANGUAGES) {
      test(`lines, searched and by level; changes (${language})`, async () => {
        await using app = await here().open({ language, size: 'dsm' });
        const { page, say } = app;
        await app.open('log');
        const rows = page.locator('tbody tr');
        await rows.first().waitFor();
        await page.getByLabel(say('log.search')).fill('ARTIS_DSA');
        await rows.filter({ hasNotText: 'ARTIS_DSA' }).first().waitFor({ state: 'detached' });
        assert.ok((await rows.count()) > 0);
        await page.getByLabel(say('log.search')).fill('no line holds this');
        await app.text('log.none').waitFor();
        await page.getByText(say('log.changes'), { exact: true }).click();
        await page.getByText(say('log.action.peer-added')).first().waitFor();
        const check = rows.filter({ hasText: say('log.action.integrity-run') }).first();
        const words = `${say('log.action.integrity-run')}${say('log.target.archive')}`;
        // Full-width punctuation is followed by no blank.
        assert.ok((await textOf(check)).replaceAll(' ', '').endsWith(words.replaceAll(' ', '')));
        await app.assertSound();
        assert.deepEqual(await app.accessibilityFaults(), []);
      });
    }
  });
}
