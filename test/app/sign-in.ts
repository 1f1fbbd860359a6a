// The administrator's account: set in the settings, asked for from then on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Scene } from './scene.ts';

const USER = 'radiographer';
const PASSWORD = 'a long enough password';

export function signInTests(here: () => Scene): void {
  describe('signing in', () => {
    test('a password set in the settings is asked for from then on', async () => {
      await using app = await here().open();
      const { page, say } = app;
      await app.open('settings');
      await page.getByLabel(say('login.user')).fill(USER);
      await page.getByLabel(say('account.new')).fill(PASSWORD);
      await page
        .locator('.panel', { hasText: say('account.title') })
        .getByRole('button', { name: say('common.save') })
        .click();
      await app.text('account.saved').waitFor();
    });

    test('a wrong password is refused in words, the right one lets in, and out again', async () => {
      await using app = await here().open({ language: 'zh-CN', size: 'phone' });
      const { page, say } = app;
      await app.open();
      await page.getByLabel(say('login.user')).fill(USER);
      await page.getByLabel(say('login.password')).fill('not this one');
      assert.deepEqual(await app.accessibilityFaults(), []);
      await app.button('login.enter').click();
      await app.text('problem.wrong-password').waitFor();
      await page.getByLabel(say('login.password')).fill(PASSWORD);
      await app.button('login.enter').click();
      await page.getByRole('heading', { level: 1, name: say('nav.overview') }).waitFor();
      await app.open('more');
      await page
        .getByRole('main')
        .getByRole('button', { name: say('login.leave') })
        .click();
      await app.text('login.lead').waitFor();
      await app.assertSound(/40[13]/);
    });
  });
}
