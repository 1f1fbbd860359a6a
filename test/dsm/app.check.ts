// The way of somebody who has just unpacked the NAS, in a real browser: five steps from the installation to the first
// study, in the desktop's window; then an upgrade and an uninstallation. Takes the guide's pictures on the way when
// ANGIOVAULT_PICTURES names a folder for them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Browser, chromium, type FrameLocator, type Page } from 'playwright-core';
import { storeOnce } from '../support/archive-state.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { startStorescp } from '../support/foreign-peers.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { addressOf, makeNas, type Nas, NEW, OLD, packageOf, UPGRADE } from './support.ts';
import { DsmWeb } from './web.ts';

const WORDS = join(import.meta.dirname, '..', '..', 'ui', 'src', 'i18n');
const PATIENCE_MS = 60_000;
/** DSM's names of languages, and the app's. */
const LANGUAGES = { enu: 'en', chs: 'zh-CN' } as const;

type Say = (key: string) => string;

function wordsOf(language: string): Say {
  const all = JSON.parse(readFileSync(join(WORDS, `${language}.json`), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  return (key) => {
    const [group = '', word = ''] = key.split('.');
    return all[group]?.[word] ?? assert.fail(`the app has no words for ${key}`);
  };
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.ANGIOVAULT_PICTURES;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Logs in to DSM, opens AngioVault from the desktop. */
async function openWindow(
  browser: Browser,
  web: DsmWeb,
  user: string,
  language: string,
): Promise<{ page: Page; app: FrameLocator; faults: string[] }> {
  // The browser's own language is another one: the app follows the desktop's.
  const context = await browser.newContext({
    viewport: { width: 1360, height: 840 },
    locale: 'de-DE',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== web.url) faults.push(`asked ${request.url()}`);
  });
  await page.goto(`${web.url}/login?user=${user}`);
  await page.goto(`${web.url}/?lang=${language}`);
  await page.locator('#app').click();
  return { page, app: page.frameLocator('iframe'), faults };
}

async function addDevice(
  app: FrameLocator,
  say: Say,
  peer: { aeTitle: string; host: string; port: number },
): Promise<void> {
  await app.getByRole('button', { name: say('devices.add'), exact: true }).click();
  await app.getByLabel(say('devices.aeTitle')).fill(peer.aeTitle);
  await app.getByLabel(say('devices.host')).fill(peer.host);
  await app.getByLabel(say('devices.port'), { exact: true }).fill(`${peer.port}`);
  await app.getByRole('button', { name: say('common.save'), exact: true }).click();
}

async function installed(language: string): Promise<{ nas: Nas; web: DsmWeb }> {
  const nas = await makeNas();
  nas.machine.addUser('admin', 1024, 100, ['administrators']);
  nas.machine.addUser('nurse', 1026, 100);
  const outcome = await nas.center.install(packageOf(OLD), { wizard: nas.wizard, language });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
  return { nas, web: await DsmWeb.start(nas.machine) };
}

for (const [dsmLanguage, language] of Object.entries(LANGUAGES)) {
  describe(`desktop in ${dsmLanguage}`, () => {
    test('install, open the window, add a device, echo, receive, upgrade, uninstall', async () => {
      const say = wordsOf(language);
      const { nas, web } = await installed(dsmLanguage);
      await using _nas = nas;
      await using _web = web;
      await using folder = await tempFolder('workstation');
      await using workstation = await startStorescp(folder.path);
      const browser = await chromium.launch({
        executablePath: '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
      });
      try {
        const { page, app, faults } = await openWindow(browser, web, 'admin', dsmLanguage);
        await app.getByRole('heading', { name: say('welcome.title') }).waitFor();
        await app.getByText('VAULT', { exact: true }).first().waitFor();
        await picture(page, `welcome-${language}`);

        await addDevice(app, say, workstation);
        await app.locator('.welcome-device').waitFor();
        await app.getByRole('button', { name: say('devices.echo'), exact: true }).click();
        await app
          .getByText(say('echo.ok').replace(/\{\{.*?\}\}.*/, ''))
          .or(app.getByText(workstation.aeTitle))
          .first()
          .waitFor();
        await picture(page, `echo-${language}`);
        await app.getByRole('button', { name: say('welcome.done'), exact: true }).click();

        // The list is open when the study comes: it appears by itself.
        await app
          .getByRole('link', { name: say('nav.studies') })
          .first()
          .click();
        await app.getByRole('heading', { level: 1, name: say('nav.studies') }).waitFor();
        assert.equal(await storeOnce(addressOf(nas), madeInstance({ patientName: 'ZHANG^FIRST' })), 0);
        await app.getByText(/ZHANG/).first().waitFor();
        await picture(page, `studies-${language}`);

        const upgraded = await nas.center.install(packageOf(NEW), { wizard: UPGRADE, language: dsmLanguage });
        assert.equal(upgraded.stage, 'installed_and_started', upgraded.message);
        await page.reload();
        await page.locator('#app').click();
        await app
          .getByRole('link', { name: say('nav.studies') })
          .first()
          .click();
        await app.getByText(/ZHANG/).first().waitFor();
        assert.deepEqual(faults, []);

        assert.equal((await nas.center.uninstall({ language: dsmLanguage })).success, true);
        assert.equal((await fetch(`${web.url}/webman/3rdparty/AngioVault/index.html`)).status, 404);
      } finally {
        await browser.close();
      }
    });
  });
}

test('an ordinary user of the NAS sees nothing but why', async () => {
  const { nas, web } = await installed('enu');
  await using _nas = nas;
  await using _web = web;
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  try {
    assert.equal(await storeOnce(addressOf(nas), madeInstance({ patientName: 'SECRET^NAME' })), 0);
    const { page, app } = await openWindow(browser, web, 'nurse', 'enu');
    await app
      .locator('body')
      .getByText(/administrator|log in/i)
      .first()
      .waitFor();
    assert.equal((await app.locator('body').textContent())?.includes('SECRET'), false);
    await picture(page, 'refused-en');
  } finally {
    await browser.close();
  }
});
