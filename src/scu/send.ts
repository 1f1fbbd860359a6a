// Sends items to one peer, over as many associations as their kinds need and as the peer's habits make necessary.

import type { Invoker } from '../dimse/invoker.ts';
import { Status } from '../dimse/status.ts';
import { messageOf } from '../util/errors.ts';
import { associate, type PeerAddress } from './associate.ts';
import { ItemQueue, type StoreItem } from './item-queue.ts';
import { type MoveOriginator, proposalsFor, type StoreResult, storeAll } from './store.ts';

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
  const groups = contextGroups(kinds);
  for (const group of groups) {
    const queue = new ItemQueue(ofKinds(items(), group));
    try {
      const first = await firstAssociation(sending, group, group === groups[0]);
      yield* sendGroup(sending, group, queue, first);
    } finally {
      await queue.close();
    }
  }
}

/** A peer that drops the association costs the instance in transfer; the rest goes over a new one. One that sends
 *  nothing further, or cannot be reached again, fails the rest, by name. */
async function* sendGroup(
  sending: Sending,
  group: readonly InstanceKind[],
  items: ItemQueue,
  first: Invoker | string,
): AsyncGenerator<StoreResult> {
  const { signal, originator } = sending;
  let invoker = typeof first === 'string' ? undefined : first;
  let failure = typeof first === 'string' ? first : 'the peer ended the association';
  while (invoker !== undefined) {
    let hasProgress = false;
    try {
      for await (const result of storeAll(invoker, items, signal, originator)) {
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
  for (let item = await items.next(); item !== undefined; item = await items.next()) {
    yield { item, status: Status.unableToPerformSubOperations, error: failure };
  }
}

/** When not even the first one comes about, the caller has to know at once; later, results go on and name it. */
async function firstAssociation(
  sending: Sending,
  group: readonly InstanceKind[],
  mustSucceed: boolean,
): Promise<Invoker | string> {
  try {
    return await open(sending, group);
  } catch (error) {
    if (mustSucceed) throw error;
    return messageOf(error);
  }
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
