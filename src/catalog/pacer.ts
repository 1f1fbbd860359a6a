// Lets other requests in: a search works in short turns, and ends between two of them when it is not wanted.

const TURN_MS = 4;

/** One per search; every statement of it goes through `turn`. */
export class Pacer {
  #turnStarted = performance.now();
  #stopped = false;

  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Runs one statement, after letting the thread's other work go first if this turn was long enough. */
  async turn<T>(statement: () => Promise<T>): Promise<T> {
    if (performance.now() - this.#turnStarted > TURN_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#turnStarted = performance.now();
    }
    if (this.#stopped) throw new SearchStopped();
    return statement();
  }
}

/** Ends a search that nobody reads any more; it never leaves the thread. */
export class SearchStopped extends Error {}
