// What a page shows after somebody pressed something: for pictures to be looked at.
import { globSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppPage } from '../support/browser.ts';
import { fillDevice } from './first-start.ts';
import { someStudy } from './pages.ts';
import type { Scene } from './scene.ts';

type Prepare = (app: AppPage, study: string) => Promise<void>;

async function addDevice(app: AppPage): Promise<void> {
  await app.open('devices');
  await app.button('devices.add').click();
}

async function lastOfSettings(app: AppPage): Promise<void> {
  await app.open('settings');
  await app.page.getByText(app.say('settings.group.advanced')).click();
  await app.page.locator('#setting-log\\.level').scrollIntoViewIfNeeded();
}

export const STATES: Readonly<Record<string, Prepare>> = {
  'device-form': async (app) => {
    await addDevice(app);
    await app.page.getByLabel(app.say('devices.kind')).click();
    await app.page.getByTitle(app.say('preset.siemens'), { exact: true }).click();
  },
  'device-echo': async (app) => {
    await addDevice(app);
    await fillDevice(app, { aeTitle: 'ARTIS_LAB2', host: '127.0.0.1', port: 9 });
    await app.page
      .getByRole('dialog')
      .getByRole('button', { name: app.say('devices.echo') })
      .click();
    await app.text('echo.port-closed.do').waitFor();
  },
  'device-test': async (app) => {
    await app.open('devices');
    await app.button('devices.test').first().click();
    await app.page.locator('.step.passed').nth(1).waitFor();
  },
  'forwarding-form': async (app) => {
    await app.open('devices');
    await app.button('forwarding.add').click();
    await app.page.getByRole('dialog').waitFor();
  },
  'study-images': async (app, study) => {
    await app.open(`studies/${study}`);
    await app.button('study.showImages').first().click();
    await app.page.locator('.instance').first().waitFor();
  },
  'study-send': async (app, study) => {
    await app.open(`studies/${study}`);
    await app.button('send.do').first().click();
    await app.page.getByRole('dialog').waitFor();
  },
  'study-delete': async (app, study) => {
    await app.open(`studies/${study}`);
    await app.button('delete.do').click();
    await app.page.getByRole('dialog').waitFor();
  },
  'log-changes': async (app) => {
    await app.open('log');
    await app.page.getByText(app.say('log.changes'), { exact: true }).click();
    await app.page.locator('tbody tr').first().waitFor();
  },
  'settings-end': lastOfSettings,
  activity: (app) => app.open('activity'),
  trash: (app) => app.open('trash'),
  integrity: (app) => app.open('integrity'),
  overview: (app) => app.open(),
};

/** Something in the trash, tasks done, a file that is not as it was received, a machine that is no device. */
export async function makeTrouble(scene: Scene): Promise<void> {
  const { daemon, workstation } = scene;
  const study = await someStudy(scene);
  const answer = await fetch(`${daemon.httpUrl}/api/studies?q=P0000009`);
  const { items } = (await answer.json()) as { items: { studyUid: string }[] };
  await scene.post('/api/send', { to: workstation.aeTitle, studyUid: study });
  await fetch(`${daemon.httpUrl}/api/studies/${items[0]?.studyUid}`, {
    method: 'DELETE',
    headers: { 'X-AngioVault': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify({ reason: 'wrong patient' }),
  });
  const archive = join(daemon.dataDir, 'archive/studies');
  const [file = ''] = globSync('**/*.dcm', { cwd: archive });
  await appendFile(join(archive, file), 'x');
  await scene.post('/api/integrity/runs', undefined);
}

/** So that people have to sign in. */
export async function setAccount(scene: Scene): Promise<void> {
  await fetch(`${scene.daemon.httpUrl}/api/account`, {
    method: 'PUT',
    headers: { 'X-AngioVault': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify({ user: 'radiographer', password: 'a long enough password' }),
  });
}
