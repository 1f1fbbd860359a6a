// Lists the trash again from the volume alone, for a catalogue that was lost: path and head of every file say what it
// is, the note of its deletion who wanted it, when and why.

import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { Deletion } from '../catalog/trash.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { messageOf } from '../util/errors.ts';
import { type CharacterSetOverrides, recordAt } from './stored-record.ts';
import { parseTrashPath, readNote } from './trash-folder.ts';

/** Deletions that the catalogue knows stay as they are. Answers how many files it knows now that it did not. */
export async function rebuildTrash(
  storage: StorageArea,
  catalog: Catalog,
  overrides: CharacterSetOverrides,
  onUnreadable: (path: string, reason: string) => void,
): Promise<number> {
  let listed = 0;
  const lost = new Map<string, boolean>();
  for await (const { path: trashed } of storage.walk('trash')) {
    const place = parseTrashPath(trashed);
    if (place === undefined) continue;
    try {
      const record = await recordAt(storage, trashed, overrides);
      if (record === undefined) throw new Error('it is not a file of this archive');
      const { deletion, path } = place;
      const isLost = lost.get(deletion) ?? (await openAgain(storage, catalog, deletion, record));
      lost.set(deletion, isLost);
      if (!isLost) continue;
      const { sha256, receivedAt, fileBytes } = record.location;
      const item = { sopInstanceUid: record.instance.uid, path, sha256, receivedAt, fileBytes };
      await catalog.ask('trashAdd', { trash: deletion, items: [item] });
      listed += 1;
    } catch (error) {
      onUnreadable(trashed, messageOf(error));
    }
  }
  return listed;
}

/** false when the catalogue knows this deletion. */
async function openAgain(
  storage: StorageArea,
  catalog: Catalog,
  id: string,
  { study }: InstanceRecord,
): Promise<boolean> {
  if ((await catalog.ask('trashEntry', id)) !== undefined) return false;
  const unknown: Deletion = {
    id,
    level: 'STUDY',
    keys: { studyUids: [study.uid] },
    attributes: study.attributes,
    deletedAt: new Date().toISOString(),
    deletedBy: '',
    reason: '',
  };
  await catalog.ask('trashOpen', { ...((await readNote(storage, id)) ?? unknown), state: 'trashed' });
  return true;
}
