// Brings the bytes of an instance back from a second archive, for one that is damaged or missing here.

import type { Arrived, InstanceLocation } from '../archive/archive.ts';
import { ArchiveError } from '../archive/errors.ts';
import type { FetchedBack } from '../archive/repair.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { getInstance, type WantedInstance } from '../scu/get.ts';
import { moveInstance } from '../scu/query-retrieve.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import { JobFailure } from './job-failure.ts';

/** What a C-STORE that arrives here says of itself. */
interface Origin {
  readonly callingAeTitle: string;
  readonly transferSyntaxUid: string;
  readonly moveOriginatorAeTitle: string | undefined;
}

/** Where instances arrive that we had sent to us: whoever expects one is shown what came. */
export interface Arrivals {
  hand(
    sopInstanceUid: string,
    expectation: (origin: Origin, arrived: Arrived) => Promise<boolean>,
    signal: AbortSignal,
  ): void;
}

export interface FetchBackSite {
  readonly aeTitle: () => string;
  /** Second archives, the best first. */
  readonly archives: () => readonly PeerAddress[];
  readonly arrivals: Arrivals;
}

/** One content, by its hash. */
interface Wanted extends WantedInstance {
  readonly sha256: string;
}

/** The data set in the transfer syntax in which it was received, from the first second archive that has it; undefined
 *  when none does. Whoever takes it compares it with the hash. Rejects when one of them could not be asked and no other
 *  has it: the instance may be there. */
export function fetchBackFrom(site: FetchBackSite) {
  const { aeTitle, archives } = site;
  return async (instance: InstanceLocation): Promise<FetchedBack | undefined> => {
    let failure: JobFailure | undefined;
    for (const peer of archives()) {
      try {
        const { transferSyntaxUid, sha256 } = instance.location;
        const fetched = await fetchFrom(site, peer, { ...instance, transferSyntaxUid, sha256 });
        if (fetched !== undefined) return fetched;
      } catch (error) {
        const isInWords = isNotOffered(error) || error instanceof JobFailure;
        const words = isInWords ? messageOf(error) : diagnose(error, peer, aeTitle());
        failure = new JobFailure(`${peer.aeTitle}: ${words}`, { cause: error });
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  };
}

/** By C-GET, and by C-MOVE where the peer does not offer that. */
async function fetchFrom(
  site: FetchBackSite,
  peer: PeerAddress,
  wanted: Wanted,
): Promise<FetchedBack | undefined> {
  try {
    const source = await getInstance(peer, site.aeTitle(), wanted);
    return source && { source };
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    return moved(site, peer, wanted);
  }
}

/** The instance comes over an association of the peer's own, where anybody may send something under its UID meanwhile.
 *  Only the wanted bytes are taken for the answer, and their sender has his when they have their place. */
async function moved(
  { aeTitle: ownAeTitle, arrivals }: FetchBackSite,
  peer: PeerAddress,
  wanted: Wanted,
): Promise<FetchedBack | undefined> {
  const callingAeTitle = ownAeTitle();
  const first = Promise.withResolvers<Arrived | undefined>();
  const restored = Promise.withResolvers<boolean>();
  const over = new AbortController();
  const expectation = async (origin: Origin, arrived: Arrived): Promise<boolean> => {
    const { moveOriginatorAeTitle = '' } = origin;
    const isAnswer = moveOriginatorAeTitle === callingAeTitle;
    if (!isAnswer && moveOriginatorAeTitle !== '') return false;
    const isOfPeer = isAnswer || origin.callingAeTitle === peer.aeTitle;
    const isWanted =
      arrived.sha256 === wanted.sha256 && origin.transferSyntaxUid === wanted.transferSyntaxUid;
    if (isOfPeer && isWanted) {
      first.resolve(arrived);
      if (await restored.promise) return true;
      throw new ArchiveError('storage-failed', 'It was fetched back and could not be put in its place.');
    }
    first.reject(new JobFailure('it sent other bytes than those that were received'));
    if (isAnswer) throw new ArchiveError('storage-failed', 'These are not the bytes that were asked for.');
    // Whether it is the answer of a peer that does not say so, or something new, it is kept; as a reception, which waits
    // for the end of the repair.
    return false;
  };
  arrivals.hand(wanted.sopInstanceUid, expectation, over.signal);
  const asking = { peer, callingAeTitle, signal: over.signal };
  // What fails after the instance has arrived does not matter any more.
  void awaitedLater(
    moveInstance(asking, wanted, callingAeTitle)
      .then(() => first.resolve(undefined), first.reject)
      .finally(() => over.abort()),
  );
  try {
    const arrived = await first.promise;
    if (arrived !== undefined) return { source: arrived.source(), settled: restored.resolve };
    restored.resolve(false);
    return undefined;
  } catch (error) {
    restored.resolve(false);
    throw error;
  }
}

function isNotOffered(error: unknown): boolean {
  return codeOf(error) === 'no-presentation-context';
}
