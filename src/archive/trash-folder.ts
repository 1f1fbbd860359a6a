// trash/<deletion>/ on the volume: every deleted file under the path that it had, and a note of who deleted it and why.
// With or without a catalogue that is enough to bring it back.

import type { Deletion } from '../catalog/trash.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { byteSourceOf } from '../util/byte-source.ts';
import { codeOf } from '../util/errors.ts';

const NOTE = 'deletion.json';
const MAX_NOTE_BYTES = 256 * 1024;

export function trashPath(deletion: string, path: string): string {
  return `trash/${deletion}/${path}`;
}

/** A place in the trash taken apart; undefined for what is no deleted file. */
export function parseTrashPath(trashed: string): { deletion: string; path: string } | undefined {
  const [, deletion, path] = /^trash\/([^/]+)\/((?:studies|superseded)\/.+)$/.exec(trashed) ?? [];
  return deletion === undefined || path === undefined ? undefined : { deletion, path };
}

/** For people, and for a catalogue that was lost. A full volume does without: deleting is how it gets space. */
export async function writeNote(storage: StorageArea, deletion: Deletion): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(deletion, undefined, 2)}\n`);
  try {
    const spooled = await storage.spool({ bytes: Buffer.alloc(0), seal: () => {} }, byteSourceOf(text));
    await spooled.place(trashPath(deletion.id, NOTE)).finally(() => spooled.discard());
  } catch (error) {
    if (codeOf(error) !== 'no-space' && codeOf(error) !== 'exists') throw error;
  }
}

/** What the note says; undefined when there is none, or none that can be read. */
export async function readNote(storage: StorageArea, deletion: string): Promise<Deletion | undefined> {
  try {
    using file = await storage.open(trashPath(deletion, NOTE));
    const bytes = Buffer.allocUnsafe(Math.min(file.stat().size, MAX_NOTE_BYTES));
    const text = bytes.toString('utf8', 0, await file.read([bytes], 0));
    const note = JSON.parse(text) as Partial<Deletion>;
    const texts = [note.deletedAt, note.deletedBy, note.reason];
    return note.id === deletion && texts.every((value) => typeof value === 'string')
      ? (note as Deletion)
      : undefined;
  } catch (error) {
    if (codeOf(error) === 'missing' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
