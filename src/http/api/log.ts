// The log and the audit, newest first.
import { z } from 'zod';
import { type Audit, auditEntry } from '../audit.ts';
import { readLogTail } from '../log-tail.ts';
import { type Route, route } from '../route.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const limit = z.coerce.number().int().min(1).max(1000).default(200);

export function logRoutes(logDirectory: string, audit: Audit): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/log',
      summary: 'The newest lines of the log, of a level and worse, that hold a text',
      query: z.object({
        level: z.enum(LEVELS).optional(),
        q: z.string().max(200).optional(),
        before: z
          .string()
          .regex(/^[\d:.TZ-]{20,30}~\d{1,9}$/)
          .optional(),
        limit,
      }),
      answer: z.object({
        items: z.array(
          z.object({
            id: z.string(),
            at: z.string(),
            level: z.enum(LEVELS),
            message: z.string(),
            fields: z.record(z.string(), z.string()),
          }),
        ),
        next: z.string().optional(),
      }),
      handle: async ({ query }) => {
        const items = await readLogTail(logDirectory, query);
        return { items, ...nextOf(items, query.limit) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/audit',
      summary: 'Who changed what',
      query: z.object({ before: z.coerce.number().int().optional(), limit }),
      answer: z.object({ items: z.array(auditEntry), next: z.string().optional() }),
      handle: async ({ query }) => {
        const items = await audit.list(query.limit, query.before);
        return { items, ...nextOf(items, query.limit) };
      },
    }),
  ];
}

/** The page after a full one begins behind its last row. */
function nextOf(items: readonly { id: string | number }[], most: number): { next?: string } {
  const last = items.at(-1);
  return last === undefined || items.length < most ? {} : { next: String(last.id) };
}
