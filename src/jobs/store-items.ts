// Instances of the archive as items to send: for C-MOVE, C-GET, and for jobs.

import type { Archive, InstanceLocation, SelectKeys } from '../archive/archive.ts';
import { type ClosableDataSet, type StoreItem, streamed } from '../scu/item-queue.ts';
import type { InstanceKind } from '../scu/send.ts';
import type { ByteSource } from '../util/byte-source.ts';

/** Walks the selection once without opening a file: how many, and of which kinds. */
export async function survey(
  archive: Archive,
  selection: SelectKeys,
): Promise<{ total: number; kinds: InstanceKind[] }> {
  const kinds = new Map<string, InstanceKind>();
  let total = 0;
  for await (const page of archive.select(selection)) {
    total += page.length;
    for (const { sopClassUid, location } of page) {
      const { transferSyntaxUid } = location;
      kinds.set(`${sopClassUid} ${transferSyntaxUid}`, { sopClassUid, transferSyntaxUid });
    }
  }
  return { total, kinds: [...kinds.values()] };
}

/** The selection as items to send. */
export async function* storeItems(
  archive: Archive,
  selection: SelectKeys,
  toItem = storeItem,
): AsyncGenerator<StoreItem> {
  for await (const page of archive.select(selection)) {
    for (const instance of page) yield toItem(archive, instance);
  }
}

/** For somebody to look at. */
export function storeItem(archive: Archive, instance: InstanceLocation): StoreItem {
  return {
    ...namesOf(archive, instance),
    open: async (target, signal): Promise<ClosableDataSet> =>
      target === instance.location.transferSyntaxUid
        ? archive.openInstance(instance)
        : closable(async (done) => archive.openTranscoded(instance, target, done), signal),
  };
}

/** For somebody to keep: what is damaged does not arrive. */
export function provedItem(archive: Archive, instance: InstanceLocation): StoreItem {
  return {
    ...namesOf(archive, instance),
    open: async (target, signal): Promise<ClosableDataSet> =>
      target === instance.location.transferSyntaxUid
        ? archive.openProved(instance)
        : closable((done) => archive.openProvedTranscoded(instance, target, done), signal),
  };
}

function namesOf(archive: Archive, instance: InstanceLocation): Omit<StoreItem, 'open'> {
  const { sopClassUid, sopInstanceUid, location } = instance;
  return {
    ...{ sopClassUid, sopInstanceUid, transferSyntaxUid: location.transferSyntaxUid },
    canConvert: (target) => archive.canTranscode(instance, target),
  };
}

/** What is being converted is given up when the data set is closed. */
async function closable(
  open: (done: AbortSignal) => Promise<ByteSource>,
  signal: AbortSignal,
): Promise<ClosableDataSet> {
  const done = new AbortController();
  return streamed(await open(AbortSignal.any([signal, done.signal])), () => done.abort());
}
