// One at a time per key: work on different keys runs freely.

export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs `work` alone for all of these keys. Two callers must not ask for overlapping keys in different order. */
  runAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const from = (index: number): Promise<T> => {
      const key = keys[index];
      return key === undefined ? work() : this.run(key, () => from(index + 1));
    };
    return from(0);
  }

  /** Runs `work` after everything that was asked for the same key before. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }
}
