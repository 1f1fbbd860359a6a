// An archive with its DICOM listener and its queue in this process, with a clock that the test sets. Nothing
// wakes the jobs of destinations but the test.

import { DimseListener } from '../../src/dimse/listener.ts';
import { commitmentKind, type ReportPeer } from '../../src/jobs/commitment-job.ts';
import { Commitments } from '../../src/jobs/commitments.ts';
import { deliveryKind, reportTaker } from '../../src/jobs/delivery-job.ts';
import { fillKind } from '../../src/jobs/fill-job.ts';
import { Forwarding, type ForwardingSettings } from '../../src/jobs/forwarding.ts';
import { routesOf } from '../../src/jobs/forwarding-rules.ts';
import { OpenReports } from '../../src/jobs/open-reports.ts';
import { Callers } from '../../src/scp/callers.ts';
import { ExpectedInstances } from '../../src/scp/expected-instances.ts';
import { admission, createServices } from '../../src/scp/services.ts';
import { startQueue, type TestQueue } from './job-queue.ts';
import { type OpenedArchive, openArchive } from './open-archive.ts';

export interface CommitmentSite extends TestQueue, AsyncDisposable {
  readonly opened: OpenedArchive;
  readonly forwarding: Forwarding;
  readonly port: number;
  /** By AE title: who gets reports, and instances. May be changed while it runs. */
  readonly reportPeers: Map<string, ReportPeer>;
  readonly callers: Callers;
  readonly expected: ExpectedInstances;
  /** Abstract syntaxes that are not offered. May be changed while it runs. */
  readonly notOffered: Set<string>;
}

export async function openCommitmentSite(
  folder: string,
  {
    aeTitle: title = 'ANGIOVAULT',
    rules = [],
    archives = [],
  }: Partial<ForwardingSettings & { aeTitle: string }> = {},
): Promise<CommitmentSite> {
  const stack = new AsyncDisposableStack();
  let clock = () => new Date();
  const now = () => clock();
  const aeTitle = () => title;
  const opened = stack.use(
    await openArchive(folder, now, undefined, (record) => routesOf(record, rules, archives)),
  );
  const { archive, catalog } = opened;
  const { deliveries } = catalog;
  const reportPeers = new Map<string, ReportPeer>();
  const open = new OpenReports();
  const takeReport = reportTaker(deliveries, now);
  const peerOf = (title: string) => reportPeers.get(title);
  const started = await startQueue(
    { after: (stop) => stack.defer(stop) },
    {
      store: catalog.jobs,
      kinds: [
        commitmentKind({ archive, aeTitle, open, now, reportPeerOf: peerOf }),
        deliveryKind({ archive, deliveries, aeTitle, takeReport, now, destinationOf: peerOf }),
        fillKind({ deliveries, now, isArchive: () => true, onAdded: () => undefined }),
      ],
    },
  );
  clock = started.now;
  const forwarding = new Forwarding({
    ...{ queue: started.queue, deliveries, settings: () => ({ rules, archives }) },
    onFault: (error) => {
      throw error;
    },
  });
  stack.defer(() => forwarding.stop());
  const callers = new Callers([], 'all');
  const nothing = () => undefined;
  const admit = admission(callers);
  const notOffered = new Set<string>();
  const expected = new ExpectedInstances();
  const listener = new DimseListener({
    ...{ host: '127.0.0.1', port: 0, maxAssociations: 10 },
    implementationClassUid: '1.2.3',
    implementationVersionName: 'TEST',
    admit: (request) => {
      const admitted = admit(request);
      if (admitted === undefined) return undefined;
      const { supported, ...rest } = admitted;
      return { ...rest, supported: (uid) => (notOffered.has(uid) ? undefined : supported(uid)) };
    },
    services: createServices({
      ...{ archive, callers, aeTitle, takeReport },
      expected,
      commitments: new Commitments(started.queue, open, now),
      characterSetsOf: nothing,
      observer: { subOperationFailed: nothing, destinationUnreachable: nothing },
    }),
  });
  stack.defer(() => listener.close(0));
  const { port } = await listener.listen();
  return {
    ...started,
    ...{ opened, forwarding, port, reportPeers, callers, expected, notOffered },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
