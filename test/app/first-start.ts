// An empty archive greets with three steps, and they can be taken.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type AppPage, openApp, textOf } from '../support/browser.ts';
import { startDaemon } from '../support/daemon.ts';
import type { PeerAddress } from '../support/foreign-peers.ts';
import type { Scene } from './scene.ts';

/** Fills in the form that is open. */
export async function fillDevice(app: AppPage, peer: PeerAddress): Promise<void> {
  const { page, say } = app;
  await page.getByLabel(say('devices.aeTitle')).fill(peer.aeTitle);
  await page.getByLabel(say('devices.host')).fill(peer.host);
  await page.getByLabel(say('devices.port'), { exact: true }).fill(String(peer.port));
}

async function takeThreeSteps(app: AppPage, workstation: PeerAddress, port: number): Promise<void> {
  const { page, say } = app;
  await app.open();
  await page.getByRole('heading', { name: say('welcome.title') }).waitFor();
  const card = page.locator('.address-card');
  assert.match(await textOf(card), new RegExp(`ANGIOVAULT[^]*${port}`));
  assert.equal(await app.button('devices.echo').isDisabled(), true, 'nothing to echo yet');
  await app.assertSound();
  assert.deepEqual(await app.accessibilityFaults(), []);

  await app.button('devices.add').click();
  await fillDevice(app, workstation);
  assert.deepEqual(await app.accessibilityFaults(), []);
  await app.button('common.save').click();
  await page.locator('.welcome-device').waitFor();

  await app.button('devices.echo').click();
  await app.text('echo.ok', { name: workstation.aeTitle }).waitFor();
  await app.assertSound();
  await app.button('welcome.done').click();
  await page.getByRole('heading', { level: 1, name: say('nav.overview') }).waitFor();
}

export function firstStartTests(here: () => Scene): void {
  describe('first start', () => {
    test('three steps in English: address, device, echo', async () => {
      const { daemon, workstation } = here();
      await using app = await here().open({ size: 'dsm' });
      await takeThreeSteps(app, workstation, daemon.port);
    });

    test('three steps in Chinese: address, device, echo', async () => {
      const { folder, workstation } = here();
      await using daemon = await startDaemon({ dataDir: join(folder.path, 'first-start') });
      await using app = await openApp(here().browser, daemon.httpUrl, {
        ...{ language: 'zh-CN', size: 'phone', dark: true },
      });
      await takeThreeSteps(app, workstation, daemon.port);
    });
  });
}
