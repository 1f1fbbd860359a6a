// The steps of a peer's full test: echo, and a made-up run that is sent there, found, fetched back and committed.

import type { Peer as ConfiguredPeer } from '../config/schema.ts';
import { readDataSet } from '../dicom/data-set-reader.ts';
import { PIXEL_DATA } from '../dicom/tag.ts';
import { newUid } from '../dicom/uid.ts';
import { DimseError } from '../dimse/errors.ts';
import { isWarning, Status, statusText } from '../dimse/status.ts';
import type { StepOutcome, Steps } from '../http/peer-tests.ts';
import type { ExpectedInstances, ReturnedInstance } from '../scp/expected-instances.ts';
import { diagnosisOf } from '../scu/diagnosis.ts';
import { findStudy, moveStudy } from '../scu/query-retrieve.ts';
import { sendItems } from '../scu/send.ts';
import { echoForApp } from './echo-peer.ts';
import type { Reached } from './secure-transport.ts';
import type { TestReports } from './test-reports.ts';
import { type TestStudy, testStudy } from './test-study.ts';

type Peer = Reached<ConfiguredPeer>;

const TIMES = { connectMs: 5000, artimMs: 10_000 };
/** An archive that files what it gets in the background may need a moment until it finds it. */
const FIND_TRIES = 5;
const FIND_PAUSE_MS = 500;
const STEP_MS = 60_000;
const REPORT_MS = 30_000;

const PASSED: StepOutcome = { state: 'passed' };

export interface PeerTestSite {
  readonly aeTitle: () => string;
  readonly expected: ExpectedInstances;
  readonly reports: TestReports;
  /** Whether the archive holds anything of the study. */
  readonly holds: (studyUid: string) => Promise<boolean>;
}

export function stepsFor(peer: Peer, site: PeerTestSite): Steps {
  const callingAeTitle = site.aeTitle();
  const study = testStudy(new Date());
  const asking = (signal: AbortSignal) => ({ peer, callingAeTitle, signal, times: TIMES });
  /** In a time that nobody has to wait for, with an explanation of what the association or the peer said. */
  const explained =
    (work: (signal: AbortSignal) => Promise<StepOutcome>) =>
    async (signal: AbortSignal): Promise<StepOutcome> => {
      const limit = AbortSignal.timeout(STEP_MS);
      try {
        return await work(AbortSignal.any([signal, limit]));
      } catch (error) {
        if (signal.aborted) return { state: 'skipped', code: 'cancelled' };
        return failure(error, peer, callingAeTitle, limit.aborted);
      }
    };
  return {
    echo: async (signal) => {
      const answer = await echoForApp(peer, callingAeTitle, signal);
      return answer.ok ? PASSED : { ...answer, state: 'failed' };
    },
    store: explained((signal) => storeStep(peer, callingAeTitle, study, signal)),
    find: explained(async (signal) => {
      for (let tries = 0; tries < FIND_TRIES; tries += 1) {
        if (tries > 0) await pause(FIND_PAUSE_MS, signal);
        if ((await findStudy(asking(signal), study.studyUid)) > 0) return PASSED;
      }
      const detail = `${peer.aeTitle} took the test study and does not find it. Look whether it keeps what it is sent.`;
      return { state: 'failed', code: 'not-found', params: { aeTitle: peer.aeTitle }, detail };
    }),
    move: explained((signal) => moveStep(asking(signal), study, site.expected)),
    commit: explained(async (signal) => {
      const report = await site.reports.request(asking(signal), study, newUid(), REPORT_MS);
      return { ...report, params: { aeTitle: peer.aeTitle, ...report.params } };
    }),
    'clean-up': async () => cleanUp(peer, study, await site.holds(study.studyUid)),
  };
}

async function storeStep(
  peer: Peer,
  callingAeTitle: string,
  study: TestStudy,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const kinds = [study.item];
  for await (const { status, error } of sendItems({ peer, callingAeTitle, signal }, kinds, () =>
    one(study.item),
  )) {
    if (status === Status.success || isWarning(status)) return PASSED;
    const words = error === undefined ? '' : ` (${error})`;
    return {
      state: 'failed',
      code: status === Status.sopClassNotSupported ? 'no-presentation-context' : 'store-refused',
      params: { aeTitle: peer.aeTitle, status: statusText(status) },
      detail: `${peer.aeTitle} refuses to take images: ${statusText(status)}${words}. Check its storage settings and free space.`,
    };
  }
  return { state: 'failed', code: 'aborted', detail: `${peer.aeTitle} took the call and broke it off.` };
}

async function moveStep(
  asking: Parameters<typeof moveStudy>[0],
  study: TestStudy,
  expected: ExpectedInstances,
): Promise<StepOutcome> {
  const { callingAeTitle, peer } = asking;
  const enough = new AbortController();
  const signal = AbortSignal.any([asking.signal, enough.signal]);
  const returned = expected.expect(study.sopInstanceUid, signal).catch(() => undefined);
  try {
    await moveStudy(asking, study.studyUid, callingAeTitle);
    const instance = await Promise.race([returned, pause(2000, signal).then(() => undefined)]);
    if (instance === undefined) {
      const detail = `${peer.aeTitle} says that it sent the test study, and nothing arrived. Check the address that it has for ${callingAeTitle}.`;
      return { state: 'failed', code: 'nothing-arrived', params: { callingAeTitle }, detail };
    }
    return isUnchanged(instance, study)
      ? PASSED
      : {
          state: 'failed',
          code: 'altered',
          detail: `${peer.aeTitle} sent the test study back with other pixels.`,
        };
  } catch (error) {
    if (!(error instanceof DimseError) || error.code === 'no-presentation-context') throw error;
    const isUnknown = error.status === Status.moveDestinationUnknown;
    return {
      state: 'failed',
      code: isUnknown ? 'move-destination-unknown' : 'move-refused',
      params: { aeTitle: peer.aeTitle, callingAeTitle, status: statusText(error.status) },
      detail: isUnknown
        ? `${peer.aeTitle} does not know where ${callingAeTitle} is. Enter this archive there, with its address and port.`
        : `${peer.aeTitle} could not send the test study here (${error.message}). Check the address and port that it has for ${callingAeTitle}.`,
    };
  } finally {
    enough.abort();
  }
}

/** Compared where the pixels are native; a peer may have compressed them without loss. */
function isUnchanged({ dataSet, transferSyntaxUid }: ReturnedInstance, { pixels }: TestStudy): boolean {
  const result = readDataSet(dataSet, { transferSyntaxUid, complete: true });
  const value = result.done ? result.dataSet.elements.get(PIXEL_DATA)?.value : undefined;
  return value !== undefined && (value.length === 0 || value.equals(pixels));
}

function cleanUp({ aeTitle }: Peer, { studyUid }: TestStudy, isHeld: boolean): StepOutcome {
  if (isHeld) {
    const detail = 'The test study is in this archive. Delete it: patient ANGIOVAULT^CONNECTION TEST.';
    return { state: 'failed', code: 'left-here', params: { studyUid }, detail };
  }
  // DICOM has no way to delete on another machine.
  const detail = `Nothing of the test is left here. On ${aeTitle} the study of patient ANGIOVAULT^CONNECTION TEST may be deleted.`;
  return { state: 'passed', code: 'left-there', params: { aeTitle, studyUid }, detail };
}

async function failure(
  error: unknown,
  peer: Peer,
  callingAeTitle: string,
  isLate: boolean,
): Promise<StepOutcome> {
  if (isLate) {
    const detail = `${peer.aeTitle} did not answer within ${STEP_MS / 1000} s.`;
    return {
      state: 'failed',
      code: 'timed-out',
      params: { aeTitle: peer.aeTitle, host: peer.host, port: peer.port },
      detail,
    };
  }
  if (error instanceof DimseError && error.code === 'no-presentation-context') {
    const detail = `${peer.aeTitle} does not offer this, which is usual for machines that only send or only receive.`;
    return { state: 'skipped', code: 'not-offered', params: { aeTitle: peer.aeTitle }, detail };
  }
  const { code, params, detail } = await diagnosisOf(error, peer, callingAeTitle);
  return { state: 'failed', code, params, detail };
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
