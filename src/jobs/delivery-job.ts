// The job `deliver`: brings everything that is due to one destination, and asks it to be responsible for it.

import type { Archive, InstanceLocation } from '../archive/archive.ts';
import type { Delivery, DeliveryStore, FailedDelivery, SentDelivery } from '../catalog/delivery-store.ts';
import { FAILURE_REASON } from '../dicom/storage-commitment.ts';
import { newUid } from '../dicom/uid.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { requestCommitment, type TakeReport } from '../scu/commitment-request.ts';
import { diagnose } from '../scu/diagnosis.ts';
import type { StoreItem } from '../scu/item-queue.ts';
import { sendItems } from '../scu/send.ts';
import { isLasting, isStored, statusText } from '../scu/store.ts';
import { JobFailure } from './job-failure.ts';
import { type Job, type JobContext, type JobKind, PRIORITY } from './job-kind.ts';
import { delayMs, FOR_EVER } from './retry-policy.ts';
import { provedItem } from './store-items.ts';

/** A destination as the configuration has it. */
export interface Destination extends PeerAddress {
  readonly report: 'new-association' | 'same-association';
}

export interface DeliverySite {
  readonly archive: Archive;
  readonly deliveries: DeliveryStore;
  /** Our AE title. */
  readonly aeTitle: () => string;
  readonly destinationOf: (aeTitle: string) => Destination | undefined;
  readonly takeReport: TakeReport;
  readonly now: () => Date;
}

/** One association's worth: after so many what was sent is written down. */
const BATCH = 200;
/** One transaction of storage commitment. */
const COMMITTED_AT_ONCE = 2000;
/** A report that has not come after this is asked for anew. */
export const PATIENCE_MS = 2 * 3_600_000;
const LEAST_PAUSE_MS = 1000;
const SAME_ASSOCIATION_MS = 30_000;

export function deliveryKind(site: DeliverySite): JobKind {
  return {
    kind: 'deliver',
    priority: PRIORITY.routine,
    retry: FOR_EVER,
    atOnce: 2,
    run: (job, context) => deliver(site, job, context),
  };
}

async function deliver(site: DeliverySite, job: Job, context: JobContext) {
  const { destination } = job.payload as { destination: string };
  const peer = site.destinationOf(destination);
  // What waits for a destination that was taken out of the configuration goes on when it comes back.
  if (peer === undefined) return undefined;
  const { deliveries, now } = site;
  const { due } = await deliveries.lag({ destination });
  let done = 0;
  context.progress(0, due);
  for (let batch: readonly Delivery[] = []; ; ) {
    for (let sent = 0; sent < COMMITTED_AT_ONCE; sent += batch.length) {
      batch = await deliveries.take({ destination, now: now().toISOString(), limit: BATCH });
      if (batch.length === 0) break;
      await sendBatch(site, peer, batch, context);
      done += batch.length;
      context.progress(done, Math.max(done, due));
      await context.giveWay();
    }
    await askCommitment(site, peer, context);
    if (batch.length === 0) break;
  }
  const nextAt = await deliveries.nextAt({ destination, patienceMs: PATIENCE_MS });
  if (nextAt === null) return undefined;
  return { againAt: new Date(Math.max(Date.parse(nextAt), now().getTime() + LEAST_PAUSE_MS)) };
}

async function sendBatch(
  { archive, deliveries, aeTitle, now }: DeliverySite,
  peer: Destination,
  batch: readonly Delivery[],
  { signal }: JobContext,
): Promise<void> {
  const held = new Map<string, InstanceLocation>();
  const sopInstanceUids = batch.map(({ sopInstanceUid }) => sopInstanceUid);
  for await (const page of archive.select({ sopInstanceUids })) {
    for (const instance of page) held.set(instance.sopInstanceUid, instance);
  }
  const gone = batch.filter(({ sopInstanceUid }) => !held.has(sopInstanceUid));
  if (gone.length > 0) await deliveries.drop({ ids: gone.map(({ id }) => id) });
  const open = new Map(batch.map((delivery) => [delivery.sopInstanceUid, delivery]));
  const instances = [...held.values()];
  const kinds = instances.map(({ sopClassUid, location }) => ({
    sopClassUid,
    transferSyntaxUid: location.transferSyntaxUid,
  }));
  const sent: SentDelivery[] = [];
  const failed: FailedDelivery[] = [];
  try {
    const sending = { peer, callingAeTitle: aeTitle(), signal };
    for await (const { item, status, error } of sendItems(sending, distinct(kinds), () =>
      items(archive, instances),
    )) {
      const delivery = open.get(item.sopInstanceUid);
      const sha256 = held.get(item.sopInstanceUid)?.location.sha256;
      if (delivery === undefined || sha256 === undefined) continue;
      const { id, sha256: was, attempts } = delivery;
      if (isStored(status)) sent.push({ id, was, sha256 });
      else {
        const words = error ?? `${peer.aeTitle} answered ${statusText(status)}`;
        const later = new Date(now().getTime() + delayMs(FOR_EVER, attempts + 1)).toISOString();
        failed.push({ id, was, error: words, readyAt: isLasting(status) ? undefined : later });
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new JobFailure(diagnose(error, peer, aeTitle()), { cause: error });
  } finally {
    // Also when the job was interrupted: what is there is there.
    if (sent.length > 0) await deliveries.sent({ deliveries: sent, now: now().toISOString() });
    if (failed.length > 0) await deliveries.failed({ deliveries: failed });
  }
  signal.throwIfAborted();
}

/** Where the peer has no storage commitment, what was sent stays `sent`. */
async function askCommitment(
  { deliveries, aeTitle, takeReport, now }: DeliverySite,
  peer: Destination,
  { signal }: JobContext,
): Promise<void> {
  const destination = peer.aeTitle;
  const askedBefore = new Date(now().getTime() - PATIENCE_MS).toISOString();
  await deliveries.release({ destination, askedBefore });
  for (;;) {
    const transactionUid = newUid();
    const assigned = await deliveries.assign({
      ...{ destination, transactionUid, now: now().toISOString(), limit: COMMITTED_AT_ONCE },
    });
    if (assigned.length === 0) return;
    const references = assigned.map(({ sopClassUid, sopInstanceUid, sha256 }) => ({
      ...{ sopClassUid, sopInstanceUid, sha256 },
    }));
    const waitMs = peer.report === 'same-association' ? SAME_ASSOCIATION_MS : 0;
    try {
      const request = { transactionUid, references };
      const asked = await requestCommitment(peer, aeTitle(), request, takeReport, waitMs, signal);
      if (asked === 'asked') continue;
    } catch (error) {
      await deliveries.release({ destination, transactionUid });
      signal.throwIfAborted();
      throw new JobFailure(diagnose(error, peer, aeTitle()), { cause: error });
    }
    await deliveries.release({ destination, transactionUid });
    return;
  }
}

/** What a destination reports, written down. */
export function reportTaker(deliveries: DeliveryStore, now: () => Date): TakeReport {
  return async (destination, { transactionUid, committed, failed }) => {
    const at = now();
    await deliveries.reported({
      ...{ destination, transactionUid, now: at.toISOString() },
      committed: committed.map(({ sopInstanceUid }) => sopInstanceUid),
      failed: failed.map(({ sopInstanceUid, reason }) => ({
        sopInstanceUid,
        error: `not committed: reason ${statusText(reason)}${WORDS.get(reason) ?? ''}`,
      })),
      readyAt: new Date(at.getTime() + FOR_EVER.longestMs).toISOString(),
    });
  };
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [FAILURE_REASON.processingFailure, ', it has other bytes or cannot read them'],
  [FAILURE_REASON.noSuchObjectInstance, ', it does not have it'],
]);

async function* items(archive: Archive, instances: readonly InstanceLocation[]): AsyncGenerator<StoreItem> {
  for (const instance of instances) yield provedItem(archive, instance);
}

function distinct<T extends object>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [Object.values(value).join(' '), value])).values()];
}
