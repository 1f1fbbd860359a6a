// One thread of the catalogue from outside: requests in, answers out, and its end.

import { Worker } from 'node:worker_threads';
import { messageOf } from '../util/errors.ts';
import { CatalogError } from './errors.ts';
import {
  type AnswerMessage,
  OPENED,
  type Opened,
  type Operation,
  type Operations,
  type RequestMessage,
} from './worker-protocol.ts';

interface Pending {
  resolve(answer: unknown): void;
  reject(error: CatalogError): void;
}

export class CatalogThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #opening = Promise.withResolvers<Opened>();
  readonly #exited = Promise.withResolvers<void>();
  #nextId = OPENED + 1;
  #over: CatalogError | undefined;

  constructor(url: string) {
    this.#worker = new Worker(new URL('./catalog-worker.ts', import.meta.url), {
      name: 'catalog',
      workerData: { url },
    });
    this.#pending.set(OPENED, this.#opening);
    this.#worker.on('message', (message: AnswerMessage) => this.#settle(message));
    this.#worker.on('error', (error) => this.#end(messageOf(error)));
    this.#worker.on('exit', (status) => {
      this.#end(`its thread ended with status ${status}`);
      this.#exited.resolve();
    });
  }

  /** Why nothing can be asked any more. */
  get over(): CatalogError | undefined {
    return this.#over;
  }

  /** Resolves when the thread has gone and holds nothing any more. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  /** Resolves when the catalogue is open; rejects, after the thread has gone, when it cannot be opened. */
  async opened(): Promise<Opened> {
    try {
      return await this.#opening.promise;
    } catch (error) {
      await this.exited;
      this.#over = error as CatalogError;
      throw error;
    }
  }

  ask<O extends Operation>(
    operation: O,
    request: Operations[O]['request'],
  ): Promise<Operations[O]['answer']> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject });
    this.#worker.postMessage({ id, operation, request } as RequestMessage);
    return promise as Promise<Operations[O]['answer']>;
  }

  async close(): Promise<void> {
    if (this.#over === undefined) await this.ask('close', undefined);
    await this.exited;
  }

  #settle(message: AnswerMessage): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('error' in message) pending?.reject(new CatalogError(message.error.code, message.error.message));
    else pending?.resolve(message.answer);
  }

  /** What was asked may or may not have happened; nobody can tell any more. */
  #end(why: string): void {
    const error = new CatalogError('catalog-unreachable', `The catalogue cannot be reached: ${why}`);
    this.#over ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
