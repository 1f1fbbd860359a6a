// Time for tests of code that uses Timeout.refresh, which node:test's mock timers do not rearm.
import { mock } from 'node:test';

interface Entry {
  due: number;
  readonly ms: number;
  readonly call: () => void;
}

/** Replaces setTimeout and clearTimeout until `restore`; time passes only in `tick`. */
export class FakeTimeouts {
  #now = 0;
  readonly #armed = new Set<Entry>();

  constructor() {
    mock.method(globalThis, 'setTimeout', (call: () => void, ms: number) => this.#arm(call, ms));
    mock.method(globalThis, 'clearTimeout', (handle: { entry: Entry } | undefined) => {
      if (handle !== undefined) this.#armed.delete(handle.entry);
    });
  }

  /** Timers that would still fire. */
  get armed(): number {
    return this.#armed.size;
  }

  tick(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#armed].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#now = next.due;
      this.#armed.delete(next);
      next.call();
    }
    this.#now = end;
  }

  restore(): void {
    mock.restoreAll();
  }

  #arm(call: () => void, ms: number) {
    const entry: Entry = { due: this.#now + ms, ms, call };
    this.#armed.add(entry);
    const refresh = () => {
      entry.due = this.#now + ms;
      this.#armed.add(entry);
    };
    return { entry, refresh };
  }
}
