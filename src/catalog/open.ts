// Opens a catalogue: a Catalog whose work is done in a thread of its own.

import { Worker } from 'node:worker_threads';
import { messageOf } from '../util/errors.ts';
import type {
  Catalog,
  Counts,
  InstanceLocation,
  InstanceRecord,
  Match,
  Query,
  SelectKeys,
  StoredLocation,
} from './catalog.ts';
import { mergedAttributes } from './computed.ts';
import { CatalogError } from './errors.ts';
import { ingestRecordOf } from './ingest-record.ts';
import {
  type AnswerMessage,
  type MatchPage,
  OPENED,
  type Operation,
  type Operations,
  type RequestMessage,
} from './worker-protocol.ts';

/** Opens or makes the catalogue that `url` names (`sqlite:FILE`), brought to the current schema. */
export async function openCatalog(url: string): Promise<Catalog> {
  const worker = new Worker(new URL('./catalog-worker.ts', import.meta.url), {
    name: 'catalog',
    workerData: { url },
  });
  return new ThreadedCatalog(worker).opened();
}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: CatalogError): void;
}

class ThreadedCatalog implements Catalog {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #opening = Promise.withResolvers<unknown>();
  readonly #exited = Promise.withResolvers<void>();
  #nextId = OPENED + 1;
  #nextSearch = 1;
  /** Why nothing can be asked any more. */
  #over: CatalogError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#pending.set(OPENED, this.#opening);
    worker.on('message', (message: AnswerMessage) => this.#settle(message));
    worker.on('error', (error) => this.#end(messageOf(error)));
    worker.on('exit', (status) => {
      this.#end(`its thread ended with status ${status}`);
      this.#exited.resolve();
    });
  }

  async opened(): Promise<Catalog> {
    try {
      await this.#opening.promise;
    } catch (error) {
      await this.#exited.promise;
      throw error;
    }
    return this;
  }

  async ingest(batch: readonly InstanceRecord[]): Promise<void> {
    await this.#ask('ingest', batch.map(ingestRecordOf));
  }

  locate(sopInstanceUid: string): Promise<InstanceLocation | undefined> {
    return this.#ask('locate', sopInstanceUid);
  }

  superseded(sopInstanceUid: string): Promise<readonly StoredLocation[]> {
    return this.#ask('superseded', sopInstanceUid);
  }

  counts(): Promise<Counts> {
    return this.#ask('counts', undefined);
  }

  async *find({ signal, ...request }: Query): AsyncIterable<readonly Match[]> {
    const search = this.#nextSearch++;
    const pages = this.#pages(
      search,
      () => this.#ask('find', { search, request }),
      () => this.#ask('findMore', search),
      signal,
    );
    for await (const page of pages) {
      if (page.matches.length > 0) yield matchesOf(page);
    }
  }

  async *select(keys: SelectKeys): AsyncIterable<readonly InstanceLocation[]> {
    const search = this.#nextSearch++;
    const pages = this.#pages(
      search,
      () => this.#ask('select', { search, request: keys }),
      () => this.#ask('selectMore', search),
    );
    for await (const page of pages) {
      if (page.locations.length > 0) yield page.locations;
    }
  }

  async close(): Promise<void> {
    if (this.#over !== undefined) return this.#exited.promise;
    const closed = this.#ask('close', undefined);
    this.#over = new CatalogError('catalog-closed', 'The catalogue has been closed');
    await closed;
    await this.#exited.promise;
  }

  /** Asks for pages one by one; whatever way the reader leaves, the search ends. */
  async *#pages<P extends { readonly done: boolean }>(
    search: number,
    first: () => Promise<P>,
    more: () => Promise<P>,
    signal?: AbortSignal,
  ): AsyncGenerator<P> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal?.reason);
    aborted.promise.catch(() => undefined);
    signal?.addEventListener('abort', abort);
    let done = false;
    try {
      for (let ask = first; !done; ask = more) {
        const page = await Promise.race([ask(), aborted.promise]);
        done = page.done;
        yield page;
        signal?.throwIfAborted();
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      if (!done && this.#over === undefined) this.#ask('stop', search).catch(() => undefined);
    }
  }

  #ask<O extends Operation>(
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

  #settle(message: AnswerMessage): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('error' in message) pending?.reject(new CatalogError(message.error.code, message.error.message));
    else pending?.resolve(message.answer);
  }

  /** What was asked may or may not have happened; nobody can tell any more. */
  #end(why: string): void {
    const error = new CatalogError(
      'catalog-unreachable',
      `The catalogue cannot be reached: ${why}; start the program again`,
    );
    this.#over ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function matchesOf(page: MatchPage): Match[] {
  const parsed = page.rows.map((row) => mergedAttributes(row.text, row.computed));
  return page.matches.map((places) => ({
    attributes: Object.assign({}, ...places.map((place) => parsed[place])),
  }));
}
