// GET /api/health: can this archive take and give back instances right now?
import type { Middleware } from 'koa';
import { z } from 'zod';

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
  readonly timeoutMs: number;
}

/** 200 when ready, 503 with the same form of answer when not. */
export function healthRoute({ version, health, timeoutMs }: HealthOptions): Middleware {
  return async (context) => {
    const state = await within(timeoutMs, health);
    context.status = state.status === 'ok' ? 200 : 503;
    context.body = healthAnswer.parse({ ...state, version });
  };
}

async function within(timeoutMs: number, health: HealthOptions['health']): Promise<Health> {
  const { promise: late, resolve } = Promise.withResolvers<Health>();
  const detail = `no answer from the archive within ${timeoutMs} ms`;
  const timer = setTimeout(() => resolve({ status: 'failing', detail }), timeoutMs);
  try {
    return await Promise.race([Promise.resolve().then(health), late]);
  } catch {
    // The reason is in the log of the part that failed; here it could carry names and paths.
    return { status: 'failing', detail: 'the archive cannot work at the moment; the log says why' };
  } finally {
    clearTimeout(timer);
  }
}
