// Live updates (server-sent events): a few words on what has changed; the app asks for the rest. Bounded in clients,
// and in what waits for a client that does not read.
import { PassThrough, type Readable } from 'node:stream';
import { ApiError } from './problem.ts';

export type EventName =
  | 'status'
  | 'associations'
  | 'instances'
  | 'jobs'
  | 'peers'
  | 'tests'
  | 'findings'
  | 'log'
  | 'notices';

export interface EventFeedOptions {
  readonly maxClients?: number;
  /** A client with more than this unread is let go: it comes again and asks for everything. */
  readonly maxWaitingBytes?: number;
  readonly keepAliveMs?: number;
  /** Events of one kind come at most this often, the last one always. */
  readonly spacingMs?: number;
}

const DEFAULTS = { maxClients: 50, maxWaitingBytes: 64 * 1024, keepAliveMs: 20_000, spacingMs: 500 };

export class EventFeed {
  readonly #options: Required<EventFeedOptions>;
  readonly #clients = new Set<PassThrough>();
  /** What is held back until the kind may speak again, by event and subject. */
  readonly #held = new Map<string, { name: EventName; data: unknown }>();
  #timer: NodeJS.Timeout | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: EventFeedOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Of several with the same `subject` in a short time only the last is sent; `data` may be made from the one that
   *  it takes the place of. */
  publish<T extends object>(name: EventName, data: T | ((held: T | undefined) => T), subject = ''): void {
    if (this.#clients.size === 0) return;
    const key = `${name} ${subject}`;
    const next = typeof data === 'function' ? data(this.#held.get(key)?.data as T | undefined) : data;
    this.#held.set(key, { name, data: next });
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.spacingMs);
  }

  /** A stream for one client. Throws ApiError 503 when there are too many. */
  subscribe(signal: AbortSignal): Readable {
    if (this.#clients.size >= this.#options.maxClients) {
      throw new ApiError(503, 'too-many-listeners', 'Too many windows are open; close one.', {
        headers: { 'Retry-After': '30' },
      });
    }
    const client = new PassThrough({ highWaterMark: this.#options.maxWaitingBytes });
    client.write('retry: 3000\n\n');
    this.#clients.add(client);
    const leave = () => this.#leave(client);
    client.once('close', leave);
    signal.addEventListener('abort', leave, { once: true });
    this.#keepAlive ??= setInterval(() => this.#send(': here\n\n'), this.#options.keepAliveMs);
    return client;
  }

  /** Ends every stream; for the stop of the program. */
  close(): void {
    for (const client of this.#clients) this.#leave(client);
  }

  #flush(): void {
    this.#timer = undefined;
    const events = [...this.#held.values()];
    this.#held.clear();
    this.#send(events.map(({ name, data }) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join(''));
  }

  #send(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength + client.readableLength > this.#options.maxWaitingBytes) this.#leave(client);
      else client.write(text);
    }
  }

  #leave(client: PassThrough): void {
    if (!this.#clients.delete(client)) return;
    client.destroy();
    if (this.#clients.size > 0) return;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#timer);
    this.#keepAlive = undefined;
    this.#timer = undefined;
    this.#held.clear();
  }
}
