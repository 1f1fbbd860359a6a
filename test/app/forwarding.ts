// Forwarding: a rule is made in the app, counts for what comes next, and the overview says what was not confirmed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type AppLanguage, type AppPage, LANGUAGES } from '../support/browser.ts';
import { dcmsend } from '../support/foreign-peers.ts';
import {
  newUidRoot,
  syntheticInstance,
  syntheticStudy,
  writePart10,
} from '../support/synthetic-instances.ts';
import type { Scene } from './scene.ts';

const ANGIOGRAPHY = {
  ...{ sopClassUid: '1.2.840.10008.5.1.4.1.1.12.1', modality: 'XA' },
  ...{ rows: 8, columns: 8, frames: 1 },
};

const panel = (app: AppPage) => app.page.locator('.panel', { hasText: app.say('forwarding.title') });

/** Types into one of the lists that take anything; Enter takes the option that fits, or what was typed. */
async function choose(app: AppPage, label: string, value: string): Promise<void> {
  await app.page.getByLabel(app.say(label), { exact: true }).fill(value);
  await app.page.keyboard.press('Enter');
  await app.page.keyboard.press('Escape');
}

async function makeChangeAndDrop(scene: Scene, language: AppLanguage): Promise<void> {
  const { workstation, daemon, folder } = scene;
  const sender = `DSA_${language.slice(0, 2).toUpperCase()}`;
  await using app = await scene.open({ language, size: language === 'en' ? 'dsm' : 'phone' });
  const { page, say } = app;
  await app.open('devices');
  await app.text('forwarding.none').waitFor();
  await app.button('forwarding.add').click();
  const form = page.getByRole('dialog');
  await app.button('common.save').click();
  await form.getByText(say('devices.needed')).waitFor();
  await page.getByLabel(say('forwarding.to'), { exact: true }).click();
  await page.getByTitle(workstation.aeTitle, { exact: true }).click();
  const isCut = (input: { scrollWidth: number; clientWidth: number }) =>
    input.scrollWidth > input.clientWidth;
  const quiet = page.getByLabel(say('forwarding.quiet'), { exact: true });
  assert.equal(await quiet.evaluate(isCut), false, 'the seconds can be read');
  await form.getByText(say('forwarding.unit.instance')).click();
  await choose(app, 'forwarding.source', sender);
  await choose(app, 'forwarding.sopClass', say('sopClass.xa'));
  if (language === 'en') assert.deepEqual(await app.accessibilityFaults(), []);
  await app.button('common.save').click();
  const row = panel(app).locator('tbody tr');
  await row.getByText(workstation.aeTitle, { exact: true }).waitFor();
  await row.getByText(say('forwarding.is.sopClass', { list: say('sopClass.xa') })).waitFor();
  await app.assertSound();
  if (language !== 'en') assert.deepEqual(await app.accessibilityFaults(), []);

  // The rule is at work: DCMTK's storescp takes the instance and knows no storage commitment.
  const file = join(folder.path, `forwarded-${language}.dcm`);
  await writePart10(file, syntheticInstance(syntheticStudy(0, newUidRoot()), ANGIOGRAPHY, 1, 1));
  const sent = await dcmsend(daemon, [file], { callingAeTitle: sender });
  assert.equal(sent.code, 0, sent.stderr);
  const one = say(language === 'en' ? 'forwarding.sent_one' : 'forwarding.sent_other');
  await row.getByText(`1 ${one.trim()}`).waitFor();
  await app.open();
  await page.locator('.reasons').getByText(workstation.aeTitle).waitFor();

  await app.open('devices');
  await row.getByRole('button', { name: say('common.change') }).click();
  await page.getByLabel(say('forwarding.description')).fill('*coronary*');
  await app.button('common.save').click();
  await row.getByText(say('forwarding.is.description', { pattern: '*coronary*' })).waitFor();

  // Whoever removes the device first is told what stands in the way.
  const device = page.locator('.peer', { has: page.getByText(workstation.aeTitle, { exact: true }) });
  await device.getByRole('button', { name: say('common.more') }).click();
  await page.getByRole('menuitem', { name: say('devices.drop') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: say('devices.drop') })
    .click();
  await app.text('problem.peer-is-destination', { aeTitle: workstation.aeTitle }).waitFor();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: say('common.cancel') })
    .click();

  await row.getByRole('button', { name: say('devices.drop') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: say('devices.drop') })
    .click();
  await app.text('forwarding.none').waitFor();
  await app.assertSound(/409/);
}

export function forwardingTests(here: () => Scene): void {
  describe('forwarding', () => {
    for (const language of LANGUAGES) {
      test(`a rule is made, works, is changed and removed (${language})`, () =>
        makeChangeAndDrop(here(), language));
    }
  });
}
