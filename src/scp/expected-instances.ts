// Instances that this program has sent out itself and waits for to come back, in the test of a peer: they are looked at
// and not kept, so that nothing made up is ever among what was received.

import type { ByteSource } from '../util/byte-source.ts';
import { collect } from '../util/byte-source.ts';

export interface ReturnedInstance {
  readonly callingAeTitle: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
}

const MAX_BYTES = 1 << 20;

export class ExpectedInstances {
  readonly #expected = new Map<string, (returned: ReturnedInstance) => void>();

  /** Resolves with the instance when it comes; until `signal` aborts. */
  expect(sopInstanceUid: string, signal: AbortSignal): Promise<ReturnedInstance> {
    const { promise, resolve, reject } = Promise.withResolvers<ReturnedInstance>();
    this.#expected.set(sopInstanceUid, resolve);
    signal.addEventListener(
      'abort',
      () => {
        this.#expected.delete(sopInstanceUid);
        reject(signal.reason);
      },
      { once: true },
    );
    return promise;
  }

  isExpected(sopInstanceUid: string): boolean {
    return this.#expected.has(sopInstanceUid);
  }

  async take(
    sopInstanceUid: string,
    from: Omit<ReturnedInstance, 'dataSet'>,
    dataSet: ByteSource,
  ): Promise<void> {
    const bytes = await collect(dataSet, MAX_BYTES);
    this.#expected.get(sopInstanceUid)?.({ ...from, dataSet: bytes });
  }
}
