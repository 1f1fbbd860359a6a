// Jobs: what waits, runs and has ended; and the end of one that nobody wants any more.
import { z } from 'zod';
import type { JobQueue, JobView } from '../../jobs/job-queue.ts';
import type { Audit } from '../audit.ts';
import { userOf } from '../caller.ts';
import { ApiError, notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';

const STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;

const job = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(STATES),
  /** Which peer, which study: for people. */
  subject: z.record(z.string(), z.string()),
  progress: z.object({ done: z.int(), total: z.int() }),
  attempts: z.int(),
  error: z.string().optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** When it runs, for one that waits. */
  dueAt: z.string().optional(),
  cancellable: z.boolean(),
});

const named = z.object({ id: z.coerce.number().int().min(1) });

export function jobRoutes(queue: Pick<JobQueue, 'list' | 'cancel' | 'restart'>, audit: Audit): Route[] {
  const changed = async (view: JobView | undefined, id: number, user: string, action: string) => {
    if (view === undefined) throw notFound(`There is no job ${id}.`);
    await audit.record({ user, action, target: `${view.kind} ${id}`, after: view.title });
    return shown(view);
  };
  return [
    route({
      method: 'GET',
      path: '/api/jobs',
      summary: 'Jobs, newest first',
      query: z.object({
        state: z.enum(STATES).optional(),
        cursor: z.coerce.number().int().min(1).optional(),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.object({ items: z.array(job), next: z.string().optional() }),
      handle: async ({ query: { state, cursor, limit } }) => {
        const found = await queue.list({
          limit,
          ...(state === undefined ? {} : { states: [state] }),
          ...(cursor === undefined ? {} : { before: cursor }),
        });
        const last = found.at(-1);
        return {
          items: found.map(shown),
          ...(last === undefined || found.length < limit ? {} : { next: String(last.id) }),
        };
      },
    }),
    route({
      method: 'POST',
      path: '/api/jobs/:id/cancel',
      summary: 'End a job: at once when it waits, soon when it runs',
      params: named,
      answer: job,
      handle: async ({ params: { id }, caller }) => {
        const view = await queue.cancel(id);
        if (view !== undefined && (view.state === 'done' || view.state === 'failed'))
          throw new ApiError(409, 'job-ended', `Job ${id} has ended already.`);
        return changed(view, id, userOf(caller), 'job-cancelled');
      },
    }),
    route({
      method: 'POST',
      path: '/api/jobs/:id/restart',
      summary: 'Let a job that failed or was cancelled begin anew, and one that waits run now',
      params: named,
      answer: job,
      handle: async ({ params: { id }, caller }) =>
        changed(await queue.restart(id), id, userOf(caller), 'job-restarted'),
    }),
  ];
}

function shown({ id, title, error, dueAt, ...rest }: JobView): z.output<typeof job> {
  return {
    ...rest,
    id: String(id),
    subject: title,
    ...(error === '' ? {} : { error }),
    ...(dueAt === undefined ? {} : { dueAt }),
  };
}
