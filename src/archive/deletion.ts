// Deleting, and bringing back. A deletion first takes instances out of the index and into the list of its trash, in one
// transaction, then moves their files; bringing back goes the other way. Whatever is interrupted is brought to its end
// at the next start: the list says what was meant, and every move can be made again.

import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { Catalog, QueryLevel, SelectKeys } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import type { Deletion, PatientKey, Protection, TrashEntry, TrashItem } from '../catalog/trash.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { attributesOf } from './deletion-attributes.ts';
import { ArchiveError, unavailable } from './errors.ts';
import { placeForOlder, type Restored, restoreItems } from './restoration.ts';
import { keptPath } from './set-aside.ts';
import { headAt, requireVolume } from './stored-record.ts';
import { trashPath, writeNote } from './trash-folder.ts';
import type { TrashSite } from './trash-site.ts';

/** One thing to delete. `study` tells two series of one UID apart. */
export type DeletionTarget =
  | { readonly patient: PatientKey }
  | { readonly study: string }
  | { readonly series: string; readonly study?: string }
  | { readonly instance: string };

export interface Emptied {
  readonly deletions: number;
  readonly files: number;
  readonly bytes: number;
}

const CHUNK = 256;
/** Moves at a time: what lies in one directory then shares its flushes. */
const AT_ONCE = 16;

export class Trash {
  readonly #site: TrashSite;

  constructor(site: TrashSite) {
    this.#site = site;
  }

  /** Moves what `target` names to the trash. Throws ArchiveError: 'not-found', 'protected', 'catalog-unavailable',
   *  'storage-failed'; after the last two what has begun is finished later (see `finish`). */
  delete(target: DeletionTarget, by: string, reason: string): Promise<TrashEntry> {
    return this.#alone(async () => {
      const { catalog, storage } = this.#site;
      const { level, keys } = selectionOf(target);
      const [first] = await this.#uidsOf(keys, 1);
      if (first === undefined)
        throw new ArchiveError('not-found', 'There is nothing of this kind to delete.');
      const deletedAt = this.#site.now().toISOString();
      const deletion: Deletion = {
        id: `${deletedAt.replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
        level,
        keys,
        attributes: await attributesOf(catalog, first, level),
        deletedAt,
        deletedBy: by,
        reason,
      };
      await catalog.ask('trashOpen', { ...deletion, state: 'deleting' });
      await writeNote(storage, deletion);
      await this.#takeAll(deletion);
      return this.#entry(deletion.id);
    });
  }

  /** Brings back what one deletion took; what cannot be brought back stays in the trash. Throws ArchiveError. */
  restore(trashId: string): Promise<Restored> {
    return this.#alone(async () => {
      await this.#change(trashId, ['trashed', 'restoring'], 'restoring');
      return this.#restoreAll(trashId);
    });
  }

  /** Newest first. */
  async *list(): AsyncGenerator<TrashEntry> {
    let before: readonly [string, string] | undefined;
    for (;;) {
      const page = await this.#asked(this.#site.catalog.ask('trashList', before ? { before } : {}));
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      before = [last.deletedAt, last.id];
    }
  }

  /** Destroys what was deleted before this moment. Nobody can bring it back. */
  empty(olderThan: Date): Promise<Emptied> {
    return this.#alone(async () => {
      const emptied = { deletions: 0, files: 0, bytes: 0 };
      const before = [olderThan.toISOString(), ''] as const;
      for (;;) {
        const page = await this.#site.catalog.ask('trashList', { before });
        const ripe = page.filter(({ state }) => state === 'trashed' || state === 'emptying');
        for (const { id, files, bytes } of ripe) {
          await this.#change(id, ['trashed', 'emptying'], 'emptying');
          await this.#destroy(id);
          emptied.deletions += 1;
          emptied.files += files;
          emptied.bytes += bytes;
        }
        if (ripe.length === 0) return emptied;
      }
    });
  }

  /** Brings to its end whatever was interrupted. Faults are told, and tried again the next time. */
  finish(): Promise<void> {
    return this.#alone(async () => {
      for (const entry of await this.#site.catalog.ask('trashUnfinished', undefined)) {
        try {
          if (entry.state === 'deleting') await this.#resumeDeleting(entry);
          else if (entry.state === 'restoring') await this.#restoreAll(entry.id);
          else await this.#destroy(entry.id);
        } catch (error) {
          if (error instanceof CatalogError) throw error;
          this.#site.onFault(`Trash ${entry.id} (${entry.state}) could not be finished: ${messageOf(error)}`);
        }
      }
    });
  }

  /** No part of this patient can be deleted until `unprotect`. */
  async protect(patient: PatientKey, by: string, reason: string): Promise<void> {
    requireId(patient);
    const protectedAt = this.#site.now().toISOString();
    await this.#asked(
      this.#site.catalog.ask('protect', { ...patient, protectedAt, protectedBy: by, reason }),
    );
  }

  /** false when the patient was not protected. */
  unprotect(patient: PatientKey): Promise<boolean> {
    return this.#asked(this.#site.catalog.ask('unprotect', patient));
  }

  protections(): Promise<readonly Protection[]> {
    return this.#asked(this.#site.catalog.ask('protections', undefined));
  }

  async #resumeDeleting(entry: TrashEntry): Promise<void> {
    const { catalog } = this.#site;
    for await (const items of this.#items(entry.id)) {
      const uids = [...new Set(items.map(({ sopInstanceUid }) => sopInstanceUid))];
      await this.#site.withoutReceptions(uids, async () => {
        const again = await pathsOf(catalog, uids);
        // Received again meanwhile: the file is that of the new instance.
        const taken = items.filter(({ path }) => !again.has(path));
        await catalog.ask('trashDrop', {
          trash: entry.id,
          items: items.filter(({ path }) => again.has(path)),
        });
        await this.#bury(entry.id, taken);
      });
    }
    await this.#takeAll(entry);
  }

  async #takeAll(deletion: Deletion): Promise<void> {
    const { catalog } = this.#site;
    let refusal: unknown;
    try {
      const uids = await this.#uidsOf(deletion.keys);
      for (let start = 0; start < uids.length; start += CHUNK) {
        const chunk = uids.slice(start, start + CHUNK);
        await this.#site.withoutReceptions(chunk, async () => {
          const items = await catalog.ask('trashTake', { trash: deletion.id, sopInstanceUids: chunk });
          await this.#bury(deletion.id, items);
        });
      }
    } catch (error) {
      if (codeOf(error) !== 'catalog-protected') throw error;
      refusal = new ArchiveError('protected', messageOf(error), { cause: error });
    }
    if ((await this.#entry(deletion.id)).files === 0) await this.#destroy(deletion.id);
    else await this.#change(deletion.id, ['deleting'], 'trashed');
    if (refusal !== undefined) throw refusal;
  }

  async #bury(trash: string, items: readonly TrashItem[]): Promise<void> {
    for (let start = 0; start < items.length; start += AT_ONCE) {
      const some = items.slice(start, start + AT_ONCE).map((item) => this.#buryOne(trash, item));
      const failed = (await Promise.allSettled(some)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    }
    const directories = new Map(items.map(({ path }) => [dirname(path), path]));
    for (const path of directories.values()) await this.#site.storage.removeEmptyDirectories(path);
  }

  async #buryOne(trash: string, item: TrashItem): Promise<void> {
    const { storage, catalog, onFault } = this.#site;
    const to = trashPath(trash, item.path);
    try {
      await storage.move(await placeOf(storage, item), to);
    } catch (error) {
      if (codeOf(error) !== 'missing') throw error;
      // Moved by an attempt that was cut short.
      if ((await headAt(storage, to)) !== undefined) return;
      await requireVolume(storage);
      onFault(`${item.path} was deleted, but its file had been missing before`);
      await catalog.ask('trashDrop', { trash, items: [item] });
    }
  }

  async #restoreAll(trash: string): Promise<Restored> {
    const result = { restored: 0, alreadyThere: 0, failed: [] as { path: string; reason: string }[] };
    for await (const items of this.#items(trash)) {
      const uids = [...new Set(items.map(({ sopInstanceUid }) => sopInstanceUid))];
      const page = await this.#site.withoutReceptions(uids, () => restoreItems(this.#site, trash, items));
      result.restored += page.restored;
      result.alreadyThere += page.alreadyThere;
      result.failed.push(...page.failed);
    }
    if ((await this.#entry(trash)).files === 0) await this.#destroy(trash);
    else await this.#change(trash, ['restoring'], 'trashed');
    return result;
  }

  async #destroy(trash: string): Promise<void> {
    const { storage, catalog } = this.#site;
    // After this record the journal says of everything before it that it needs no second placing.
    const { sequence } = await storage.journal.append(trashPath(trash, 'emptied'));
    storage.journal.done([sequence]);
    await storage.emptyTrash(trash);
    await catalog.ask('trashForget', trash);
  }

  async *#items(trash: string): AsyncGenerator<readonly TrashItem[]> {
    let after: TrashItem | undefined;
    for (;;) {
      const page = await this.#site.catalog.ask('trashItems', {
        trash,
        ...(after === undefined ? {} : { after }),
      });
      after = page.at(-1);
      if (after === undefined) return;
      yield page;
    }
  }

  async #uidsOf(keys: SelectKeys, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
    await this.#site.withoutReceptions([], async () => {});
    const uids: string[] = [];
    for await (const page of this.#site.catalog.select(keys)) {
      for (const { sopInstanceUid } of page) uids.push(sopInstanceUid);
      if (uids.length >= enough) break;
    }
    return uids;
  }

  async #entry(trash: string): Promise<TrashEntry> {
    const entry = await this.#site.catalog.ask('trashEntry', trash);
    if (entry === undefined)
      throw new ArchiveError('not-found', `There is no deletion ${trash} in the trash.`);
    return entry;
  }

  async #change(trash: string, from: readonly TrashEntry['state'][], to: TrashEntry['state']): Promise<void> {
    if (await this.#site.catalog.ask('trashState', { trash, from, to })) return;
    const { state } = await this.#entry(trash);
    throw new ArchiveError('trash-busy', `Deletion ${trash} is ${state} at the moment; try again later.`);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#asked(this.#site.storage.aloneInTrash(work));
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** Where the file of an item is: another daemon may have replaced it before it could tell the catalogue. */
async function placeOf(storage: StorageArea, item: TrashItem): Promise<string> {
  // What cannot be read can be moved all the same.
  const present = await headAt(storage, item.path).catch(() => 'unreadable' as const);
  if (present === undefined || present === 'unreadable' || !present.isComplete) return item.path;
  const sha256 = present.meta.integrity?.sha256 ?? item.sha256;
  return sha256 === item.sha256 ? item.path : keptPath(storage, placeForOlder(item), item.receivedAt);
}

async function pathsOf(catalog: Catalog, sopInstanceUids: readonly string[]): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for (const uid of sopInstanceUids) {
    const current = await catalog.locate(uid);
    if (current === undefined) continue;
    paths.add(current.location.path);
    for (const { path } of await catalog.superseded(uid)) paths.add(path);
  }
  return paths;
}

function selectionOf(target: DeletionTarget): { level: QueryLevel; keys: SelectKeys } {
  if ('instance' in target) return { level: 'IMAGE', keys: { sopInstanceUids: [target.instance] } };
  if ('series' in target) {
    const study = target.study === undefined ? {} : { studyUids: [target.study] };
    return { level: 'SERIES', keys: { seriesUids: [target.series], ...study } };
  }
  if ('study' in target) return { level: 'STUDY', keys: { studyUids: [target.study] } };
  requireId(target.patient);
  return { level: 'PATIENT', keys: { patientId: target.patient.id, issuer: target.patient.issuer } };
}

function requireId({ id }: PatientKey): void {
  if (id !== '') return;
  throw new ArchiveError(
    'not-found',
    'A patient without a Patient ID is known by its study only; name that.',
  );
}
