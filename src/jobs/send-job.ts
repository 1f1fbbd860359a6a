// The job `send`: instances of the archive to a peer, because somebody asked for it.

import type { Archive, SelectKeys } from '../archive/archive.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { sendItems } from '../scu/send.ts';
import { isLasting, isStored } from '../scu/store.ts';
import { codeOf } from '../util/errors.ts';
import { JobFailure } from './job-failure.ts';
import { type Job, type JobContext, type JobKind, PRIORITY } from './job-kind.ts';
import { FOR_A_DAY } from './retry-policy.ts';
import { provedItem, storeItems, survey } from './store-items.ts';

export interface SendSite {
  readonly archive: Archive;
  /** Our AE title, which may be changed while the program runs. */
  readonly aeTitle: () => string;
  readonly peerOf: (aeTitle: string) => PeerAddress | undefined;
}

/** `send`: what `payload` selects goes to the peer `destination`. */
export interface SendPayload {
  readonly destination: string;
  readonly studyUids?: readonly string[];
  readonly seriesUids?: readonly string[];
  readonly sopInstanceUids?: readonly string[];
  readonly [key: string]: string | readonly string[] | undefined;
}

/** More are not remembered: then everything is sent again. */
const MAX_REMEMBERED = 2000;

export function sendKind(site: SendSite): JobKind {
  return {
    kind: 'send',
    priority: PRIORITY.asked,
    retry: FOR_A_DAY,
    atOnce: 2,
    run: (job, context) => send(site, job, context),
  };
}

async function send(
  { archive, aeTitle: ownAeTitle, peerOf }: SendSite,
  job: Job,
  context: JobContext,
): Promise<undefined> {
  const { destination, ...asked } = job.payload as SendPayload;
  const aeTitle = ownAeTitle();
  const peer = peerOf(destination);
  if (peer === undefined) {
    throw new JobFailure(`${destination} is not in the list of peers any more; enter it, then try again.`, {
      isFinal: true,
    });
  }
  const unsent = job.checkpoint as readonly string[] | null;
  const selection: SelectKeys = unsent === null ? asked : { sopInstanceUids: unsent };
  const { total, kinds } = await survey(archive, selection);
  if (total === 0) throw new JobFailure('The archive holds none of these instances.', { isFinal: true });
  const before = unsent === null ? 0 : Math.max(0, job.total - total);
  let done = before;
  const failed: { uid: string; isFinal: boolean; words: string }[] = [];
  context.progress(done, before + total);
  const sending = { peer, callingAeTitle: aeTitle, signal: context.signal };
  try {
    for await (const { item, status, error } of sendItems(sending, kinds, () =>
      storeItems(archive, selection, provedItem),
    )) {
      if (isStored(status)) done += 1;
      else {
        const words = `${item.sopInstanceUid}: ${error ?? `the peer answered 0x${status.toString(16)}`}`;
        failed.push({ uid: item.sopInstanceUid, isFinal: isLasting(status), words });
      }
      context.progress(done, before + total);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (codeOf(error)?.startsWith('ul-') !== true) throw error;
    throw new JobFailure(diagnose(error, peer, aeTitle), { cause: error });
  }
  context.signal.throwIfAborted();
  if (failed.length === 0) return;
  const [first] = failed as [(typeof failed)[number]];
  if (failed.length <= MAX_REMEMBERED) await context.checkpoint(failed.map(({ uid }) => uid));
  throw new JobFailure(`${failed.length} of ${total} instances were not sent. ${first.words}`, {
    isFinal: failed.every(({ isFinal }) => isFinal),
  });
}
