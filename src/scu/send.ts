// Sends items to one peer, over as many associations as their kinds need and as the peer's habits make necessary.

import type { Invoker } from '../dimse/invoker.ts';
import { Status } from '../dimse/status.ts';
import { messageOf } from '../util/errors.ts';
import { associate, type PeerAddress } from './associate.ts';
import { type MoveOriginator, proposalsFor, type StoreItem, type StoreResult, storeAll } from './store.ts';

/** One kind of instance: what has to be negotiated for it. */
export interface InstanceKind {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
}

export interface Sending {
  readonly peer: PeerAddress;
  readonly callingAeTitle: string;
  readonly signal: AbortSignal;
  readonly originator?: MoveOriginator;
}

/** An association has 128 context ids (PS3.8 §9.3.2.2). */
const MAX_CONTEXTS = 128;

/** Yields one result per item, whatever happens after the first association was accepted; before that, rejects.
 *  `items` is asked once per group of kinds that fit one association. */
export async function* sendItems(
  sending: Sending,
  kinds: readonly InstanceKind[],
  items: () => AsyncIterable<StoreItem>,
): AsyncGenerator<StoreResult> {
  for (const group of contextGroups(kinds)) yield* sendGroup(sending, group, ofKinds(items(), group));
}

/** A peer that drops the association costs the instance in transfer; the rest goes over a new one. One that sends
 *  nothing further, or cannot be reached again, fails the rest, by name. */
async function* sendGroup(
  sending: Sending,
  group: readonly InstanceKind[],
  items: AsyncGenerator<StoreItem>,
): AsyncGenerator<StoreResult> {
  const { signal, originator } = sending;
  // Ending one association must not end the items.
  const rest: AsyncIterable<StoreItem> = { [Symbol.asyncIterator]: () => ({ next: () => items.next() }) };
  let invoker: Invoker | undefined = await open(sending, group);
  let failure = 'the peer ended the association';
  while (invoker !== undefined) {
    let hasProgress = false;
    try {
      for await (const result of storeAll(invoker, rest, signal, originator)) {
        hasProgress = true;
        yield result;
      }
      if (signal.aborted) return;
      if (!invoker.association.signal.aborted) {
        // Every item is answered: a peer that is clumsy about the release has lost nothing.
        await invoker.association.release().catch(() => invoker?.association.abort());
        return;
      }
    } finally {
      invoker.association.abort();
    }
    invoker = hasProgress
      ? await open(sending, group).catch((error: unknown) => {
          failure = messageOf(error);
          return undefined;
        })
      : undefined;
  }
  for await (const item of items) yield { item, status: Status.unableToPerformSubOperations, error: failure };
}

function open({ peer, callingAeTitle, signal }: Sending, group: readonly InstanceKind[]): Promise<Invoker> {
  return associate(peer, callingAeTitle, proposalsFor(group), signal);
}

/** Kinds of one SOP class stay together, because they share a fallback context. */
function contextGroups(kinds: readonly InstanceKind[]): InstanceKind[][] {
  const groups: InstanceKind[][] = [];
  for (const kind of kinds.toSorted((a, b) => (a.sopClassUid < b.sopClassUid ? -1 : 1))) {
    const last = groups.at(-1);
    if (last !== undefined && proposalsFor([...last, kind]).length <= MAX_CONTEXTS) last.push(kind);
    else groups.push([kind]);
  }
  return groups;
}

async function* ofKinds(
  items: AsyncIterable<StoreItem>,
  kinds: readonly InstanceKind[],
): AsyncGenerator<StoreItem> {
  for await (const item of items) {
    const isMeant = kinds.some(
      (kind) => kind.sopClassUid === item.sopClassUid && kind.transferSyntaxUid === item.transferSyntaxUid,
    );
    if (isMeant) yield item;
  }
}
