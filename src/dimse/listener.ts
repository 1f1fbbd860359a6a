// Accepts associations and gives each its message exchange: where the upper layer meets the services.

import { EventEmitter } from 'node:events';
import { Acceptor } from '../ul/acceptor.ts';
import type { Association } from '../ul/association.ts';
import type { SupportedContext } from '../ul/negotiation.ts';
import type { SecureTransport } from '../ul/tls.ts';
import type { CommandSet } from './commands.ts';
import type { DimseError } from './errors.ts';
import { MessageExchange } from './message-exchange.ts';
import type { ServiceRegistry } from './service-registry.ts';

export type { Association } from '../ul/association.ts';
export type { SupportedContext } from '../ul/negotiation.ts';

/** What is known of a requestor before it is let in. */
export interface AssociationRequest {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  /** The abstract syntaxes proposed: what it wants. */
  readonly proposes: ReadonlySet<string>;
  /** SOP classes for which the requestor proposes to be SCP (PS3.7 §D.3.3.4). */
  readonly receives: ReadonlySet<string>;
}

/** `undefined`: calling AE title not recognized (PS3.8 Table 9-21). */
export type Admission =
  | {
      supported(abstractSyntax: string): SupportedContext | undefined;
      extendedNegotiation(sopClassUid: string, info: Buffer): Buffer | undefined;
    }
  | undefined;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxAssociations: number;
  readonly tls?: SecureTransport;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly admit: (request: AssociationRequest) => Admission;
  readonly services: ServiceRegistry;
}

/** For logs and counters; names are those of the standard. */
export interface ListenerEvents {
  association: [Association];
  /** The association is over; `reason` is how. */
  ended: [Association, reason: unknown];
  refused: [AssociationRequest];
  /** A request was answered with a failure. */
  failure: [Association, CommandSet, DimseError];
  /** Something that never became an association: bytes that are not DICOM, a time-out, too many callers. */
  fault: [error: Error, remote: { address: string; port: number }];
}

const CALLER_NOT_RECOGNIZED = { accept: false, result: 1, source: 1, reason: 3 } as const;

export class DimseListener extends EventEmitter<ListenerEvents> {
  readonly #acceptor: Acceptor;
  readonly #exchanges = new Set<MessageExchange>();
  /** Ends of associations, told by `ended`: the acceptor reports them a second time. */
  readonly #told = new WeakSet<Error>();

  constructor(options: ListenerOptions) {
    super();
    const { admit, services, ...rest } = options;
    this.#acceptor = new Acceptor({
      ...rest,
      decide: (rq, remote) => {
        const request: AssociationRequest = {
          callingAeTitle: rq.callingAeTitle,
          calledAeTitle: rq.calledAeTitle,
          remoteAddress: remote.address,
          proposes: new Set(rq.contexts.map(({ abstractSyntax }) => abstractSyntax)),
          receives: new Set(
            rq.userInformation.roles.filter(({ scp }) => scp).map(({ sopClassUid }) => sopClassUid),
          ),
        };
        const admission = admit(request);
        if (admission !== undefined) return { accept: true, ...admission };
        this.emit('refused', request);
        return CALLER_NOT_RECOGNIZED;
      },
    });
    this.#acceptor.on('association', (association) => this.#serve(association, services));
    this.#acceptor.on('fault', (error, remote) => {
      if (!this.#told.has(error)) this.emit('fault', error, remote);
    });
  }

  listen(): Promise<{ host: string; port: number }> {
    return this.#acceptor.listen();
  }

  /** See Acceptor.move. */
  move(to: { host: string; port: number }): Promise<{ host: string; port: number }> {
    return this.#acceptor.move(to);
  }

  set maxAssociations(count: number) {
    this.#acceptor.maxAssociations = count;
  }

  get associations(): number {
    return this.#acceptor.associations.size;
  }

  /** Accepts nothing more. Each association ends when no message is in progress, at the latest after `graceMs`. */
  close(graceMs: number): Promise<void> {
    const closed = this.#acceptor.close(graceMs);
    for (const exchange of this.#exchanges) exchange.finish();
    return closed;
  }

  #serve(association: Association, services: ServiceRegistry): void {
    this.emit('association', association);
    const { signal } = association;
    const exchange = new MessageExchange(association, services, (a, command, error) =>
      this.emit('failure', a, command, error),
    );
    this.#exchanges.add(exchange);
    signal.addEventListener('abort', () => {
      this.#exchanges.delete(exchange);
      this.#told.add(signal.reason);
      this.emit('ended', association, signal.reason);
    });
    exchange.start();
  }
}
