// The app and what is kept, in a real browser, beside the running program and real instances: found, looked at, sent,
// deleted, proved, checked; and every page in every size and language.
import { after, afterEach, before, describe } from 'node:test';
import { tellWhatPagesShowed } from '../support/browser.ts';
import { integrityTests } from './integrity.ts';
import { logTests } from './log.ts';
import { pageTests } from './pages.ts';
import { Scene } from './scene.ts';
import { studyTests } from './studies.ts';

describe('the app: what is kept', () => {
  let scene: Scene;
  const here = () => scene;

  before(async () => {
    scene = await Scene.start();
    await scene.fill();
  });
  after(() => scene[Symbol.asyncDispose]());
  afterEach(tellWhatPagesShowed);

  studyTests(here);
  integrityTests(here);
  pageTests(here);
  logTests(here);
});
