// Slows down whoever guesses passwords: per address, and for everybody together, because addresses are cheap.
import { ApiError } from './problem.ts';

const FREE_FAILURES = 5;
const FREE_FAILURES_OF_ALL = 50;
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 15 * 60_000;
const FORGET_MS = 3600_000;
const MAX_ADDRESSES = 1000;
/** Each takes 64 MiB while it is computed. */
const MAX_AT_ONCE = 2;

interface Failures {
  count: number;
  at: number;
}

const EVERYBODY = 'everybody';

export class SignInThrottle {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;
  #running = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs one comparison. Throws ApiError 429 when this address, or all of them, have to wait. */
  async compare(address: string, matches: () => Promise<boolean>): Promise<boolean> {
    const waitMs = Math.max(
      this.#waitMs(address, FREE_FAILURES),
      this.#waitMs(EVERYBODY, FREE_FAILURES_OF_ALL),
      this.#running >= MAX_AT_ONCE ? 1000 : 0,
    );
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new ApiError(429, 'too-many-attempts', `Too many attempts; try again in ${seconds} s.`, {
        params: { seconds },
        headers: { 'Retry-After': String(seconds) },
      });
    }
    // Counted before it is known, so that many at the same time do not all pass.
    this.#count(address);
    this.#count(EVERYBODY);
    this.#running += 1;
    try {
      const isRight = await matches();
      if (isRight) {
        this.#failures.delete(address);
        this.#failures.delete(EVERYBODY);
      }
      return isRight;
    } finally {
      this.#running -= 1;
    }
  }

  #waitMs(who: string, free: number): number {
    const failures = this.#failures.get(who);
    if (failures === undefined || failures.count < free) return 0;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures.count - free, 30), LONGEST_WAIT_MS);
    return failures.at + wait - this.#now();
  }

  #count(who: string): void {
    const now = this.#now();
    const known = this.#failures.get(who);
    const count = known === undefined || now - known.at > FORGET_MS ? 1 : known.count + 1;
    this.#failures.delete(who);
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined && this.#failures.size >= MAX_ADDRESSES) this.#failures.delete(oldest);
    this.#failures.set(who, { count, at: now });
  }
}
