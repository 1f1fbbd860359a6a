// The machines this archive works with: added, changed, removed; and when each was last heard of.
import { z } from 'zod';
import type { LiveConfig } from '../../config/live-config.ts';
import type { Settings } from '../../config/migrate.ts';
import { type Peer, peer } from '../../config/schema.ts';
import { userOf } from '../caller.ts';
import { PEER_PRESETS } from '../peer-presets.ts';
import { ApiError, notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import type { ChangeConfig } from './change-config.ts';

const contact = z.object({
  at: z.string(),
  direction: z.enum(['in', 'out']),
  ok: z.boolean(),
  code: z.string().optional(),
  detail: z.string().optional(),
});
export type LastContact = z.output<typeof contact>;

const shownPeer = z.intersection(peer, z.object({ lastContact: contact.optional() }));
const named = z.object({ aeTitle: z.string().max(16) });

export interface PeerRoutesOptions {
  readonly config: LiveConfig;
  readonly change: ChangeConfig;
  readonly lastContact: (aeTitle: string) => LastContact | undefined;
}

export function peerRoutes({ config, change, lastContact }: PeerRoutesOptions): Route[] {
  const shown = (one: Peer) => {
    const last = lastContact(one.aeTitle);
    return last === undefined ? one : { ...one, lastContact: last };
  };
  const find = (aeTitle: string) => config.current.peers.find((one) => one.aeTitle === aeTitle);
  const mustBeThere = (aeTitle: string) => {
    if (find(aeTitle) === undefined) throw notFound(`No peer is called ${aeTitle}.`);
  };
  const mustBeFree = (aeTitle: string) => {
    if (find(aeTitle) === undefined) return;
    throw new ApiError(409, 'peer-exists', `There is a peer called ${aeTitle} already.`, {
      params: { aeTitle },
    });
  };
  /** What is due for a machine is known by its title. */
  const mustNotBeDestination = (aeTitle: string) => {
    if (config.current.forwarding.every(({ destination }) => destination !== aeTitle)) return;
    const detail = `A rule of forwarding sends to ${aeTitle}. Change or remove the rule first.`;
    throw new ApiError(409, 'peer-is-destination', detail, { params: { aeTitle } });
  };
  /** In the file and in what holds now, which differ by the peers of the command line. */
  const replace = (aeTitle: string, by: Peer | undefined) => (before: Settings) => {
    const peers = (before.peers as Peer[] | undefined) ?? [];
    const at = peers.findIndex((one) => one.aeTitle === aeTitle);
    const others = peers.filter((one) => one.aeTitle !== aeTitle);
    return {
      ...before,
      peers: by === undefined ? others : others.toSpliced(at === -1 ? others.length : at, 0, by),
    };
  };

  return [
    route({
      method: 'GET',
      path: '/api/peers',
      summary: 'The peers, with the state of the last contact',
      answer: z.object({ items: z.array(shownPeer) }),
      handle: () => ({ items: config.current.peers.map(shown) }),
    }),
    route({
      method: 'POST',
      path: '/api/peers',
      summary: 'Add a peer',
      body: peer,
      status: 201,
      answer: shownPeer,
      handle: async ({ body, caller }) => {
        mustBeFree(body.aeTitle);
        await change(userOf(caller), 'peer-added', body.aeTitle, replace(body.aeTitle, body));
        return shown(body);
      },
    }),
    route({
      method: 'PUT',
      path: '/api/peers/:aeTitle',
      summary: 'Change a peer, its AE title included',
      params: named,
      body: peer,
      answer: shownPeer,
      handle: async ({ params: { aeTitle }, body, caller }) => {
        mustBeThere(aeTitle);
        if (body.aeTitle !== aeTitle) {
          mustBeFree(body.aeTitle);
          mustNotBeDestination(aeTitle);
        }
        await change(userOf(caller), 'peer-changed', aeTitle, replace(aeTitle, body));
        return shown(body);
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/peers/:aeTitle',
      summary: 'Remove a peer; what it has sent stays',
      params: named,
      handle: async ({ params: { aeTitle }, caller }) => {
        mustBeThere(aeTitle);
        mustNotBeDestination(aeTitle);
        await change(userOf(caller), 'peer-removed', aeTitle, replace(aeTitle, undefined));
      },
    }),
    route({
      method: 'GET',
      path: '/api/peer-presets',
      summary: 'Usual values for common machines',
      answer: z.array(
        z.object({
          id: z.string(),
          title: z.string(),
          port: z.int().optional(),
          may: z.array(z.string()),
          hints: z.array(z.string()),
        }),
      ),
      handle: () => PEER_PRESETS.map((one) => ({ ...one, may: [...one.may], hints: [...one.hints] })),
    }),
  ];
}
