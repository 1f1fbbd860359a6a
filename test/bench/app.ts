// How soon the app can be used: a browser that has never been here, from the address to the first page.
import { buildApp } from '../support/app-build.ts';
import { openApp, startBrowser } from '../support/browser.ts';
import { startDaemon } from '../support/daemon.ts';
import type { BenchContext } from './contestants.ts';
import { type Measure, median } from './measures.ts';

const ROUNDS = 7;
const INTERACTIVE_MS = 1500;

export async function measureApp(part: string, context: BenchContext): Promise<Measure[]> {
  // Before the daemon, which reads the app's files when it starts.
  buildApp();
  const daemon = await startDaemon({ dataDir: context.folder });
  const browser = await startBrowser();
  const waited: number[] = [];
  const worked: number[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      await using app = await openApp(browser, daemon.httpUrl, { size: 'dsm' });
      const devtools = await app.page.context().newCDPSession(app.page);
      await devtools.send('Performance.enable');
      await app.open();
      // Since the navigation began.
      const ms = await app.page.evaluate<number>('performance.now()');
      const { metrics } = await devtools.send('Performance.getMetrics');
      const busy = 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
      // In the first round the daemon compresses its files, once.
      if (round > 0) {
        waited.push(ms);
        worked.push(busy);
      }
      context.log(`${part} round ${round}: ${ms.toFixed(0)} ms, the page busy for ${busy.toFixed(0)} ms`);
    }
  } finally {
    await browser.close();
    await daemon.stop();
  }
  const row = { part, unit: 'ms', better: 'lower' } as const;
  return [
    {
      ...row,
      name: 'app, from the address to the first usable page',
      values: { ours: median(waited) },
      limit: INTERACTIVE_MS,
    },
    { ...row, name: 'app, work of the page until then', values: { ours: median(worked) } },
  ];
}
