// Routes requests to services by command and abstract syntax: a new service is one file and one registration.

import type { AcceptedContext, Association } from '../ul/association.ts';
import type { ByteSource } from '../util/byte-source.ts';
import type { CommandSet } from './commands.ts';
import { DimseError } from './errors.ts';
import type { Invoker } from './invoker.ts';
import { Status } from './status.ts';

/** The fields a service decides; message ids and UIDs are echoed by the exchange. */
export type ResponseFields = Partial<CommandSet> & { readonly status: number };

/** A request as a service sees it. The data set is still arriving. */
export interface ServiceRequest {
  readonly association: Association;
  /** For sub-operations on this association (C-GET). */
  readonly invoker: Invoker;
  readonly context: AcceptedContext;
  readonly command: CommandSet;
  readonly dataSet: ByteSource | undefined;
  /** Aborted by C-CANCEL-RQ and when the association ends. */
  readonly cancelled: AbortSignal;
  /** Sends one Pending response per Identifier in one write, or one without; wait for the returned promise, if any,
   *  before the next. */
  pending(fields: ResponseFields, identifiers?: readonly Buffer[]): Promise<void> | undefined;
}

/** The returned fields become the final response; a thrown DimseError becomes a failure response. */
export type Service = (request: ServiceRequest) => Promise<ResponseFields & { readonly dataSet?: Buffer }>;

interface Registration {
  readonly serves: (abstractSyntax: string) => boolean;
  readonly service: Service;
}

/** Told of each request and, by the returned function, of its end; must not throw. */
export type ServiceObserver = (request: ServiceRequest) => (status: number) => void;

export class ServiceRegistry {
  readonly #observer: ServiceObserver | undefined;
  readonly #byCommand = new Map<number, Registration[]>();

  constructor(observer?: ServiceObserver) {
    this.#observer = observer;
  }

  /** `serves` says for which abstract syntaxes this service answers `commandField`. */
  add(commandField: number, serves: (abstractSyntax: string) => boolean, service: Service): this {
    const registrations = this.#byCommand.get(commandField) ?? [];
    registrations.push({ serves, service: this.#observed(service) });
    this.#byCommand.set(commandField, registrations);
    return this;
  }

  find(commandField: number, abstractSyntax: string): Service | undefined {
    return this.#byCommand.get(commandField)?.find(({ serves }) => serves(abstractSyntax))?.service;
  }

  #observed(service: Service): Service {
    const observer = this.#observer;
    if (observer === undefined) return service;
    return async (request) => {
      const ended = observer(request);
      try {
        const response = await service(request);
        ended(response.status);
        return response;
      } catch (error) {
        ended(error instanceof DimseError ? error.status : Status.processingFailure);
        throw error;
      }
    };
  }
}
