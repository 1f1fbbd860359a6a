// An archive with its DICOM listener and its queue in this process, with a clock that the test sets.

import { DimseListener } from '../../src/dimse/listener.ts';
import { commitmentKind, type ReportPeer } from '../../src/jobs/commitment-job.ts';
import { Commitments } from '../../src/jobs/commitments.ts';
import { OpenReports } from '../../src/jobs/open-reports.ts';
import { Callers } from '../../src/scp/callers.ts';
import { admission, createServices } from '../../src/scp/services.ts';
import { startQueue, type TestQueue } from './job-queue.ts';
import { type OpenedArchive, openArchive } from './open-archive.ts';

const AE_TITLE = 'ANGIOVAULT';

export interface CommitmentSite extends TestQueue, AsyncDisposable {
  readonly opened: OpenedArchive;
  readonly port: number;
  /** May be changed while it runs. */
  readonly reportPeers: Map<string, ReportPeer>;
}

export async function openCommitmentSite(folder: string): Promise<CommitmentSite> {
  const stack = new AsyncDisposableStack();
  const opened = stack.use(await openArchive(folder));
  const { archive, catalog } = opened;
  const reportPeers = new Map<string, ReportPeer>();
  const open = new OpenReports();
  let now = () => new Date();
  const started = await startQueue(
    { after: (stop) => stack.defer(stop) },
    {
      store: catalog.jobs,
      kinds: [
        commitmentKind({
          ...{ archive, aeTitle: () => AE_TITLE, open, now: () => now() },
          reportPeerOf: (title) => reportPeers.get(title),
        }),
      ],
    },
  );
  now = started.now;
  const callers = new Callers([], 'all');
  const nothing = () => undefined;
  const listener = new DimseListener({
    ...{ host: '127.0.0.1', port: 0, maxAssociations: 10 },
    implementationClassUid: '1.2.3',
    implementationVersionName: 'TEST',
    admit: admission(callers),
    services: createServices({
      ...{ archive, callers, aeTitle: () => AE_TITLE },
      commitments: new Commitments(started.queue, open, now),
      characterSetsOf: nothing,
      observer: { subOperationFailed: nothing, destinationUnreachable: nothing },
    }),
  });
  stack.defer(() => listener.close(0));
  const { port } = await listener.listen();
  return {
    ...started,
    ...{ opened, port, reportPeers },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
