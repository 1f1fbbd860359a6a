// Who called without being a peer, and what for: a short list, so that somebody can add them with one click.

import { isStorageSopClass, VERIFICATION } from '../dicom/sop-class.ts';
import type { AssociationRequest } from '../dimse/listener.ts';
import { FIND_MODELS, GET_MODELS, MOVE_MODELS } from './query-models.ts';

export type Purpose = 'echo' | 'store' | 'query' | 'retrieve' | 'other';

export interface UnknownCaller {
  readonly aeTitle: string;
  readonly address: string;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly count: number;
  readonly tried: readonly Purpose[];
}

/** Whoever scans the network with ever new titles pushes out other strangers, no more. */
const MAX_CALLERS = 200;

export class UnknownCallers {
  /** Those seen longest ago first. */
  readonly #callers = new Map<string, UnknownCaller>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  note({ callingAeTitle: aeTitle, remoteAddress: address, proposes }: AssociationRequest): void {
    const key = keyOf(aeTitle, address);
    const known = this.#callers.get(key);
    const now = this.#now();
    const purposes = [...proposes].map(purposeOf);
    this.#callers.delete(key);
    const [oldest] = this.#callers.keys();
    if (oldest !== undefined && this.#callers.size >= MAX_CALLERS) this.#callers.delete(oldest);
    this.#callers.set(key, {
      aeTitle,
      address,
      firstSeenAt: known?.firstSeenAt ?? now,
      lastSeenAt: now,
      count: (known?.count ?? 0) + 1,
      tried: [...new Set([...(known?.tried ?? []), ...purposes])],
    });
  }

  /** Last seen first. */
  list(): UnknownCaller[] {
    return [...this.#callers.values()].reverse();
  }

  /** From everywhere when no address is given. True when there was one. */
  forget(aeTitle: string, address?: string): boolean {
    const gone = this.list().filter(
      (one) => one.aeTitle === aeTitle && (address === undefined || one.address === address),
    );
    for (const one of gone) this.#callers.delete(keyOf(one.aeTitle, one.address));
    return gone.length > 0;
  }
}

/** What an abstract syntax is proposed for. */
export function purposeOf(abstractSyntax: string): Purpose {
  if (abstractSyntax === VERIFICATION) return 'echo';
  if (FIND_MODELS.has(abstractSyntax)) return 'query';
  if (MOVE_MODELS.has(abstractSyntax) || GET_MODELS.has(abstractSyntax)) return 'retrieve';
  return isStorageSopClass(abstractSyntax) ? 'store' : 'other';
}

function keyOf(aeTitle: string, address: string): string {
  return `${aeTitle}\n${address}`;
}
