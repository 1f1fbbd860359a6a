// Another daemon deletes what this one is receiving again: a large instance has been given its file, or was found to be
// here already, before its turn in the queue comes, and that file may be in the trash by then.

import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { TrashItem } from '../catalog/trash.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import { headAt } from './stored-record.ts';
import { trashPath } from './trash-folder.ts';

/** Whoever sent it has been told that it is here: its file comes back from the trash, before the catalogue learns of it.
 *  Done while nothing is being deleted. */
export async function bringBack(
  storage: StorageArea,
  catalog: Catalog,
  { instance, location }: InstanceRecord,
): Promise<void> {
  if ((await headAt(storage, location.path)) !== undefined) return;
  for (const item of await catalog.ask('trashOf', instance.uid)) {
    if (item.sha256 !== location.sha256) continue;
    try {
      await storage.move(trashPath(item.trash, item.path), location.path);
    } catch (error) {
      if (codeOf(error) !== 'missing') throw error;
      continue;
    }
    await catalog.ask('trashDrop', { trash: item.trash, items: [item] });
    return;
  }
}

/** Whether it was brought back by a daemon that died before it could say so. Then the trash is told now. */
export async function wasBroughtBack(
  storage: StorageArea,
  catalog: Catalog,
  item: TrashItem & { readonly trash: string },
): Promise<boolean> {
  if ((await catalog.ask('trashEntry', item.trash))?.state !== 'trashed') return false;
  if ((await headAt(storage, trashPath(item.trash, item.path))) !== undefined) return false;
  await catalog.ask('trashDrop', { trash: item.trash, items: [item] });
  return true;
}
