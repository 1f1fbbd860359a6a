// Integrity: a check by hand, what it finds, and what is done about it.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { appendFile, copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type AppPage, textOf } from '../support/browser.ts';
import type { Scene } from './scene.ts';

/** The row of a finding of this kind. */
const finding = (app: AppPage, kind: string) =>
  app.page.locator('tbody tr', { hasText: app.say(`finding.kind.${kind}.title`) });

export function integrityTests(here: () => Scene): void {
  describe('integrity', () => {
    test('a check by hand ends in the history, and the overview says that all is safe', async () => {
      await using app = await here().open({ size: 'dsm' });
      await app.open('integrity');
      await app.button('integrity.runNow').click();
      await app.page.getByText(app.say('integrity.clean')).first().waitFor();
      await app.assertSound();
      await app.open();
      await app.text('safety.level.safe').waitFor();
      await app.assertSound();
    });

    test('a file that was altered is found, explained, and read again when it is right again', async () => {
      const { daemon } = here();
      await using app = await here().open({ language: 'zh-CN' });
      const [file = ''] = globSync('**/*.dcm', { cwd: join(daemon.dataDir, 'archive/studies') });
      const path = join(daemon.dataDir, 'archive/studies', file);
      await copyFile(path, `${daemon.dataDir}/kept`);
      await appendFile(path, 'x');
      await app.open('integrity');
      await app.button('integrity.runNow').click();
      const row = finding(app, 'data-altered');
      await row.getByText(app.say('finding.kind.data-altered.text')).waitFor();
      const details = row.locator('.details');
      assert.match(await textOf(details), /^\p{Script=Han}+：/u);
      assert.match(await textOf(details.locator('[lang=en]')), /^it has \d+ bytes, \d+ were stored$/);
      await app.assertSound();
      assert.deepEqual(await app.accessibilityFaults(), []);
      await app.open();
      await app.text('safety.level.danger').waitFor();
      await copyFile(`${daemon.dataDir}/kept`, path);
      await app.open('integrity');
      await app.button('finding.action.re-read.title').click();
      await app.text('finding.none').waitFor();
      await app.assertSound();
    });

    test('a file that is gone is explained without English, and an action that does not help says so', async () => {
      const { daemon } = here();
      await using app = await here().open({ language: 'zh-CN', size: 'dsm' });
      const studies = join(daemon.dataDir, 'archive/studies');
      const [file = ''] = globSync('**/*.dcm', { cwd: studies });
      await rename(join(studies, file), `${daemon.dataDir}/elsewhere`);
      await app.open('integrity');
      await app.button('integrity.runNow').click();
      const row = finding(app, 'missing');
      await row.getByText(app.say('finding.kind.missing.text')).waitFor();
      assert.equal(await row.locator('[lang=en]').count(), 0);
      assert.equal(await app.button('finding.action.restore-second-archive.title').count(), 0);
      await app.button('finding.action.re-read.title').click();
      await app.text('finding.stillOpen').waitFor();
      await rename(`${daemon.dataDir}/elsewhere`, join(studies, file));
      await app.button('finding.action.re-read.title').click();
      await app.text('finding.none').waitFor();
      await app.assertSound();
    });
  });
}
