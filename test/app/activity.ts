// Activity: who is connected, and what the archive works on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VERIFICATION } from '../../src/dicom/sop-class.ts';
import { associate } from '../../src/scu/associate.ts';
import { LANGUAGES, textOf } from '../support/browser.ts';
import { someStudy } from './pages.ts';
import type { Scene } from './scene.ts';

export function activityTests(here: () => Scene): void {
  describe('activity', () => {
    for (const language of LANGUAGES) {
      test(`an open association is shown until it ends, and jobs with their state (${language})`, async () => {
        const { workstation } = here();
        await here().post('/api/send', { to: workstation.aeTitle, studyUid: await someStudy(here()) });
        await using app = await here().open({ language, size: 'dsm' });
        await app.open('activity');
        const { association } = await associate(here().daemon, 'CONNECTED', [
          { abstractSyntax: VERIFICATION, transferSyntaxes: ['1.2.840.10008.1.2'] },
        ]);
        const row = app.page.locator('tr', { hasText: 'CONNECTED' });
        await row.getByText(app.say('doing.idle')).waitFor();
        await association.release();
        await row.waitFor({ state: 'detached' });
        await app.page.getByText(app.say('jobs.kind.send'), { exact: true }).first().waitFor();
        await app.page.getByText(app.say('jobs.states.done'), { exact: true }).first().waitFor();
        await app.assertSound();
        assert.deepEqual(await app.accessibilityFaults(), []);
      });
    }

    test('a job whose device does not answer says what is in the way, in Chinese', async () => {
      const off = { aeTitle: 'SWITCHED_OFF', host: '127.0.0.1', port: 9 };
      await here().post('/api/peers', off);
      await here().post('/api/send', { to: off.aeTitle, studyUid: await someStudy(here()) });
      await using app = await here().open({ language: 'zh-CN', size: 'dsm' });
      await app.open('activity');
      const row = app.page.locator('tbody tr', { hasText: off.aeTitle });
      await row
        .getByText(app.say('echo.port-closed.what', { host: off.host, port: `${off.port}` }))
        .waitFor();
      assert.match(await textOf(row.locator('.details [lang=en]')), /nothing listens on port 9/);
      await row.getByRole('button', { name: app.say('common.cancel') }).click();
      await row.getByText(app.say('jobs.states.cancelled')).waitFor();
      await app.assertSound();
    });
  });
}
