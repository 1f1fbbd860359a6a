// What was refused at the door goes into the log, but a flood of it does not: one line a minute for each kind.
import type { Log } from '../util/log.ts';

const QUIET_MS = 60_000;

export class Refusals {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { at: number; more: number }>();

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  /** `kind` is one of a few fixed sentences. */
  note(kind: string, fields: Record<string, unknown>): void {
    const now = this.#now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.at < QUIET_MS) {
      known.more += 1;
      return;
    }
    this.#kinds.set(kind, { at: now, more: 0 });
    const before = known === undefined || known.more === 0 ? undefined : known.more;
    this.#log.warn(`http refused ${kind}`, { ...fields, refusedSinceTheLastLine: before });
  }
}
