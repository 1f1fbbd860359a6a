// Instances that this program itself waits for: the one it has sent out in the test of a peer, and those it fetches back.
// Each is first received as any other; then whoever expects it sees its bytes and says whether it is his.

import type { Arrived, Claim } from '../archive/archive.ts';
import { collect } from '../util/byte-source.ts';

/** What the C-STORE says of itself. */
export interface Origin {
  readonly callingAeTitle: string;
  readonly transferSyntaxUid: string;
  /** Of a C-MOVE, where the sender says so. */
  readonly moveOriginatorAeTitle: string | undefined;
}

export interface ReturnedInstance extends Origin {
  readonly dataSet: Buffer;
}

/** false: it is a reception like any other. true: its sender may be answered with Success. Rejects with what its sender
 *  is told instead. */
type Expectation = (origin: Origin, arrived: Arrived) => Promise<boolean>;

const MAX_BYTES = 1 << 20;

export class ExpectedInstances {
  readonly #expected = new Map<string, Expectation>();

  /** Resolves with the instance when it comes, from whomever; until `signal` aborts. For one that is made up by this
   *  program and is not to stay. */
  expect(sopInstanceUid: string, signal: AbortSignal): Promise<ReturnedInstance> {
    const { promise, resolve, reject } = Promise.withResolvers<ReturnedInstance>();
    const take: Expectation = async (origin, arrived) => {
      // A copy: the memory of what is not kept is used again.
      resolve({ ...origin, dataSet: Buffer.from(await collect(arrived.source(), MAX_BYTES)) });
      return true;
    };
    this.hand(sopInstanceUid, take, signal);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  }

  /** Shows what begins to come of this instance until `signal` aborts. */
  hand(sopInstanceUid: string, expectation: Expectation, signal: AbortSignal): void {
    this.#expected.set(sopInstanceUid, expectation);
    const forget = () => {
      if (this.#expected.get(sopInstanceUid) === expectation) this.#expected.delete(sopInstanceUid);
    };
    signal.addEventListener('abort', forget, { once: true });
  }

  /** undefined: nobody waits for this one. */
  claimOn(sopInstanceUid: string, origin: Origin): Claim | undefined {
    const expectation = this.#expected.get(sopInstanceUid);
    return expectation && ((arrived) => expectation(origin, arrived));
  }
}
