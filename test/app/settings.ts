// Settings: changed and checked, saved as a file, the card for the machines, language and look.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { Scene } from './scene.ts';

export function settingsTests(here: () => Scene): void {
  describe('settings', () => {
    test('the AE title is changed, counts at once, and stands on the card', async () => {
      await using app = await here().open();
      const { page, say } = app;
      await app.open('settings');
      const title = page.locator('#setting-aeTitle');
      await title.fill('CATHLAB');
      await page
        .locator('.save-bar')
        .getByRole('button', { name: say('common.save') })
        .click();
      await page.locator('.address-card', { hasText: 'CATHLAB' }).waitFor();
      await title.fill('ANGIOVAULT');
      await page
        .locator('.save-bar')
        .getByRole('button', { name: say('common.save') })
        .click();
      await page.locator('.address-card', { hasText: 'ANGIOVAULT' }).waitFor();
      await page.getByText(say('settings.group.advanced')).click();
      await page.locator('#setting-log\\.level').waitFor();
      assert.deepEqual(await app.accessibilityFaults(), []);
      await app.assertSound();
    });

    test('a value that cannot be is refused beside its field, and nothing changes', async () => {
      await using app = await here().open({ language: 'zh-CN', size: 'dsm' });
      const { page, say } = app;
      await app.open('settings');
      await page.locator('#setting-aeTitle').fill('MUCH TOO LONG FOR A TITLE');
      await page
        .locator('.save-bar')
        .getByRole('button', { name: say('common.save') })
        .click();
      await page.locator('.settings-form .ant-form-item-has-error').getByText(say('fault.aeTitle')).waitFor();
      await app.text('problem.invalid').waitFor();
      await app.assertSound(/422/);
      await app.button('settings.undo').click();
      assert.equal(await page.locator('#setting-aeTitle').inputValue(), 'ANGIOVAULT');
    });

    test('what counts after the next start is named as in the settings', async () => {
      const { daemon } = here();
      for (const [language, title] of [
        ['en', 'Keep the trash for days'],
        ['zh-CN', '回收站保留天数'],
      ] as const) {
        await fetch(`${daemon.httpUrl}/api/config`, {
          method: 'PATCH',
          headers: { 'X-AngioVault': '1', 'Content-Type': 'application/json' },
          body: JSON.stringify({ trash: { days: language === 'en' ? 31 : 32 } }),
        });
        await using app = await here().open({ language });
        await app.open();
        await app.text('notice.restart-needed', { settings: title }).waitFor();
        await app.assertSound();
      }
    });

    test('the settings as a file, and back', async () => {
      await using app = await here().open();
      const { page, say } = app;
      await app.open('settings');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: say('backup.save') }).click(),
      ]);
      const file = await download.path();
      assert.equal((JSON.parse(await readFile(file, 'utf8')) as { aeTitle: string }).aeTitle, 'ANGIOVAULT');
      await page.locator('input[type=file]').setInputFiles(file);
      await app.page.getByText(say('settings.applied.now')).waitFor();
      await app.assertSound();
    });

    test('language and look change at once, and stay', async () => {
      await using app = await here().open({ size: 'dsm' });
      const { page } = app;
      await app.open();
      await page.getByRole('button', { name: '简体中文' }).click();
      await page.getByRole('heading', { level: 1, name: '概览' }).waitFor();
      await page.getByRole('button', { name: '外观：自动' }).click();
      await page.getByRole('button', { name: '外观：浅色' }).click();
      assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
      await page.reload();
      await page.getByRole('heading', { level: 1, name: '概览' }).waitFor();
      assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
      await app.assertSound();
    });
  });
}
