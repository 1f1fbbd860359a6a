// POST /api/echo: does a machine answer, and if not, why, and what to do about it. It need not be a peer yet.
import { z } from 'zod';
import { peer } from '../../config/schema.ts';
import { ApiError } from '../problem.ts';
import { type Route, route } from '../route.ts';

const CODES = [
  'name-not-resolved',
  'host-unreachable',
  'port-closed',
  'not-dicom',
  'tls-mismatch',
  'called-ae-unknown',
  'calling-ae-refused',
  'rejected-other',
  'no-presentation-context',
  'timed-out',
  'aborted',
] as const;

const answer = z.union([
  z.object({ ok: z.literal(true), ms: z.int() }),
  z.object({
    ok: z.literal(false),
    code: z.enum(CODES),
    params: z.record(z.string(), z.union([z.string(), z.number()])),
    detail: z.string(),
  }),
]);
export type EchoAnswer = z.output<typeof answer>;

export interface EchoTarget {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean | undefined;
}

const MAX_AT_ONCE = 8;

export function echoRoute(echo: (peer: EchoTarget, signal: AbortSignal) => Promise<EchoAnswer>): Route {
  let running = 0;
  return route({
    method: 'POST',
    path: '/api/echo',
    summary: 'Does a machine answer (C-ECHO)? If not: why, and what to do',
    // What else a form may hold of a peer is passed over.
    body: z.object({
      aeTitle: peer.shape.aeTitle,
      host: peer.shape.host,
      port: peer.shape.port,
      tls: peer.shape.tls,
    }),
    answer,
    handle: async ({ body, signal }) => {
      if (running >= MAX_AT_ONCE)
        throw new ApiError(503, 'busy', 'Other echoes are still running; try again.');
      running += 1;
      try {
        return await echo(body, signal);
      } finally {
        running -= 1;
      }
    },
  });
}
