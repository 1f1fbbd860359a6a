// Every page in both languages and looks: nothing untranslated, no error, no foreign request, no serious finding of axe.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppLanguage, LANGUAGES, openApp, SIZES } from '../support/browser.ts';
import type { Scene } from './scene.ts';

export const PAGES = ['', 'studies', 'trash', 'devices', 'activity', 'integrity', 'log', 'settings', 'more'];

/** An angiography of the archive. */
export async function someStudy(scene: Scene): Promise<string> {
  const answer = await fetch(`${scene.daemon.httpUrl}/api/studies?patientId=&modality=XA&limit=1`);
  const { items } = (await answer.json()) as { items: { studyUid: string }[] };
  const [first] = items;
  assert.ok(first !== undefined, 'the archive holds an angiography');
  return first.studyUid;
}

/** A study, and its proof. */
export async function studyPages(scene: Scene): Promise<string[]> {
  const uid = await someStudy(scene);
  return [`studies/${uid}`, `studies/${uid}/proof`];
}

export function pageTests(here: () => Scene): void {
  describe('pages', () => {
    for (const language of LANGUAGES) {
      for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
        test(`${language}, ${size}: every page is sound`, () => everyPage(here(), language, size));
      }
    }
  });

  test('the keyboard reaches the navigation, and goes where it says', async () => {
    await using app = await here().open();
    await app.open();
    await app.page.keyboard.press('Tab');
    await app.page.keyboard.press('Tab');
    await app.page.keyboard.press('Tab');
    await app.page.keyboard.press('Enter');
    await app.page.getByRole('heading', { level: 1, name: app.say('nav.studies') }).waitFor();
  });

  test('first load: at most 700 KB compressed', async () => {
    const { browser, daemon } = here();
    await using app = await openApp(browser, daemon.httpUrl);
    let bytes = 0;
    const devtools = await app.page.context().newCDPSession(app.page);
    await devtools.send('Network.enable');
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await app.open();
    assert.ok(bytes > 100_000 && bytes <= 700_000, `${bytes} bytes`);
  });
}

async function everyPage(scene: Scene, language: AppLanguage, size: keyof typeof SIZES): Promise<void> {
  // The three sizes see both looks: light on the desktop, dark on the phone.
  await using app = await scene.open({ language, size, dark: size === 'phone' });
  const isWatched = language === 'en' ? size === 'dsm' : size === 'phone';
  for (const path of [...PAGES, ...(await studyPages(scene))]) {
    await app.open(path);
    await app.assertSound();
    // axe takes longer than all else: light in English, dark in Chinese.
    if (isWatched) assert.deepEqual(await app.accessibilityFaults(), [], `#/${path}`);
  }
}
