// What is wrong with a connection, in plain words: each of the nine causes, produced for real, in both languages.
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Acceptor } from '../../src/ul/acceptor.ts';
import { LANGUAGES } from '../support/browser.ts';
import { makeCertificate } from '../support/certificates.ts';
import { type PeerAddress, startOrthanc } from '../support/foreign-peers.ts';
import { listening } from '../support/listening-server.ts';
import { freePort } from '../support/running-process.ts';
import { fillDevice } from './first-start.ts';
import type { Neighbours } from './neighbours.ts';
import { Scene } from './scene.ts';

interface Cause {
  readonly code: string;
  readonly peer: PeerAddress;
}

const local = (aeTitle: string, port: number): PeerAddress => ({ aeTitle, host: '127.0.0.1', port });

/** A machine that speaks DICOM, and offers no Verification. */
async function mute(): Promise<{ port: number } & AsyncDisposable> {
  const acceptor = new Acceptor({
    ...{ host: '127.0.0.1', port: 0 },
    ...{ implementationClassUid: '2.25.1', implementationVersionName: 'TEST' },
    decide: () => ({ accept: true, supported: () => undefined }),
  });
  const { port } = await acceptor.listen();
  return { port, [Symbol.asyncDispose]: () => acceptor.close(0) };
}

async function causes(
  scene: Scene,
  { orthanc, hole }: Neighbours,
  begun: AsyncDisposableStack,
): Promise<Cause[]> {
  const { certificate: cert, privateKey: key } = await makeCertificate(scene.folder, 'secure-device');
  const web = begun.use(await Scene.webServer());
  const secure = begun.use(await listening(createTlsServer({ cert, key })));
  const noEcho = begun.use(await mute());
  const strict = begun.use(
    await startOrthanc({ configuration: { DicomAlwaysAllowEcho: false, DicomAlwaysAllowStore: false } }),
  );
  return [
    { code: 'name-not-resolved', peer: { aeTitle: 'LOST', host: 'no-such-machine.invalid', port: 104 } },
    { code: 'host-unreachable', peer: { aeTitle: 'ABSENT', host: hole.absentAddress, port: 104 } },
    { code: 'port-closed', peer: local('NOBODY', await freePort()) },
    { code: 'not-dicom', peer: local('WEB', web.port) },
    { code: 'called-ae-unknown', peer: { ...orthanc, aeTitle: 'ORTHANK' } },
    { code: 'calling-ae-refused', peer: strict },
    { code: 'no-presentation-context', peer: local('MUTE', noEcho.port) },
    { code: 'timed-out', peer: { aeTitle: 'SWALLOWED', host: hole.swallowedAddress, port: 104 } },
    { code: 'tls-mismatch', peer: local('SECURE', secure.port) },
  ];
}

export function echoCauseTests(here: () => Scene, around: () => Neighbours): void {
  test('echo: each of the nine causes is named, with what to do about it, in both languages', async () => {
    const scene = here();
    await using begun = new AsyncDisposableStack();
    const all = await causes(scene, around(), begun);
    // At the same time: one of them waits until it is too long for it.
    await Promise.all(
      LANGUAGES.map(async (language) => {
        await using app = await scene.open({ language, size: 'dsm' });
        await app.open('devices');
        await app.button('devices.add').click();
        const form = app.page.getByRole('dialog');
        for (const { code, peer } of all) {
          await fillDevice(app, peer);
          await form.getByRole('button', { name: app.say('devices.echo'), exact: true }).click();
          const values = { aeTitle: peer.aeTitle, host: peer.host, port: String(peer.port) };
          await form.getByText(app.say(`echo.${code}.what`, values)).waitFor();
          // The address of this archive is filled in between these.
          const [first = ''] = app.say(`echo.${code}.do`, { ...values, own: 'ANGIOVAULT' }).split(/[,，、]/);
          await form.getByText(first).waitFor();
        }
        await app.assertSound();
      }),
    );
  });
}
