// Files of the trash go back to where they were and into the index, or, where something newer has their place, to
// superseded/. Each step can be made again after a crash.

import type { InstanceRecord } from '../catalog/catalog.ts';
import type { TrashItem } from '../catalog/trash.ts';
import { StorageError } from '../storage/storage-error.ts';
import { messageOf } from '../util/errors.ts';
import { ArchiveError } from './errors.ts';
import { supersededPath } from './instance-path.ts';
import type { StoredHead } from './stored-instance.ts';
import { headAt, recordAt } from './stored-record.ts';
import { trashPath } from './trash-folder.ts';
import type { TrashSite } from './trash-site.ts';

export interface Restored {
  readonly restored: number;
  /** The same content has been received again; the one in the trash stays there. */
  readonly alreadyThere: number;
  /** These stay in the trash. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

type Outcome =
  | { readonly item: TrashItem; readonly record: InstanceRecord | undefined }
  | { readonly kept: true }
  | { readonly failed: { readonly path: string; readonly reason: string } };

/** Brings back items ordered by UID and time of receipt, while none of their instances is being received. */
export async function restoreItems(
  site: TrashSite,
  trash: string,
  items: readonly TrashItem[],
): Promise<Restored> {
  const result = { restored: 0, alreadyThere: 0, failed: [] as { path: string; reason: string }[] };
  for (const round of rounds(items)) {
    const outcomes = await Promise.all(round.map((item) => restoreInWords(site, trash, item)));
    const back = outcomes.filter((outcome) => 'item' in outcome);
    await site.catalog.ingest(back.flatMap(({ record }) => record ?? []));
    await site.catalog.ask('trashDrop', { trash, items: back.map(({ item }) => item) });
    result.restored += back.length;
    result.alreadyThere += outcomes.filter((outcome) => 'kept' in outcome).length;
    result.failed.push(...outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : [])));
  }
  return result;
}

const ROUND = 16;

/** No UID twice in a round: each content is compared with the one before. */
function* rounds(items: readonly TrashItem[]): Generator<TrashItem[]> {
  let round: TrashItem[] = [];
  for (const item of items) {
    if (round.length === ROUND || round.at(-1)?.sopInstanceUid === item.sopInstanceUid) {
      yield round;
      round = [];
    }
    round.push(item);
  }
  if (round.length > 0) yield round;
}

async function restoreInWords(site: TrashSite, trash: string, item: TrashItem): Promise<Outcome> {
  try {
    return await restoreOne(site, trash, item);
  } catch (error) {
    if (!(error instanceof StorageError || error instanceof ArchiveError)) throw error;
    return { failed: { path: item.path, reason: messageOf(error) } };
  }
}

async function restoreOne(site: TrashSite, trash: string, item: TrashItem): Promise<Outcome> {
  const { storage, catalog, overrides } = site;
  const from = trashPath(trash, item.path);
  const inTrash = await headAt(storage, from);
  const current = (await catalog.locate(item.sopInstanceUid))?.location;
  const contents = current === undefined ? [] : [current, ...(await catalog.superseded(item.sopInstanceUid))];
  const isKnown = contents.some((one) => one.sha256 === item.sha256 && one.receivedAt === item.receivedAt);
  if (isKnown || current?.sha256 === item.sha256) {
    // Without a file in the trash it is what an earlier attempt brought back.
    return inTrash === undefined ? { item, record: undefined } : { kept: true };
  }
  if (inTrash !== undefined && !isContent(inTrash, item)) {
    return { failed: { path: item.path, reason: `${from} is not what was deleted; it is damaged` } };
  }
  for (const to of [item.path, placeForOlder(item, current?.receivedAt)]) {
    const present = await headAt(storage, to);
    if (present !== undefined && (!isContent(present, item) || contents.some(({ path }) => path === to)))
      continue;
    if (inTrash !== undefined) await storage.move(from, to);
    else if (present === undefined) continue;
    return { item, record: await recordAt(storage, to, overrides) };
  }
  const reason =
    inTrash === undefined ? 'its file is not in the trash' : 'other files have every place it could go to';
  return { failed: { path: item.path, reason } };
}

function isContent(head: StoredHead | 'unreadable', { sha256 }: TrashItem): boolean {
  return head !== 'unreadable' && head.isComplete && head.meta.integrity?.sha256 === sha256;
}

/** Where this content goes, or went, when a newer one has its place; every path ends with study, series and instance. */
export function placeForOlder(
  { path, sopInstanceUid, receivedAt, sha256 }: TrashItem,
  newer = receivedAt,
): string {
  const [studyUid = '', seriesUid = ''] = path.split('/').slice(-3);
  return supersededPath({ studyUid, seriesUid, sopInstanceUid }, newer, sha256);
}
