// One flush for all who ask while it is not yet under way (group commit).

/** A flush that began before the request does not cover what the requester has just changed: whoever asks while
 *  one runs waits for the next, and all of those share that one. */
export class SharedFlush {
  readonly #flush: () => Promise<void>;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  request(): Promise<void> {
    if (this.#queued !== undefined) return this.#queued;
    if (this.#running === undefined) return this.#start();
    const start = () => this.#start();
    // The failure of the running one belongs to those who asked for it, not to the next group.
    this.#queued = this.#running.then(start, start);
    return this.#queued;
  }

  #start(): Promise<void> {
    this.#queued = undefined;
    const running = this.#flush().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
