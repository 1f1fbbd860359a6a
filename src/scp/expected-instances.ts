// Instances that this program itself waits for: the one it has sent out in the test of a peer, and those it fetches back.
// They go to whoever expects them, and never among what was received.

import { type ByteSource, collect } from '../util/byte-source.ts';

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

interface Expectation {
  isMeant(origin: Origin): boolean;
  /** Resolves when the sender may be answered with Success. */
  take(origin: Origin, dataSet: ByteSource): Promise<void>;
}

const MAX_BYTES = 1 << 20;

export class ExpectedInstances {
  readonly #expected = new Map<string, Expectation>();

  /** Resolves with the instance when it comes, from whomever; until `signal` aborts. */
  expect(sopInstanceUid: string, signal: AbortSignal): Promise<ReturnedInstance> {
    const { promise, resolve, reject } = Promise.withResolvers<ReturnedInstance>();
    this.hand(
      sopInstanceUid,
      {
        isMeant: () => true,
        take: async (origin, dataSet) => resolve({ ...origin, dataSet: await collect(dataSet, MAX_BYTES) }),
      },
      signal,
    );
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  }

  /** Hands over, as a stream, what comes of this instance until `signal` aborts. */
  hand(sopInstanceUid: string, expectation: Expectation, signal: AbortSignal): void {
    this.#expected.set(sopInstanceUid, expectation);
    const forget = () => {
      if (this.#expected.get(sopInstanceUid) === expectation) this.#expected.delete(sopInstanceUid);
    };
    signal.addEventListener('abort', forget, { once: true });
  }

  /** undefined: nobody waits for this one. */
  taking(sopInstanceUid: string, origin: Origin): ((dataSet: ByteSource) => Promise<void>) | undefined {
    const expectation = this.#expected.get(sopInstanceUid);
    if (expectation?.isMeant(origin) !== true) return undefined;
    return (dataSet) => expectation.take(origin, dataSet);
  }
}
