// What goes on from here by itself: how far each destination is, and what is sent there but not confirmed.
import { z } from 'zod';
import type { Forwarding } from '../../jobs/forwarding.ts';
import { type Route, route } from '../route.ts';

const count = z.int().min(0);

const destination = z.object({
  destination: z.string(),
  isSecondArchive: z.boolean(),
  /** False as long as not everything that was here before has been looked through: more may be due. */
  isSurveyed: z.boolean(),
  due: count,
  /** Answered with Success, and not confirmed. */
  sent: count,
  refused: count,
  openBytes: count,
  oldestAt: z.string().optional(),
});

const uncommitted = z.object({
  id: count,
  studyUid: z.string(),
  sopInstanceUid: z.string(),
  sentAt: z.string(),
  askedAt: z.string().optional(),
});

const studyCopies = z.object({
  destination: z.string(),
  due: count,
  sent: count,
  committed: count,
  refused: count,
});

export function forwardingRoutes(forwarding: Forwarding): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/forwarding',
      summary: 'Destinations to which instances go by themselves, and how far each is',
      answer: z.object({ items: z.array(destination) }),
      handle: async () => ({ items: await forwarding.status() }),
    }),
    route({
      method: 'GET',
      path: '/api/forwarding/:destination/uncommitted',
      summary: 'What was sent to a destination and is not committed there, oldest first',
      params: z.object({ destination: z.string() }),
      query: z.object({
        cursor: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.object({ items: z.array(uncommitted), next: z.string().optional() }),
      handle: async ({ params, query: { cursor, limit } }) => {
        const found = await forwarding.uncommitted({ destination: params.destination, after: cursor, limit });
        const last = found.at(-1);
        return {
          items: found.map(({ askedAt, ...rest }) => ({ ...rest, ...(askedAt === '' ? {} : { askedAt }) })),
          ...(last === undefined || found.length < limit ? {} : { next: String(last.id) }),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/studies/:studyUid/copies',
      summary: 'How much of a study is due at, sent to and committed by each destination',
      params: z.object({ studyUid: z.string() }),
      answer: z.object({ items: z.array(studyCopies) }),
      handle: async ({ params }) => {
        const found = await forwarding.ofStudies([params.studyUid]);
        return { items: found.map(({ studyUid: _, ...rest }) => rest) };
      },
    }),
  ];
}
