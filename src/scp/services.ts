// The services this archive provides, in one registry, and who is let in.

import type { Archive } from '../archive/archive.ts';
import { STORAGE_COMMITMENT_PUSH_MODEL, VERIFICATION } from '../dicom/sop-class.ts';
import { CommandField } from '../dimse/commands.ts';
import type { ListenerOptions } from '../dimse/listener.ts';
import { type ServiceObserver, ServiceRegistry } from '../dimse/service-registry.ts';
import type { Commitments } from '../jobs/commitments.ts';
import { reportService, type TakeReport } from '../scu/commitment-request.ts';
import type { Callers } from './callers.ts';
import { commitmentScp } from './commitment-scp.ts';
import type { ExpectedInstances } from './expected-instances.ts';
import { getScp } from './get-scp.ts';
import { moveScp } from './move-scp.ts';
import { extendedNegotiation, supportedContexts } from './negotiation-policy.ts';
import { FIND_MODELS, GET_MODELS, MOVE_MODELS } from './query-models.ts';
import { queryScp } from './query-scp.ts';
import type { RetrieveObserver } from './retrieve-observer.ts';
import { storageScp } from './storage-scp.ts';
import { verificationScp } from './verification-scp.ts';

export interface ServicesOptions {
  readonly archive: Archive;
  readonly callers: Callers;
  /** Our AE title, which may be changed while the program runs. */
  readonly aeTitle: () => string;
  readonly characterSetsOf: (callingAeTitle: string) => readonly string[] | undefined;
  readonly observer: RetrieveObserver;
  readonly commitments: Commitments;
  /** Made up by this program, in the test of a peer. */
  readonly expected: ExpectedInstances;
  /** Of every request. */
  readonly onRequest?: ServiceObserver;
  /** Reports of archives that we asked for commitment. */
  readonly takeReport: TakeReport;
}

export function createServices(options: ServicesOptions): ServiceRegistry {
  const { archive, observer, commitments, aeTitle, takeReport } = options;
  const isCommitment = (uid: string) => uid === STORAGE_COMMITMENT_PUSH_MODEL;
  const isOther = (uid: string) =>
    uid !== VERIFICATION &&
    !isCommitment(uid) &&
    !FIND_MODELS.has(uid) &&
    !MOVE_MODELS.has(uid) &&
    !GET_MODELS.has(uid);
  return new ServiceRegistry(options.onRequest)
    .add(CommandField.cEchoRq, (uid) => uid === VERIFICATION, verificationScp)
    .add(CommandField.cStoreRq, isOther, storageScp(archive, options.expected))
    .add(CommandField.cFindRq, (uid) => FIND_MODELS.has(uid), queryScp(options))
    .add(CommandField.cMoveRq, (uid) => MOVE_MODELS.has(uid), moveScp(options))
    .add(CommandField.cGetRq, (uid) => GET_MODELS.has(uid), getScp(archive, observer))
    .add(CommandField.nActionRq, isCommitment, commitmentScp(commitments, aeTitle))
    .add(CommandField.nEventReportRq, isCommitment, reportService(takeReport));
}

/** Whether and for what an association is accepted. Deviation (PS3.8 §9.3.4): any called AE title is answered,
 *  because a mistyped one still reached this address and port, and a refused run may be lost for good. */
export function admission(callers: Callers): ListenerOptions['admit'] {
  return (request) => {
    const caller = callers.admit(request.callingAeTitle, request.remoteAddress);
    if (caller === 'refused') return undefined;
    return { supported: supportedContexts(request.receives, caller), extendedNegotiation };
  };
}
