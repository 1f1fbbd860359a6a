// Opens a catalogue: a Catalog whose work is done in a thread of its own, which is started again when it has ended.

import { awaitedLater } from '../util/promises.ts';
import type {
  Catalog,
  Counts,
  InstanceLocation,
  InstanceRecord,
  Match,
  Query,
  SelectKeys,
  StoredLocation,
  StudyPage,
  StudyPageRequest,
} from './catalog.ts';
import { CatalogThread } from './catalog-thread.ts';
import type { Route } from './delivery-store.ts';
import { CatalogError } from './errors.ts';
import { ingestRecordOf } from './ingest-record.ts';
import type { SingleOperations } from './single-operations.ts';
import { remoteStore } from './stores.ts';
import type { Matches, Operation, Operations, PageContent } from './worker-protocol.ts';

/** A thread that ends again and again is not started more often than that. */
const RESTART_MS = 1000;

/** Where an instance goes from here, asked when it comes into the index. */
export type RoutesOf = (record: InstanceRecord) => readonly Route[];

/** Opens or makes the catalogue that `url` names, brought to the current schema. `onWarning` gets what an administrator
 *  should know, one line each. */
export async function openCatalog(
  url: string,
  onWarning: (words: string) => void = () => undefined,
  routesOf: RoutesOf = () => [],
): Promise<Catalog> {
  const thread = new CatalogThread(url);
  for (const words of await thread.opened()) onWarning(words);
  return new ThreadedCatalog(url, thread, routesOf);
}

class ThreadedCatalog implements Catalog {
  readonly #url: string;
  #thread: CatalogThread;
  #starting: Promise<CatalogThread> | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  readonly jobs = remoteStore('jobs', (call) => this.#ask('call', call));
  readonly deliveries = remoteStore('deliveries', (call) => this.#ask('call', call));
  readonly #routesOf: RoutesOf;
  #nextSearch = 1;
  #closing: Promise<void> | undefined;

  constructor(url: string, thread: CatalogThread, routesOf: RoutesOf) {
    this.#url = url;
    this.#routesOf = routesOf;
    this.#thread = thread;
  }

  async ingest(batch: readonly InstanceRecord[]): Promise<void> {
    const records = batch.map((record) => ({ ...ingestRecordOf(record), routes: this.#routesOf(record) }));
    await this.#ask('ingest', records);
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

  ask<O extends keyof SingleOperations>(
    operation: O,
    request: SingleOperations[O]['request'],
  ): Promise<SingleOperations[O]['answer']> {
    return this.#ask(operation, request);
  }

  async *find({ signal, ...request }: Query): AsyncIterable<readonly Match[]> {
    const search = this.#nextSearch++;
    const thread = await this.#alive();
    const pages = pagesOf(
      thread,
      search,
      () => thread.ask('find', { search, request }),
      () => thread.ask('findMore', search),
      signal,
    );
    for await (const page of pages) {
      const matches = matchesOf(page);
      if (matches.length > 0) yield matches;
    }
  }

  async studyPage(request: StudyPageRequest): Promise<StudyPage> {
    const { next, ...page } = await this.#ask('studyPage', request);
    return { studies: matchesOf(page), ...(next !== undefined && { next }) };
  }

  async *select(keys: SelectKeys): AsyncIterable<readonly InstanceLocation[]> {
    const search = this.#nextSearch++;
    const thread = await this.#alive();
    const pages = pagesOf(
      thread,
      search,
      () => thread.ask('select', { search, request: keys }),
      () => thread.ask('selectMore', search),
    );
    for await (const page of pages) {
      if (page.locations.length > 0) yield page.locations;
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#starting?.catch(() => undefined);
      await this.#thread.close();
    })();
    return this.#closing;
  }

  async #ask<O extends Operation>(
    operation: O,
    request: Operations[O]['request'],
  ): Promise<Operations[O]['answer']> {
    return (await this.#alive()).ask(operation, request);
  }

  /** The thread, or one in place of a thread that has ended. */
  async #alive(): Promise<CatalogThread> {
    if (this.#closing !== undefined) {
      throw new CatalogError('catalog-closed', 'The catalogue has been closed');
    }
    if (this.#thread.over !== undefined) {
      this.#starting ??= this.#restart(this.#thread).finally(() => {
        this.#starting = undefined;
      });
    }
    return this.#starting ?? this.#thread;
  }

  async #restart(ended: CatalogThread): Promise<CatalogThread> {
    const now = performance.now();
    if (now - this.#startedAt < RESTART_MS) throw ended.over;
    this.#startedAt = now;
    // Until then it may hold the database.
    await ended.exited;
    this.#thread = new CatalogThread(this.#url);
    await this.#thread.opened();
    return this.#thread;
  }
}

/** Asks for pages one by one, each while the reader has the one before; whatever way the reader leaves, the search
 *  ends. It ends with its thread: another one knows nothing of it. */
async function* pagesOf<P extends { readonly done: boolean }>(
  thread: CatalogThread,
  search: number,
  first: () => Promise<P>,
  more: () => Promise<P>,
  signal?: AbortSignal,
): AsyncGenerator<P> {
  signal?.throwIfAborted();
  let done = false;
  try {
    for (let asked = first(); !done; ) {
      const page = await unlessAborted(asked, signal);
      done = page.done;
      if (!done) asked = awaitedLater(more());
      yield page;
      signal?.throwIfAborted();
    }
  } finally {
    if (!done) thread.ask('stop', search).catch(() => undefined);
  }
}

/** A promise for each page: one for all of them would hold every page until it is settled. */
async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function matchesOf({ json }: Matches): Match[] {
  const { entities, matches } = JSON.parse(json) as PageContent;
  return matches.map(({ places, bytes, receivedAt }) => ({
    attributes: Object.assign({}, ...places.map((place) => entities[place])),
    bytes,
    receivedAt,
  }));
}
