// Lets other requests in: a search works in short turns, and ends between two of them when it is not wanted.

const TURN_MS = 4;

/** One per search; every statement of it goes through `turn`. */
export class Pacer {
  readonly #now: () => number;
  readonly #began: number;
  #turnStarted: number;
  #stopped = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#began = now();
    this.#turnStarted = this.#began;
  }

  /** Since the search began, whatever else was done in between. */
  get elapsedMs(): number {
    return this.#now() - this.#began;
  }

  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Runs one statement, after letting the thread's other work go first if this turn was long enough. */
  async turn<T>(statement: () => Promise<T>): Promise<T> {
    if (this.#now() - this.#turnStarted > TURN_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#turnStarted = this.#now();
    }
    if (this.#stopped) throw new SearchStopped();
    return statement();
  }
}

/** Ends a search that nobody reads any more; it never leaves the thread. */
export class SearchStopped extends Error {}
