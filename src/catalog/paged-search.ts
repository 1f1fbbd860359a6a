// A search that is read page by page, at the reader's pace.

import { Pacer, SearchStopped } from './pacer.ts';

/** With so many a page is handed over: the reader works on it while the next is looked for. */
const PAGE_ITEMS = 16;
/** A page that is not full is handed over after so long, so that rare matches are seen when they are found. */
const PAGE_MS = 20;

export class PagedSearch<T> {
  readonly #pacer = new Pacer();
  readonly #items: AsyncGenerator<readonly T[]>;
  #pending: Promise<IteratorResult<readonly T[]>> | undefined;

  constructor(start: (pacer: Pacer) => AsyncGenerator<readonly T[]>) {
    this.#items = start(this.#pacer);
  }

  /** Some items, none only at the end. */
  async next(): Promise<{ items: readonly T[]; done: boolean }> {
    const items: T[] = [];
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), PAGE_MS);
    try {
      while (items.length < PAGE_ITEMS) {
        const step = this.#step();
        const result = await (items.length === 0 ? step : Promise.race([step, late.promise]));
        if (result === undefined) break;
        this.#pending = undefined;
        if (result.done) return { items, done: true };
        items.push(...result.value);
      }
      return { items, done: false };
    } catch (error) {
      if (error instanceof SearchStopped) return { items: [], done: true };
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#pacer.stop();
  }

  #step(): Promise<IteratorResult<readonly T[]>> {
    if (this.#pending === undefined) {
      this.#pending = this.#items.next();
      // It may fail between two pages, when nobody waits; the next reader gets the failure.
      this.#pending.catch(() => undefined);
    }
    return this.#pending;
  }
}
