// Sessions of signed-in people: in memory only, so that a restart ends them all; bounded in number and in time.
import { createHash, randomBytes } from 'node:crypto';

const IDLE_MS = 12 * 3600_000;
const LONGEST_MS = 7 * 24 * 3600_000;
const MAX_SESSIONS = 100;

export const SESSION_COOKIE = 'angiovault-session';

interface Session {
  readonly user: string;
  readonly since: number;
  usedAt: number;
}

export class Sessions {
  /** By the hash of the token: what is in memory opens nothing. Oldest use first. */
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The value of the cookie. */
  begin(user: string): string {
    const token = randomBytes(32).toString('base64url');
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(oldest);
    this.#sessions.set(keyOf(token), { user, since: this.#now(), usedAt: this.#now() });
    return token;
  }

  /** Whose session it is, which counts as a use of it. */
  user(token: string): string | undefined {
    const key = keyOf(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    const now = this.#now();
    this.#sessions.delete(key);
    if (now - session.usedAt > IDLE_MS || now - session.since > LONGEST_MS) return undefined;
    session.usedAt = now;
    this.#sessions.set(key, session);
    return session.user;
  }

  end(token: string): void {
    this.#sessions.delete(keyOf(token));
  }

  /** After the password changed. */
  endAll(): void {
    this.#sessions.clear();
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
