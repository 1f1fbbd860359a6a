// Devices: added, changed, removed; what is wrong is said in plain words, for real causes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppPage, LANGUAGES, textOf } from '../support/browser.ts';
import { echoscu } from '../support/foreign-peers.ts';
import { echoCauseTests } from './echo-causes.ts';
import { fillDevice } from './first-start.ts';
import type { Neighbours } from './neighbours.ts';
import type { Scene } from './scene.ts';

/** The row of a device. */
const device = (app: AppPage, aeTitle: string) =>
  app.page.locator('.peer', { has: app.page.getByText(aeTitle, { exact: true }) });

export function deviceTests(here: () => Scene, around: () => Neighbours): void {
  describe('devices', () => {
    echoCauseTests(here, around);

    test('added with a preset, changed, and removed', async () => {
      await using app = await here().open({ size: 'phone' });
      const { page, say } = app;
      await app.open('devices');
      await app.button('devices.add').click();
      await page.getByLabel(say('devices.kind')).click();
      await page.getByTitle(say('preset.ge'), { exact: true }).click();
      await app.text('hint.ge-remote-host').waitFor();
      await fillDevice(app, { aeTitle: 'INNOVA', host: '192.0.2.7', port: 4006 });
      assert.deepEqual(await app.accessibilityFaults(), []);
      await app.button('common.save').click();
      await device(app, 'INNOVA').waitFor();

      await device(app, 'INNOVA')
        .getByRole('button', { name: say('common.more') })
        .click();
      await page.getByRole('menuitem', { name: say('common.change') }).click();
      await page.getByLabel(say('devices.host')).fill('192.0.2.8');
      await app.button('common.save').click();
      await device(app, 'INNOVA').getByText('192.0.2.8:4006').waitFor();

      await device(app, 'INNOVA')
        .getByRole('button', { name: say('common.more') })
        .click();
      await page.getByRole('menuitem', { name: say('devices.drop') }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: say('devices.drop') })
        .click();
      await device(app, 'INNOVA').waitFor({ state: 'detached' });
      await app.assertSound();
    });

    test('a title that is taken is refused in words', async () => {
      await using app = await here().open({ language: 'zh-CN' });
      await app.open('devices');
      await app.button('devices.add').click();
      await fillDevice(app, here().workstation);
      await app.button('common.save').click();
      await app.text('problem.peer-exists').waitFor();
      await app.assertSound(/409/);
    });

    test('a machine that knocked can be added', async () => {
      const { daemon } = here();
      const { stranger } = around();
      await echoscu({ ...daemon, host: stranger.address }, { callingAeTitle: 'KNOCKING' });
      await using app = await here().open();
      const { page, say } = app;
      await app.open('devices');
      const caller = page.locator('.caller', { hasText: 'KNOCKING' });
      await caller.getByRole('button', { name: say('callers.add') }).click();
      assert.equal(await page.getByLabel(say('devices.aeTitle')).inputValue(), 'KNOCKING');
      assert.equal(await page.getByLabel(say('devices.host')).inputValue(), stranger.address);
      await app.button('common.save').click();
      await device(app, 'KNOCKING').waitFor();
      await caller.waitFor({ state: 'detached' });
      await app.assertSound();
    });

    for (const language of LANGUAGES) {
      test(`full test of a device that does everything (${language})`, async () => {
        const { orthanc } = around();
        await using app = await here().open({ language });
        const { page, say } = app;
        await app.open('devices');
        if ((await device(app, 'ORTHANC').count()) === 0) {
          await app.button('devices.add').click();
          await fillDevice(app, orthanc);
          await app.button('common.save').click();
        }
        await device(app, 'ORTHANC')
          .getByRole('button', { name: say('devices.test') })
          .click();
        const steps = page.getByRole('dialog');
        await steps.getByText(say('test.state.passed', { name: 'ORTHANC' })).waitFor();
        assert.equal(await steps.locator('.step.passed').count(), await steps.locator('.step').count());
        assert.deepEqual(await app.accessibilityFaults(), []);
        await app.assertSound();
      });

      test(`full test: the first step that fails is explained (${language})`, async () => {
        const misspelt = { ...around().orthanc, aeTitle: 'ORTHANK' };
        await using app = await here().open({ language, size: 'dsm' });
        const { page, say } = app;
        await app.open('devices');
        if ((await device(app, misspelt.aeTitle).count()) === 0) {
          await app.button('devices.add').click();
          await fillDevice(app, misspelt);
          await app.button('common.save').click();
        }
        await device(app, misspelt.aeTitle)
          .getByRole('button', { name: say('devices.test') })
          .click();
        const steps = page.getByRole('dialog');
        await steps.getByText(say('test.state.failed', { name: misspelt.aeTitle })).waitFor();
        const why = await textOf(steps.locator('.step.failed').first());
        assert.ok(why.includes(say('echo.called-ae-unknown.what', { aeTitle: misspelt.aeTitle })), why);
        await steps.getByText(say('test.code.after-failure')).first().waitFor();
        await app.assertSound();
      });
    }
  });
}
