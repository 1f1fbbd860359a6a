// The thread of the catalogue: all database calls happen here, so none ever holds up the network.

import { flushCompileCache } from 'node:module';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../util/errors.ts';
import { collectAfterStart } from '../util/garbage.ts';
import type { InstanceLocation } from './catalog.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import { find, type Lineage, prepareFind } from './find.ts';
import { prepareIngest } from './ingest.ts';
import { prepareLoad } from './ingest-load.ts';
import { prepareWrite } from './ingest-write.ts';
import { openEngine } from './open-engine.ts';
import { singleOperations } from './operations.ts';
import { Pacer } from './pacer.ts';
import { PagedSearch } from './paged-search.ts';
import type { Row } from './rows.ts';
import { locate, prepareSelect, select } from './select.ts';
import type { Handlers, SingleOperations } from './single-operations.ts';
import { answerCalls } from './stores.ts';
import { prepareStudyPage, studyPage } from './study-page.ts';

import {
  type AnswerMessage,
  type LocationPage,
  type Matches,
  type MatchPage,
  OPENED,
  type Operations,
  type PageMatch,
  type RequestMessage,
} from './worker-protocol.ts';

type Answer = Operations[keyof Operations]['answer'];

interface Find {
  readonly pages: PagedSearch<Lineage>;
  readonly returnKeys: readonly string[] | undefined;
}

class CatalogService {
  readonly #engine: Engine;
  readonly #ingest: ReturnType<typeof prepareIngest>;
  readonly #singles: Handlers<SingleOperations>;
  readonly #find: ReturnType<typeof prepareFind>;
  readonly #studyPage: ReturnType<typeof prepareStudyPage>;
  readonly #select: ReturnType<typeof prepareSelect>;
  readonly #call: ReturnType<typeof answerCalls>;
  readonly #finds = new Map<number, Find>();
  readonly #selects = new Map<number, PagedSearch<InstanceLocation>>();
  readonly #running = new Set<Promise<Answer>>();

  constructor(engine: Engine) {
    this.#engine = engine;
    const load = prepareLoad(engine);
    const write = prepareWrite(engine);
    this.#ingest = prepareIngest(engine, load, write);
    this.#singles = singleOperations(engine, load, write);
    this.#find = prepareFind(engine);
    this.#studyPage = prepareStudyPage(engine);
    this.#select = prepareSelect(engine);
    this.#call = answerCalls(engine);
  }

  async handle(message: RequestMessage): Promise<AnswerMessage> {
    const { id } = message;
    const running = this.#answer(message);
    if (message.operation !== 'close') this.#running.add(running);
    try {
      return { id, answer: await running };
    } catch (error) {
      const { code, message: words } = this.#engine.describe(error);
      return { id, error: { code, message: words } };
    } finally {
      this.#running.delete(running);
    }
  }

  async #answer(message: RequestMessage): Promise<Answer> {
    const { db } = this.#engine;
    switch (message.operation) {
      case 'ingest':
        await this.#ingest(message.request);
        return undefined;
      case 'locate':
        return locate(this.#select, message.request);
      case 'superseded':
        return this.#select.superseded(db, message.request);
      case 'counts':
        return (await this.#select.totals(db, undefined))[0];
      case 'find': {
        const { search, request } = message.request;
        const pages = new PagedSearch((pacer) => find(this.#find, request, pacer));
        this.#finds.set(search, { pages, returnKeys: request.returnKeys });
        return this.#matchPage(search);
      }
      case 'findMore':
        return this.#matchPage(message.request);
      case 'studyPage': {
        const { lineages, next } = await studyPage(this.#studyPage, message.request, new Pacer());
        return { ...matchesOf(lineages), next };
      }
      case 'select': {
        const { search, request } = message.request;
        this.#selects.set(search, new PagedSearch((pacer) => select(this.#select, request, pacer)));
        return this.#locationPage(search);
      }
      case 'selectMore':
        return this.#locationPage(message.request);
      case 'call':
        return this.#call(message.request);
      case 'stop':
        this.#stop(message.request);
        return undefined;
      case 'close':
        for (const search of [...this.#finds.keys(), ...this.#selects.keys()]) this.#stop(search);
        await Promise.allSettled(this.#running);
        await this.#engine.close();
        return undefined;
      default: {
        // The pairs of the table: an operation and what it takes.
        const handle = this.#singles[message.operation] as (request: unknown) => Promise<Answer>;
        return handle(message.request);
      }
    }
  }

  async #matchPage(search: number): Promise<MatchPage> {
    const { pages, returnKeys } = this.#finds.get(search) ?? {};
    const { items, done } = await nextPage(pages, () => this.#finds.delete(search));
    return { ...matchesOf(items, returnKeys), done };
  }

  async #locationPage(search: number): Promise<LocationPage> {
    const { items, done } = await nextPage(this.#selects.get(search), () => this.#selects.delete(search));
    return { done, locations: items };
  }

  #stop(search: number): void {
    this.#finds.get(search)?.pages.stop();
    this.#finds.delete(search);
    this.#selects.get(search)?.stop();
    this.#selects.delete(search);
  }
}

function matchesOf(lineages: readonly Lineage[], returnKeys?: readonly string[]): Matches {
  const texts: string[] = [];
  const known = new Map<Row, number>();
  const placeOf = (row: Row): number => {
    let place = known.get(row);
    if (place === undefined) {
      place = texts.push(row.textOf(returnKeys)) - 1;
      known.set(row, place);
    }
    return place;
  };
  const matches = lineages.map((lineage): PageMatch => {
    const { bytes = 0, receivedAt = '' } = lineage.at(-1) ?? {};
    return { places: lineage.map(placeOf), bytes, receivedAt };
  });
  return { json: `{"entities":[${texts.join()}],"matches":${JSON.stringify(matches)}}` };
}

/** `over` is called when no page comes after this one. */
async function nextPage<T>(
  search: PagedSearch<T> | undefined,
  over: () => void,
): Promise<{ items: readonly T[]; done: boolean }> {
  try {
    const page = (await search?.next()) ?? { items: [], done: true };
    if (page.done) over();
    return page;
  } catch (error) {
    over();
    throw error;
  }
}

async function serve(port: MessagePort, url: string): Promise<void> {
  const engine = await openEngine(url);
  const service = new CatalogService(engine);
  port.on('message', (message: RequestMessage) => {
    void service.handle(message).then((answer) => {
      port.postMessage(answer);
      if (message.operation === 'close') port.close();
    });
  });
  port.postMessage({ id: OPENED, answer: engine.warnings } satisfies AnswerMessage);
  // See main/serve.ts: each thread has a cache of its own.
  flushCompileCache();
  collectAfterStart();
}

if (parentPort !== null) {
  const port = parentPort;
  const { url } = workerData as { url: string };
  serve(port, url).catch((error: unknown) => {
    const code = error instanceof CatalogError ? error.code : 'catalog-failed';
    port.postMessage({ id: OPENED, error: { code, message: messageOf(error) } } satisfies AnswerMessage);
    port.close();
  });
}
