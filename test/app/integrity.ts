// Integrity: a check by hand, what it finds, and what is done about it.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { appendFile, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Scene } from './scene.ts';

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
      await app.page.getByText(app.say('finding.kind.data-altered.title')).waitFor();
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
  });
}
