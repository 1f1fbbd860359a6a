// Pictures of every page in every size and both languages, to be looked at: `npm run -s screenshots -- FOLDER`.
// A folder called `images` gets those of the operator's guide instead.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AppPage, LANGUAGES, SIZES } from '../support/browser.ts';
import { makeTrouble, STATES, setAccount } from './page-states.ts';
import { PAGES, someStudy, studyPages } from './pages.ts';
import { Scene } from './scene.ts';

const SETTLE_MS = 400;
const IS_LOADING = '[...document.images].some((image) => !image.complete)';

async function picture(app: AppPage, file: string): Promise<void> {
  // Thumbnails come after their page.
  for (let tries = 0; tries < 200 && (await app.page.evaluate(IS_LOADING)); tries++)
    await app.page.waitForTimeout(50);
  await app.page.waitForTimeout(SETTLE_MS);
  await app.page.screenshot({ path: `${file}.png`, animations: 'disabled' });
}

const nameOf = (path: string) =>
  path === '' ? 'overview' : path.replace(/^studies\/[\d.]+/, 'study').replace('/', '-');

const folder = process.argv[2];
if (folder === undefined) throw new Error('Where to? npm run -s screenshots -- FOLDER');
const forDocs = folder.endsWith('images');
await mkdir(folder, { recursive: true });
await using scene = await Scene.start();
const sizes = forDocs ? (['dsm'] as const) : (Object.keys(SIZES) as (keyof typeof SIZES)[]);
for (const filled of [false, true]) {
  if (filled) await scene.fill();
  const inside = filled ? await studyPages(scene) : [];
  const all = filled ? [...PAGES, ...inside] : [''];
  const chosen = filled ? ['', 'devices', ...inside.slice(0, 1)] : [''];
  for (const language of LANGUAGES) {
    for (const size of sizes) {
      await using app = await scene.open({ language, size, dark: !forDocs && size === 'phone' });
      for (const path of forDocs ? chosen : all) {
        const name = filled ? nameOf(path) : 'first-start';
        await app.open(path);
        await picture(app, join(folder, forDocs ? `${name}-${language}` : `${name}-${size}-${language}`));
      }
    }
  }
}
if (!forDocs) {
  await makeTrouble(scene);
  const study = await someStudy(scene);
  for (const language of LANGUAGES) {
    for (const size of sizes) {
      await using app = await scene.open({ language, size, dark: size === 'phone' });
      for (const [name, prepare] of Object.entries(STATES)) {
        // Whatever was opened last is gone with its page.
        await app.open('more');
        await prepare(app, study);
        await picture(app, join(folder, `then-${name}-${size}-${language}`));
      }
    }
  }
  // From now on nothing else is shown to somebody who has not signed in.
  await setAccount(scene);
  for (const language of LANGUAGES) {
    for (const size of sizes) {
      await using app = await scene.open({ language, size, dark: size === 'phone' });
      await app.goTo('');
      await app.button('login.enter').waitFor();
      await picture(app, join(folder, `sign-in-${size}-${language}`));
      await app.button('login.enter').click();
      await app.text('login.needed').first().waitFor();
      await picture(app, join(folder, `then-sign-in-${size}-${language}`));
    }
  }
}
