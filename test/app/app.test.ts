// The app in a real browser, beside the running program, real instances and foreign devices. One browser for all:
// the tests stand in the files imported here, in the order in which a department comes to know the app.
import { after, afterEach, before, describe } from 'node:test';
import { tellWhatPagesShowed } from '../support/browser.ts';
import { activityTests } from './activity.ts';
import { deviceTests } from './devices.ts';
import { firstStartTests } from './first-start.ts';
import { forwardingTests } from './forwarding.ts';
import { integrityTests } from './integrity.ts';
import { logTests } from './log.ts';
import { networkLossTests } from './network-loss.ts';
import { pageTests } from './pages.ts';
import { Scene } from './scene.ts';
import { settingsTests } from './settings.ts';
import { signInTests } from './sign-in.ts';
import { studyTests } from './studies.ts';

describe('the app', () => {
  let scene: Scene;
  const here = () => scene;

  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene[Symbol.asyncDispose]());
  afterEach(tellWhatPagesShowed);

  firstStartTests(here);
  describe('with studies in it', () => {
    before(() => scene.fill());
    studyTests(here);
    deviceTests(here);
    networkLossTests(here);
    forwardingTests(here);
    activityTests(here);
    integrityTests(here);
    pageTests(here);
    logTests(here);
    settingsTests(here);
    signInTests(here);
  });
});
