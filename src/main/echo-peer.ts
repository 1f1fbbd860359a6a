// An echo asked for in the app: short times, and the cause when it fails.

import type { EchoAnswer } from '../http/api/echo.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { diagnosisOf } from '../scu/diagnosis.ts';
import { echo } from '../scu/echo.ts';

/** Somebody is waiting in front of the screen; a machine on the same switch answers within milliseconds. */
const TIMES = { connectMs: 5000, artimMs: 10_000, answerMs: 10_000 };

export async function echoForApp(
  peer: PeerAddress,
  callingAeTitle: string,
  signal: AbortSignal,
  times = TIMES,
): Promise<EchoAnswer> {
  const start = performance.now();
  try {
    await echo(peer, callingAeTitle, times, signal);
  } catch (error) {
    return { ok: false, ...(await diagnosisOf(error, peer, callingAeTitle)) };
  }
  return { ok: true, ms: Math.round(performance.now() - start) };
}
