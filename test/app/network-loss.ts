// The network goes away while the app is being used: it says so, and goes on when the network is back.
import { describe, test } from 'node:test';
import type { AppPage } from '../support/browser.ts';
import { fillDevice } from './first-start.ts';
import type { Scene } from './scene.ts';

const SCRIPTS = '**/assets/*.js';
/** What the browser itself says of what it could not load. */
const LOST = /ERR_FAILED|ERR_INTERNET_DISCONNECTED|dynamically imported module/;

/** As if the time had passed that an animation waits. */
const endAnimations = (app: AppPage) =>
  app.page.evaluate('document.getAnimations().forEach((animation) => animation.finish())');

export function networkLossTests(here: () => Scene): void {
  describe('the network goes away', () => {
    test('before the app has come: the page says so in both languages, and loads it again', async () => {
      await using app = await here().open({ size: 'dsm' });
      const { page } = app;
      await page.route(SCRIPTS, (route) => route.abort());
      await app.goTo('devices');
      await endAnimations(app);
      await page.getByText('AngioVault has not arrived completely.').waitFor();
      await page.getByText('AngioVault 未能完整载入').waitFor();
      await page.unroute(SCRIPTS);
      await page.getByRole('link', { name: 'Load it again' }).click();
      await app.settled();
      await app.assertSound(LOST);
    });

    test('before a page has come: it says so, and can be loaded again', async () => {
      await using app = await here().open();
      const { page, say } = app;
      await app.open();
      await page.route(SCRIPTS, (route) => route.abort());
      await page.getByRole('link', { name: say('nav.devices') }).click();
      await app.text('problem.broken-do').waitFor();
      await page.unroute(SCRIPTS);
      await app.button('problem.reload').click();
      await page.getByRole('heading', { level: 1, name: say('nav.devices') }).waitFor();
      await app.assertSound(LOST);
    });

    test('while something is changed: the change fails in words, and works when it is back', async () => {
      await using app = await here().open({ language: 'zh-CN', size: 'phone' });
      const { page } = app;
      await app.open('devices');
      await app.button('devices.add').click();
      await fillDevice(app, { aeTitle: 'LATER', host: '192.0.2.9', port: 104 });
      await page.context().setOffline(true);
      await app.button('common.save').click();
      await app.text('problem.unreachable').waitFor();
      await page.context().setOffline(false);
      await app.button('common.save').click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.locator('.peer', { hasText: 'LATER' }).waitFor();
      await app.assertSound(LOST);
    });
  });
}
