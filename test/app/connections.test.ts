// The app and the machines around, in a real browser, beside the running program and foreign devices, in the order in
// which a department comes to know it: first start, devices, forwarding, activity, settings, account.
import { after, afterEach, before, describe } from 'node:test';
import { tellWhatPagesShowed } from '../support/browser.ts';
import { activityTests } from './activity.ts';
import { deviceTests } from './devices.ts';
import { firstStartTests } from './first-start.ts';
import { forwardingTests } from './forwarding.ts';
import { type Neighbours, startAmongNeighbours } from './neighbours.ts';
import { networkLossTests } from './network-loss.ts';
import type { Scene } from './scene.ts';
import { settingsTests } from './settings.ts';
import { signInTests } from './sign-in.ts';

describe('the app: the machines around', () => {
  const begun = new AsyncDisposableStack();
  let scene: Scene;
  let neighbours: Neighbours;
  const here = () => scene;

  before(async () => {
    [scene, neighbours] = await startAmongNeighbours(begun);
  });
  after(() => begun.disposeAsync());
  afterEach(tellWhatPagesShowed);

  firstStartTests(here);
  describe('with studies in it', () => {
    before(() => scene.fill());
    deviceTests(here, () => neighbours);
    networkLossTests(here);
    forwardingTests(here);
    activityTests(here);
    settingsTests(here);
    signInTests(here);
  });
});
