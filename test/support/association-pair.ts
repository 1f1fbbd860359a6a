// Two ends of one real association on a port the kernel chose, for tests of what stands on the upper layer.
import { once } from 'node:events';
import { Acceptor } from '../../src/ul/acceptor.ts';
import type { Association } from '../../src/ul/association.ts';
import { requestAssociation } from '../../src/ul/requestor.ts';

const IMPLEMENTATION = { implementationClassUid: '2.25.1', implementationVersionName: 'TEST' };

export interface PairOptions {
  readonly abstractSyntaxes: readonly string[];
  readonly transferSyntax?: string;
  /** The requestor proposes to be SCP too (PS3.7 §D.3.3.4). */
  readonly bothRoles?: boolean;
  /** What either side announces. */
  readonly maxPduBytes?: number;
}

export interface AssociationPair extends AsyncDisposable {
  readonly requestor: Association;
  readonly acceptor: Association;
}

export async function associationPair(options: PairOptions): Promise<AssociationPair> {
  const transferSyntax = options.transferSyntax ?? '1.2.840.10008.1.2.1';
  const both = options.bothRoles ?? false;
  const limit = options.maxPduBytes === undefined ? {} : { maxPduBytes: options.maxPduBytes };
  const listener = new Acceptor({
    host: '127.0.0.1',
    port: 0,
    ...IMPLEMENTATION,
    ...limit,
    decide: () => ({ accept: true, supported: () => ({ choose: ([first]) => first, scu: both, scp: true }) }),
  });
  const { host, port } = await listener.listen();
  const accepted = once(listener, 'association');
  const requestor = await requestAssociation({
    host,
    port,
    callingAeTitle: 'CALLING',
    calledAeTitle: 'CALLED',
    contexts: options.abstractSyntaxes.map((abstractSyntax) => ({
      abstractSyntax,
      transferSyntaxes: [transferSyntax],
      ...(both ? { scu: true, scp: true } : {}),
    })),
    ...IMPLEMENTATION,
    ...limit,
  });
  const [acceptor] = (await accepted) as [Association];
  return {
    requestor,
    acceptor,
    [Symbol.asyncDispose]: async () => {
      requestor.abort();
      await listener.close(0);
    },
  };
}
