// GET /api/health: can this archive take and give back instances right now?
import { z } from 'zod';
import { messageOf } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { Raw, type Route, route } from '../route.ts';

const HEALTH_TIMEOUT_MS = 5000;

/** What the rest of the program says about itself. `ok` when everything works; else what is the matter. */
export type Health =
  | { readonly status: 'ok' }
  | { readonly status: 'starting' | 'stopping' | 'failing'; readonly detail: string };

export const healthAnswer = z
  .object({
    status: z.enum(['ok', 'starting', 'stopping', 'failing']),
    version: z.string(),
    detail: z.string().optional(),
  })
  .meta({ title: 'Health', description: 'ok, or what keeps the archive from working.' });

export interface HealthOptions {
  readonly version: string;
  /** Asks the parts that have to work, such as the catalogue. A rejection, or silence, is `failing`. */
  readonly health: () => Promise<Health> | Health;
  readonly timeoutMs?: number;
  readonly log: Log;
}

/** 200 when ready, 503 with the same form of answer when not. */
export function healthRoute({ version, health, timeoutMs = HEALTH_TIMEOUT_MS, log }: HealthOptions): Route {
  let known: string | undefined;
  // Somebody asks every few seconds: the log gets the reason once, until it is another one.
  const failing = (error: unknown): Health => {
    const reason = messageOf(error);
    if (reason !== known) log.error('health: the archive cannot work', { reason });
    known = reason;
    // The reason could carry names and paths, so it stays in the log.
    return { status: 'failing', detail: 'the archive cannot work at the moment; the log says why' };
  };
  return route({
    method: 'GET',
    path: '/api/health',
    summary: 'Is the archive ready? 503 with the same form of answer when not',
    access: 'this-machine',
    answer: healthAnswer,
    handle: async () => {
      const state = await within(timeoutMs, health).catch(failing);
      if (state.status === 'ok') known = undefined;
      const answer = healthAnswer.parse({ ...state, version });
      return state.status === 'ok'
        ? answer
        : new Raw('application/json', JSON.stringify(answer), { status: 503 });
    },
  });
}

async function within(timeoutMs: number, health: HealthOptions['health']): Promise<Health> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([Promise.resolve().then(health), late]);
  } finally {
    clearTimeout(timer);
  }
}
