// Instances of the archive as items to send: for C-MOVE, C-GET, and for jobs.

import type { Archive, InstanceLocation, SelectKeys } from '../archive/archive.ts';
import { type ClosableDataSet, type StoreItem, streamed } from '../scu/item-queue.ts';
import type { InstanceKind } from '../scu/send.ts';

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
export async function* storeItems(archive: Archive, selection: SelectKeys): AsyncGenerator<StoreItem> {
  for await (const page of archive.select(selection)) {
    for (const instance of page) yield storeItem(archive, instance);
  }
}

export function storeItem(archive: Archive, instance: InstanceLocation): StoreItem {
  const { transferSyntaxUid } = instance.location;
  return {
    sopClassUid: instance.sopClassUid,
    sopInstanceUid: instance.sopInstanceUid,
    transferSyntaxUid,
    canConvert: (target) => archive.canTranscode(instance, target),
    open: async (target, signal): Promise<ClosableDataSet> => {
      if (target === transferSyntaxUid) return archive.openInstance(instance);
      const done = new AbortController();
      const source = archive.openTranscoded(instance, target, AbortSignal.any([signal, done.signal]));
      return streamed(source, () => done.abort());
    },
  };
}
