// Storage SCU: C-STORE of instances as they are stored, or losslessly decompressed where the peer takes nothing else
// (PS3.4 Annex B). Also the sub-operations of C-MOVE and C-GET.

import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax.ts';
import { CommandField, Priority } from '../dimse/commands.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Invoker, PreparedRequest } from '../dimse/invoker.ts';
import { isWarning, Status } from '../dimse/status.ts';
import type { AcceptedContext } from '../ul/association.ts';
import type { AssociateOptions } from '../ul/requestor.ts';
import { messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import type { ClosableDataSet, ItemQueue, StoreItem } from './item-queue.ts';

/** How one C-STORE ended. `error` says why nothing could be sent. */
export interface StoreResult {
  readonly item: StoreItem;
  readonly status: number;
  readonly error?: string;
}

export interface MoveOriginator {
  readonly aeTitle: string;
  readonly messageId: number;
}

/** How many instances are opened and begun before their turn: a disk's or a thread's delay then costs nothing. */
const READ_AHEAD = 4;

interface Ready {
  readonly item: StoreItem;
  readonly dataSet: ClosableDataSet;
  readonly prepared: PreparedRequest;
}

/** Proposals that let every instance leave as it is stored, or uncompressed: one context per class and stored
 *  syntax, so that the acceptor cannot choose between them for us, and one to fall back on. */
export function proposalsFor(
  kinds: Iterable<{ sopClassUid: string; transferSyntaxUid: string }>,
): AssociateOptions['contexts'] {
  const byClass = new Map<string, Set<string>>();
  for (const { sopClassUid, transferSyntaxUid } of kinds) {
    const syntaxes = byClass.get(sopClassUid) ?? new Set();
    byClass.set(sopClassUid, syntaxes.add(transferSyntaxUid));
  }
  return [...byClass].flatMap(([abstractSyntax, stored]) => {
    const exact = [...stored].map((uid) => ({ abstractSyntax, transferSyntaxes: [uid] }));
    const fallback = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN].filter((uid) => !stored.has(uid));
    return fallback.length === 0 ? exact : [...exact, { abstractSyntax, transferSyntaxes: fallback }];
  });
}

/** Sends items one after the other on one association, while the next ones are read from disk. Yields one result per
 *  item, in order. When `signal` aborts or the association ends, what was not sent goes back into the queue. */
export async function* storeAll(
  invoker: Invoker,
  items: ItemQueue,
  signal: AbortSignal,
  originator?: MoveOriginator,
): AsyncGenerator<StoreResult> {
  const ahead: Promise<Ready | StoreResult | undefined>[] = [];
  const prepareNext = async () => {
    const item = signal.aborted ? undefined : await items.next();
    return item === undefined ? undefined : ready(invoker, item, signal, originator);
  };
  const isOver = () => signal.aborted || invoker.association.signal.aborted;
  const prepareMore = () => {
    while (ahead.length < READ_AHEAD) ahead.push(awaitedLater(prepareNext()));
  };
  try {
    prepareMore();
    while (!isOver()) {
      const current = await ahead.shift();
      if (current === undefined) return;
      // First the write, then what may take its time while the peer is at work.
      const sent = 'prepared' in current ? send(invoker, current) : current;
      prepareMore();
      yield await sent;
    }
  } finally {
    const unsent: StoreItem[] = [];
    for (const outcome of await Promise.allSettled(ahead)) {
      if (outcome.status === 'rejected' || outcome.value === undefined) continue;
      if ('dataSet' in outcome.value) outcome.value.dataSet.close();
      unsent.push(outcome.value.item);
    }
    items.giveBack(unsent);
  }
}

async function ready(
  invoker: Invoker,
  item: StoreItem,
  signal: AbortSignal,
  originator: MoveOriginator | undefined,
): Promise<Ready | StoreResult> {
  const context = contextFor(invoker, item);
  if (context === undefined) {
    return {
      item,
      status: Status.sopClassNotSupported,
      error: `The peer accepts no transfer syntax in which instance ${item.sopInstanceUid} can be sent unchanged.`,
    };
  }
  let dataSet: ClosableDataSet | undefined;
  try {
    dataSet = await item.open(context.transferSyntax, signal);
    const prepared = await invoker.prepare(
      context,
      {
        commandField: CommandField.cStoreRq,
        affectedSopClassUid: item.sopClassUid,
        affectedSopInstanceUid: item.sopInstanceUid,
        priority: Priority.medium,
        ...(originator === undefined
          ? {}
          : { moveOriginatorAeTitle: originator.aeTitle, moveOriginatorMessageId: originator.messageId }),
      },
      dataSet,
    );
    return { item, dataSet, prepared };
  } catch (error) {
    dataSet?.close();
    return { item, status: Status.processingFailure, error: messageOf(error) };
  }
}

async function send(invoker: Invoker, { item, dataSet, prepared }: Ready): Promise<StoreResult> {
  try {
    const { command } = await invoker.send(prepared);
    const status = command.status ?? Status.processingFailure;
    return command.errorComment === undefined
      ? { item, status }
      : { item, status, error: command.errorComment };
  } catch (error) {
    const status = error instanceof DimseError ? error.status : Status.processingFailure;
    return { item, status, error: messageOf(error) };
  } finally {
    dataSet.close();
  }
}

/** The stored syntax wins; else an uncompressed one that the item can be converted to. */
function contextFor(invoker: Invoker, item: StoreItem): AcceptedContext | undefined {
  const usable = [...invoker.association.contexts.values()].filter(
    ({ abstractSyntax, scu }) => scu && abstractSyntax === item.sopClassUid,
  );
  return (
    usable.find(({ transferSyntax }) => transferSyntax === item.transferSyntaxUid) ??
    usable.find(({ transferSyntax }) => item.canConvert(transferSyntax))
  );
}

export { statusText } from '../dimse/status.ts';

/** Success, or a warning: the peer has it (PS3.4 §B.2.3). */
export function isStored(status: number): boolean {
  return status === Status.success || isWarning(status);
}

/** A refusal that the same instance will meet again. */
export function isLasting(status: number): boolean {
  return (
    status === Status.sopClassNotSupported ||
    (status & 0xff00) === Status.dataSetDoesNotMatchSopClass ||
    (status & 0xf000) === Status.cannotUnderstand
  );
}
