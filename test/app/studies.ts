// Studies: found while typing, looked at, sent, taken along, deleted and brought back, proved.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type AppPage, LANGUAGES, textOf } from '../support/browser.ts';
import type { Scene } from './scene.ts';

const FIRST_PAGE = 50;

async function search(app: AppPage, text: string): Promise<void> {
  await app.page.getByLabel(app.say('study.search'), { exact: true }).fill(text);
}

/** Opens the study that a search finds first. */
async function openStudy(app: AppPage, text: string): Promise<void> {
  await app.open('studies');
  await search(app, text);
  const row = app.page.locator('.study-line', { hasText: new RegExp(text, 'i') }).first();
  await row.click();
  await app.page.locator('.series').first().waitFor();
}

export function studyTests(here: () => Scene): void {
  describe('studies', () => {
    test('newest first, page by page', async () => {
      await using app = await here().open({ size: 'dsm' });
      await app.open('studies');
      const rows = app.page.locator('.study-line');
      await rows.first().waitFor();
      assert.equal(await rows.count(), FIRST_PAGE);
      await rows.last().scrollIntoViewIfNeeded();
      await rows.nth(FIRST_PAGE + 5).waitFor();
      await app.assertSound();
    });

    for (const [typed, found] of [
      ['小东', '王小东'],
      ['wxd', '王小东'],
      ['wang xiao', '王小东'],
      ['P0000007', 'P0000007'],
    ] as const) {
      test(`found while typing: ${typed}`, async () => {
        await using app = await here().open();
        await app.open('studies');
        await search(app, typed);
        await app.page.locator('.study-line').nth(9).waitFor({ state: 'detached' });
        assert.match(await textOf(app.page.locator('.study-line').first()), new RegExp(found));
      });
    }

    test('narrowed by modality and date; what is not there is said in words', async () => {
      await using app = await here().open({ language: 'zh-CN' });
      const { page, say } = app;
      await app.open('studies');
      await page.getByLabel(say('study.modality')).click();
      await page.getByTitle('XA', { exact: true }).click();
      await page.locator('.study-line').nth(9).waitFor({ state: 'detached' });
      await page.getByLabel(say('study.from')).fill('2090-01-01');
      await app.text('study.noneFound').waitFor();
      await app.assertSound();
    });

    test('a study shows its pictures, its images, and the years of its patient', async () => {
      await using app = await here().open();
      await openStudy(app, 'CompressedSamples');
      const picture = app.page.locator('img.thumbnail').first();
      await picture.scrollIntoViewIfNeeded();
      await app.page.evaluate('document.querySelector("img.thumbnail").decode()');
      await app.button('study.showImages').first().click();
      await app.page.locator('.instance').first().waitFor();
      assert.equal(await app.page.locator('.timeline a[aria-current]').count(), 1);
      await app.assertSound();
      assert.deepEqual(await app.accessibilityFaults(), []);
    });

    for (const language of LANGUAGES) {
      test(`sent to a device, with its progress (${language})`, async () => {
        const { folder, workstation } = here();
        await using app = await here().open({ language });
        const { page, say } = app;
        await openStudy(app, language === 'en' ? 'P0000003' : 'P0000004');
        const before = (await readdir(join(folder.path, 'workstation'))).length;
        await app.button('send.do').first().click();
        await page.getByRole('combobox', { name: say('send.to') }).click();
        await page.locator('.ant-select-item', { hasText: workstation.aeTitle }).click();
        await page
          .getByRole('dialog')
          .getByRole('button', { name: say('send.do') })
          .click();
        await app.text('send.done', { name: workstation.aeTitle }).waitFor();
        assert.equal((await readdir(join(folder.path, 'workstation'))).length, before + 1);
        await app.assertSound();
        assert.deepEqual(await app.accessibilityFaults(), []);
      });
    }

    test('downloaded as a media file set, and single files as they were received', async () => {
      await using app = await here().open();
      await openStudy(app, 'P0000005');
      const [zip] = await Promise.all([
        app.page.waitForEvent('download'),
        app.page.getByRole('link', { name: app.say('study.download'), exact: true }).click(),
      ]);
      const bytes = await readFile(await zip.path());
      assert.equal(bytes.subarray(0, 2).toString(), 'PK');
      assert.ok(bytes.includes('DICOMDIR'), 'with its directory (PS3.10 §8)');
      await app.button('study.showImages').click();
      const [file] = await Promise.all([
        app.page.waitForEvent('download'),
        app.page.locator('.instance a').click(),
      ]);
      assert.equal((await readFile(await file.path())).subarray(128, 132).toString(), 'DICM');
    });

    test('deleted with a reason, and brought back by a press', async () => {
      await using app = await here().open();
      const { page, say } = app;
      await openStudy(app, 'P0000008');
      await app.button('delete.do').click();
      await page.getByLabel(say('delete.reason')).fill('wrong patient');
      assert.deepEqual(await app.accessibilityFaults(), []);
      await page
        .getByRole('dialog')
        .getByRole('button', { name: say('delete.do') })
        .click();
      await app.button('delete.undo').click();
      await app.text('delete.undone').waitFor();
      await openStudy(app, 'P0000008');
      await app.assertSound();
    });

    test('deleted, and brought back from the trash', async () => {
      await using app = await here().open({ language: 'zh-CN', size: 'phone' });
      const { page, say } = app;
      await openStudy(app, 'P0000009');
      await app.button('delete.do').click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: say('delete.do') })
        .click();
      await app.button('delete.undo').waitFor();
      await app.open('trash');
      await page
        .locator('tr', { hasText: 'P0000009' })
        .filter({ hasText: say('common.thisMachine') })
        .first()
        .waitFor();
      assert.deepEqual(await app.accessibilityFaults(), []);
      await app.button('trash.restore').first().click();
      await app.text('delete.undone').waitFor();
      await app.text('trash.none').waitFor();
      await app.assertSound();
    });

    test('a protected patient cannot be deleted', async () => {
      await using app = await here().open();
      await openStudy(app, 'P0000010');
      await app.button('protect.do').click();
      await app.button('protect.release').waitFor();
      assert.equal(await app.button('delete.do').isDisabled(), true);
      await app.button('protect.release').click();
      await app.button('protect.do').waitFor();
    });

    for (const language of LANGUAGES) {
      test(`proof of integrity, on paper (${language})`, async () => {
        await using app = await here().open({ language });
        await openStudy(app, 'CompressedSamples');
        await app.page.getByRole('link', { name: app.say('proof.short'), exact: true }).click();
        const paper = app.page.locator('.paper');
        await paper.waitFor();
        assert.match(await textOf(paper), /[0-9a-f]{64}/);
        await app.assertSound();
        assert.deepEqual(await app.accessibilityFaults(), []);
        await app.page.emulateMedia({ media: 'print' });
        assert.equal(await app.page.locator('nav').isVisible(), false, 'only the proof is printed');
      });
    }
  });
}
