// Brings the bytes of an instance back from a second archive, for one that is damaged or missing here.

import type { InstanceLocation } from '../archive/archive.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { getInstance, type WantedInstance } from '../scu/get.ts';
import { moveInstance } from '../scu/query-retrieve.ts';
import { type ByteSource, watched } from '../util/byte-source.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import { JobFailure } from './job-failure.ts';

/** What a C-STORE that arrives here says of itself. */
interface Origin {
  readonly callingAeTitle: string;
  readonly transferSyntaxUid: string;
  readonly moveOriginatorAeTitle: string | undefined;
}

/** Where instances arrive that we had sent to us: they go to whoever expects them instead of into the archive. */
export interface Arrivals {
  hand(
    sopInstanceUid: string,
    expectation: {
      isMeant(origin: Origin): boolean;
      take(origin: Origin, dataSet: ByteSource): Promise<void>;
    },
    signal: AbortSignal,
  ): void;
}

export interface FetchBackSite {
  readonly aeTitle: () => string;
  /** Second archives, the best first. */
  readonly archives: () => readonly PeerAddress[];
  readonly arrivals: Arrivals;
}

/** The data set in the transfer syntax in which it was received, from the first second archive that has it; undefined
 *  when none does. Whoever takes it compares it with the hash. Rejects when one of them could not be asked and no other
 *  has it: the instance may be there. */
export function fetchBackFrom(site: FetchBackSite) {
  const { aeTitle, archives } = site;
  return async (instance: InstanceLocation): Promise<ByteSource | undefined> => {
    let failure: JobFailure | undefined;
    for (const peer of archives()) {
      try {
        const { transferSyntaxUid } = instance.location;
        const source = await fetchFrom(site, peer, { ...instance, transferSyntaxUid });
        if (source !== undefined) return source;
      } catch (error) {
        const words = isNotOffered(error) ? messageOf(error) : diagnose(error, peer, aeTitle());
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
  wanted: WantedInstance,
): Promise<ByteSource | undefined> {
  try {
    return await getInstance(peer, site.aeTitle(), wanted);
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    return moved(site, peer, wanted);
  }
}

/** The instance comes over an association of the peer's own; what anybody else sends under its UID meanwhile is received
 *  as ever. */
function moved(
  { aeTitle: ownAeTitle, arrivals }: FetchBackSite,
  peer: PeerAddress,
  wanted: WantedInstance,
): Promise<ByteSource | undefined> {
  const callingAeTitle = ownAeTitle();
  const arrived = Promise.withResolvers<ByteSource | undefined>();
  const over = new AbortController();
  let isTaken = false;
  const isMeant = (origin: Origin) =>
    !isTaken &&
    origin.callingAeTitle === peer.aeTitle &&
    (origin.moveOriginatorAeTitle ?? callingAeTitle) === callingAeTitle &&
    origin.transferSyntaxUid === wanted.transferSyntaxUid;
  const take = async (_: Origin, dataSet: ByteSource) => {
    isTaken = true;
    const { source, ended } = watched(dataSet);
    arrived.resolve(source);
    await ended;
  };
  arrivals.hand(wanted.sopInstanceUid, { isMeant, take }, over.signal);
  const asking = { peer, callingAeTitle, signal: over.signal };
  // What fails after the instance has begun to arrive shows in its stream.
  void awaitedLater(
    moveInstance(asking, wanted, callingAeTitle)
      .then(() => arrived.resolve(undefined), arrived.reject)
      .finally(() => over.abort()),
  );
  return arrived.promise;
}

function isNotOffered(error: unknown): boolean {
  return codeOf(error) === 'no-presentation-context';
}
