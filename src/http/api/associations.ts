// Who is connected now; and who called without being a peer.
import { z } from 'zod';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';

const association = z.object({
  id: z.string(),
  calling: z.string(),
  called: z.string(),
  address: z.string(),
  since: z.string(),
  direction: z.enum(['in', 'out']),
  bytesIn: z.int(),
  bytesOut: z.int(),
  /** Bytes, both ways, of the last seconds. */
  ratePerSecond: z.int(),
  /** Stored by it. */
  instances: z.int(),
  doing: z.enum(['echo', 'store', 'query', 'retrieve', 'commit', 'send', 'idle']),
});
export type LiveAssociation = z.output<typeof association>;

const PURPOSES = ['echo', 'store', 'query', 'retrieve', 'other'] as const;

const unknownCaller = z.object({
  aeTitle: z.string(),
  address: z.string(),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  count: z.int(),
  tried: z.array(z.enum(PURPOSES)),
});

export interface CallerRoutesOptions {
  readonly associations: () => LiveAssociation[];
  readonly unknownCallers: () => z.output<typeof unknownCaller>[];
  /** False when there was none. */
  readonly forget: (aeTitle: string, address: string | undefined) => boolean;
}

export function callerRoutes({ associations, unknownCallers, forget }: CallerRoutesOptions): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/associations',
      summary: 'Associations open now, in both directions',
      answer: z.object({ items: z.array(association) }),
      handle: () => ({ items: associations() }),
    }),
    route({
      method: 'GET',
      path: '/api/unknown-callers',
      summary: 'Who called without being a peer, and what for',
      answer: z.object({ items: z.array(unknownCaller) }),
      handle: () => ({ items: unknownCallers() }),
    }),
    route({
      method: 'DELETE',
      path: '/api/unknown-callers/:aeTitle',
      summary: 'Take a caller off that list, until it calls again',
      params: z.object({ aeTitle: z.string().max(16) }),
      query: z.object({ address: z.string().max(64).optional() }),
      handle: ({ params: { aeTitle }, query: { address } }) => {
        if (!forget(aeTitle, address)) throw notFound(`No unknown caller is called ${aeTitle}.`);
      },
    }),
  ];
}
