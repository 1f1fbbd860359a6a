// The full test of a peer: started, watched, cancelled.
import { z } from 'zod';
import type { LiveConfig } from '../../config/live-config.ts';
import type { Peer } from '../../config/schema.ts';
import { type PeerTests, STEP_NAMES, type Steps } from '../peer-tests.ts';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';

const step = z.object({
  name: z.enum(STEP_NAMES),
  state: z.enum(['waiting', 'running', 'passed', 'failed', 'skipped']),
  ms: z.int().optional(),
  code: z.string().optional(),
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  detail: z.string().optional(),
});

const test = z.object({
  id: z.string(),
  aeTitle: z.string(),
  state: z.enum(['running', 'passed', 'failed', 'cancelled']),
  steps: z.array(step),
});

const byId = z.object({ id: z.uuid() });

export function peerTestRoutes(
  tests: PeerTests,
  config: LiveConfig,
  stepsFor: (peer: Peer) => Steps,
): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/peers/:aeTitle/tests',
      summary: 'Try every way that images go between a peer and here, with a made-up study',
      params: z.object({ aeTitle: z.string().max(16) }),
      status: 202,
      answer: z.object({ id: z.string() }),
      handle: ({ params: { aeTitle } }) => {
        const peer = config.current.peers.find((one) => one.aeTitle === aeTitle);
        if (peer === undefined) throw notFound(`No peer is called ${aeTitle}.`);
        return { id: tests.start(aeTitle, stepsFor(peer)) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/tests/:id',
      summary: 'How far a test is',
      params: byId,
      answer: test,
      handle: ({ params: { id } }) => {
        const found = tests.get(id);
        if (found === undefined) throw notFound('There is no such test; it may be long ago.');
        return { ...found, steps: [...found.steps] };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/tests/:id',
      summary: 'Stop a test',
      params: byId,
      handle: ({ params: { id } }) => {
        if (!tests.cancel(id)) throw notFound('There is no such test; it may be long ago.');
      },
    }),
  ];
}
