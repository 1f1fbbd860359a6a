// What the tests of a file share: one browser, one daemon with real instances, and a workstation.
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { buildApp } from '../support/app-build.ts';
import { type AppPage, type AppPageOptions, AppPages, startBrowser } from '../support/browser.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { dcmsend, type ForeignScp, startStorescp } from '../support/foreign-peers.ts';
import { samplePath } from '../support/samples.ts';
import {
  newUidRoot,
  SHAPES,
  syntheticInstance,
  syntheticStudy,
  writePart10,
} from '../support/synthetic-instances.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

/** Angiographies of several makers and codecs, a CT, and names in Chinese characters. */
const SENT = [
  'angio/catheter-12f-jpeg-lossless.dcm',
  'angio/ge-innova-phantom-cine-IM7.dcm',
  'angio/nema-XA1_UNC.dcm',
  'angio/philips-alluraxper-cerebral-1024-10bit-j2k.dcm',
  'charsets/chrX1.dcm',
  'charsets/chrX2.dcm',
  'objects/CT_small.dcm',
];
/** More than one page of the study list. */
const SYNTHETIC_STUDIES = 60;

export class Scene implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly browser: Browser;
  readonly daemon: Daemon;
  readonly workstation: ForeignScp;

  readonly #begun: AsyncDisposableStack;
  readonly #pages = new AppPages();

  private constructor(
    begun: AsyncDisposableStack,
    folder: TempFolder,
    browser: Browser,
    daemon: Daemon,
    workstation: ForeignScp,
  ) {
    this.#begun = begun;
    this.folder = folder;
    this.browser = browser;
    this.daemon = daemon;
    this.workstation = workstation;
  }

  static async start(): Promise<Scene> {
    // Before the daemon, which reads the app's files when it starts.
    buildApp();
    await using begun = new AsyncDisposableStack();
    const folder = begun.use(await tempFolder('app'));
    const daemon = begun.use(await startDaemon({ dataDir: join(folder.path, 'data') }));
    const workstation = begun.use(
      await startStorescp(join(folder.path, 'workstation'), { aeTitle: 'WORKSTATION', args: ['+xa'] }),
    );
    const browser = begun.use(await startBrowser());
    return new Scene(begun.move(), folder, browser, daemon, workstation);
  }

  open(options?: AppPageOptions): Promise<AppPage> {
    return this.#pages.open(this.browser, this.daemon.httpUrl, options);
  }

  /** What the app itself would ask for, to prepare what a test looks at. */
  post(path: string, body: unknown): Promise<Response> {
    return fetch(`${this.daemon.httpUrl}${path}`, {
      method: 'POST',
      headers: { 'X-AngioVault': '1', 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Real instances and made-up studies, sent as a DSA system sends them. */
  async fill(): Promise<void> {
    const made = join(this.folder.path, 'made');
    const root = newUidRoot();
    await mkdir(made);
    const files = Array.from({ length: SYNTHETIC_STUDIES }, (_, index) => join(made, `${index}.dcm`));
    for (const [index, file] of files.entries()) {
      await writePart10(file, syntheticInstance(syntheticStudy(index, root), SHAPES.tiny, 1, 1));
    }
    const { code, stderr } = await dcmsend(this.daemon, [...SENT.map(samplePath), ...files], {
      callingAeTitle: 'ARTIS_DSA',
      // Some of them have a UID that DCMTK would rather not send.
      args: ['--no-uid-checks'],
    });
    const { aeTitle, host, port } = this.workstation;
    await this.post('/api/peers', { aeTitle, host, port });
    if (code !== 0) throw new Error(`dcmsend ended with ${code}: ${stderr}`);
  }

  /** A program on a port that is no DICOM port. */
  static async webServer(): Promise<{ port: number } & Disposable> {
    const server = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: (server.address() as AddressInfo).port,
      [Symbol.dispose]: () => {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#begun.disposeAsync();
  }
}
