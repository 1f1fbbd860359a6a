// Who may call and what for: the table of peers, strangers, and callers on this machine.

import type { PeerAddress } from '../scu/associate.ts';
import { isLoopbackAddress } from '../util/loopback.ts';

export type Permission = 'store' | 'query' | 'retrieve';

export interface Peer extends PeerAddress {
  readonly may: readonly Permission[];
}

export type UnknownCallerPolicy = 'refuse' | 'echo' | 'all';

/** What one caller is: `refused`, or the permissions beyond echo. */
export type Caller = 'refused' | ReadonlySet<Permission>;

const EVERYTHING: ReadonlySet<Permission> = new Set(['store', 'query', 'retrieve']);
const NOTHING: ReadonlySet<Permission> = new Set();

export class Callers {
  #byAeTitle: ReadonlyMap<string, Peer> = new Map();
  #unknown: UnknownCallerPolicy = 'refuse';

  constructor(peers: readonly Peer[], unknown: UnknownCallerPolicy) {
    this.update(peers, unknown);
  }

  /** For associations from now on; those that are open keep what they were given. */
  update(peers: readonly Peer[], unknown: UnknownCallerPolicy): void {
    this.#byAeTitle = new Map(peers.map((peer) => [peer.aeTitle, peer]));
    this.#unknown = unknown;
  }

  get count(): number {
    return this.#byAeTitle.size;
  }

  peer(aeTitle: string): Peer | undefined {
    return this.#byAeTitle.get(aeTitle);
  }

  /** Neither a peer nor on this machine. */
  isStranger(callingAeTitle: string, address: string): boolean {
    return this.#byAeTitle.get(callingAeTitle) === undefined && !isLoopbackAddress(address);
  }

  /** A caller on this machine counts as known: whoever can start a program here can read the files anyway. */
  admit(callingAeTitle: string, address: string): Caller {
    const peer = this.#byAeTitle.get(callingAeTitle);
    if (peer !== undefined) return new Set(peer.may);
    if (isLoopbackAddress(address) || this.#unknown === 'all') return EVERYTHING;
    return this.#unknown === 'echo' ? NOTHING : 'refused';
  }
}
