// Brings the bytes of an instance back from a second archive, for one that is damaged or missing here.

import type { InstanceLocation } from '../archive/archive.ts';
import type { PeerAddress } from '../scu/associate.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { getInstance } from '../scu/get.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { JobFailure } from './job-failure.ts';

export interface FetchBackSite {
  readonly aeTitle: () => string;
  /** Second archives, the best first. */
  readonly archives: () => readonly PeerAddress[];
}

/** The data set in the transfer syntax in which it was received, from the first second archive that has it; undefined
 *  when none does. Whoever takes it compares it with the hash. Rejects when one of them could not be asked and no other
 *  has it: the instance may be there. */
export function fetchBackFrom({ aeTitle, archives }: FetchBackSite) {
  return async (instance: InstanceLocation): Promise<ByteSource | undefined> => {
    let failure: JobFailure | undefined;
    for (const peer of archives()) {
      try {
        const { transferSyntaxUid } = instance.location;
        const source = await getInstance(peer, aeTitle(), { ...instance, transferSyntaxUid });
        if (source !== undefined) return source;
      } catch (error) {
        failure = new JobFailure(`${peer.aeTitle}: ${diagnose(error, peer, aeTitle())}`, { cause: error });
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  };
}
