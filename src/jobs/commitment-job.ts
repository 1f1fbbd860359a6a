// The job `commitment`: proves every instance that a peer wants to delete on its side, and tells the peer
// (Storage Commitment SCP, PS3.4 Annex J).

import type { Archive, InstanceLocation } from '../archive/archive.ts';
import { ArchiveError } from '../archive/errors.ts';
import {
  type CommitmentReport,
  FAILURE_REASON,
  type FailedReference,
  type InstanceReference,
} from '../dicom/storage-commitment.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { reportCommitment } from '../scu/commitment-report.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { messageOf } from '../util/errors.ts';
import { JobFailure } from './job-failure.ts';
import { type Job, type JobContext, type JobKind, PRIORITY } from './job-kind.ts';
import type { OpenReports } from './open-reports.ts';
import { FOR_A_WEEK } from './retry-policy.ts';

/** Where, and how, a peer wants its reports. */
export interface ReportPeer extends PeerAddress {
  readonly report: 'new-association' | 'same-association';
}

export interface CommitmentSite {
  readonly archive: Archive;
  /** Our AE title, which may be changed while the program runs. */
  readonly aeTitle: () => string;
  readonly reportPeerOf: (aeTitle: string) => ReportPeer | undefined;
  readonly open: OpenReports;
  readonly now: () => Date;
}

export interface CommitmentPayload {
  readonly peer: string;
  readonly transactionUid: string;
  /** "class instance" or "class instance sha256": lists are long. */
  readonly instances: readonly string[];
  /** The transaction was pending when another one came under its UID: this one. */
  readonly isDuplicate?: boolean;
  readonly [key: string]: string | boolean | readonly string[] | undefined;
}

/** "number of the instance: reason", so that a report which is sent again needs no reading again for a day, but of what
 *  has changed. */
interface Proved {
  readonly at: string;
  readonly failed: readonly (readonly [number, number])[];
  readonly [key: string]: string | readonly (readonly [number, number])[];
}

const PROVED_MS = 24 * 3_600_000;
const SELECT_INSTANCES = 200;

export function commitmentKind(site: CommitmentSite): JobKind {
  return {
    kind: 'commitment',
    priority: PRIORITY.promised,
    retry: FOR_A_WEEK,
    atOnce: 2,
    run: async (job, context) => {
      await deliver(site, job, await prove(site, job, context), context);
      return undefined;
    },
  };
}

export function packReference({ sopClassUid, sopInstanceUid, sha256 }: InstanceReference): string {
  return [sopClassUid, sopInstanceUid, ...(sha256 === undefined ? [] : [sha256])].join(' ');
}

function unpackReference(text: string): InstanceReference {
  const [sopClassUid = '', sopInstanceUid = '', sha256] = text.split(' ');
  return { sopClassUid, sopInstanceUid, ...(sha256 === undefined ? {} : { sha256 }) };
}

async function prove(site: CommitmentSite, job: Job, context: JobContext): Promise<CommitmentReport> {
  const { transactionUid, instances, isDuplicate } = job.payload as CommitmentPayload;
  const references = instances.map(unpackReference);
  const failures =
    isDuplicate === true
      ? references.map((_, index) => [index, FAILURE_REASON.duplicateTransactionUid] as const)
      : await failuresOf(site, references, job, context);
  const reasons = new Map(failures);
  const failed: FailedReference[] = [];
  const committed: InstanceReference[] = [];
  for (const [index, reference] of references.entries()) {
    const reason = reasons.get(index);
    if (reason === undefined) committed.push(reference);
    else failed.push({ ...reference, reason });
  }
  const isCompared = references.some(({ sha256 }) => sha256 !== undefined);
  return { transactionUid, committed, failed, isCompared };
}

async function failuresOf(
  { archive, now }: CommitmentSite,
  references: readonly InstanceReference[],
  job: Job,
  context: JobContext,
): Promise<Proved['failed']> {
  const last = job.checkpoint as Proved | null;
  const isFresh = last !== null && now().getTime() - Date.parse(last.at) < PROVED_MS;
  const before = isFresh ? last : undefined;
  const known = new Map(before?.failed);
  const at = before?.at ?? now().toISOString();
  const failed: [number, number][] = [];
  for (let start = 0; start < references.length; start += SELECT_INSTANCES) {
    const part = references.slice(start, start + SELECT_INSTANCES);
    const held = await heldOf(archive, part);
    for (const [index, reference] of part.entries()) {
      const instance = held.get(reference.sopInstanceUid);
      const isKnown = before !== undefined && (await isUnchanged(archive, instance, before.at));
      const reason =
        known.get(start + index) ?? (isKnown ? undefined : await failureOf(archive, reference, instance));
      if (reason !== undefined) failed.push([start + index, reason]);
      context.progress(start + index + 1, references.length);
      await context.giveWay();
    }
  }
  await context.checkpoint({ at, failed } satisfies Proved);
  return failed;
}

/** Whether what was read at that time is the content that is current, and its file is there as a whole: between two
 *  attempts to report somebody may have deleted it. */
async function isUnchanged(
  archive: Archive,
  instance: InstanceLocation | undefined,
  provedAt: string,
): Promise<boolean> {
  if (instance === undefined || instance.location.receivedAt > provedAt) return false;
  try {
    (await archive.openInstance(instance)).close();
    return true;
  } catch (error) {
    if (error instanceof ArchiveError) return false;
    throw error;
  }
}

async function heldOf(
  archive: Archive,
  references: readonly InstanceReference[],
): Promise<Map<string, InstanceLocation>> {
  const held = new Map<string, InstanceLocation>();
  const sopInstanceUids = references.map(({ sopInstanceUid }) => sopInstanceUid);
  for await (const page of archive.select({ sopInstanceUids })) {
    for (const instance of page) held.set(instance.sopInstanceUid, instance);
  }
  return held;
}

/** Failure Reason (PS3.3 §C.14.1.1), or undefined for an instance that is safe here. */
async function failureOf(
  archive: Archive,
  reference: InstanceReference,
  instance: InstanceLocation | undefined,
): Promise<number | undefined> {
  if (instance === undefined) return FAILURE_REASON.noSuchObjectInstance;
  if (instance.sopClassUid !== reference.sopClassUid) return FAILURE_REASON.classInstanceConflict;
  const { sha256 } = instance.location;
  if (reference.sha256 !== undefined && reference.sha256 !== sha256) return FAILURE_REASON.processingFailure;
  switch (await archive.prove(instance)) {
    case 'intact':
      return undefined;
    case 'missing':
      return FAILURE_REASON.noSuchObjectInstance;
    case 'damaged': {
      // Other content may have taken its place while it was read.
      const again = (await heldOf(archive, [reference])).get(reference.sopInstanceUid);
      const isReplaced = again !== undefined && again.location.sha256 !== sha256;
      return isReplaced ? failureOf(archive, reference, again) : FAILURE_REASON.processingFailure;
    }
  }
}

/** Over the association on which the peer asked, where it is open and the peer wants it so, else over a new one. */
async function deliver(
  { aeTitle: ownAeTitle, reportPeerOf, open }: CommitmentSite,
  { key, payload }: Job,
  report: CommitmentReport,
  { signal }: JobContext,
): Promise<void> {
  const title = (payload as CommitmentPayload).peer;
  const aeTitle = ownAeTitle();
  const peer = reportPeerOf(title);
  const over = peer?.report === 'new-association' ? undefined : open.find(key);
  let why = 'the association on which it asked is over';
  if (over !== undefined) {
    try {
      await over(report);
      return;
    } catch (error) {
      why = messageOf(error);
    }
  }
  signal.throwIfAborted();
  if (peer === undefined) {
    throw new JobFailure(
      `${title} waits for the report of a storage commitment and is not in the list of peers, so nobody knows ` +
        `where to report to (${why}): enter ${title} with its address and the port on which it takes reports.`,
    );
  }
  try {
    await reportCommitment(peer, aeTitle, report, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new JobFailure(diagnose(error, peer, aeTitle), { cause: error });
  }
}
