// What waits for the catalogue. While that takes nothing, more and more does: of most of it only what finds its bytes
// again stays in memory, and its record is made anew, from the durable record or from its file, when its turn comes.

import type { InstanceRecord, StoredLocation } from '../catalog/catalog.ts';
import { sealFileHead } from '../dicom/file-meta.ts';
import type { Held, StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import type { HeldRecord, Outcome, Placed } from './held-placement.ts';
import { type HeadSource, readInstanceHead, recordOf } from './instance-head.ts';
import { type InstanceUids, supersededPath, uidsOf } from './instance-path.ts';
import { keptPath } from './set-aside.ts';
import type { StoredHead } from './stored-instance.ts';
import { type CharacterSetOverrides, headAt, requireVolume } from './stored-record.ts';

/** A megabyte each at most. */
const AT_ONCE = 16;

/** An instance with its file. */
export interface PlacedEntry extends Placed {
  readonly sequence: number;
}

/** An instance that is nowhere but in the durable record. */
export interface HeldEntry extends HeldRecord {
  readonly sequence: number;
  /** Called once it has been tried to give it its file, or when it is let go. */
  tried?(): void;
}

export type Entry = PlacedEntry | HeldEntry;

interface Remains {
  readonly sequence: number;
  readonly uids: InstanceUids;
  readonly location: StoredLocation;
  readonly supersededPath: string | undefined;
}

/** An instance whose record is no longer in memory. */
export type LetGo = Remains & ({ readonly outcome: Outcome } | { readonly heldAt: Held });

export function letGo(entry: Entry): LetGo {
  const { record, sequence } = entry;
  const remains = {
    sequence,
    uids: uidsOf(record),
    location: record.location,
    supersededPath: record.supersededPath,
  };
  return 'held' in entry ? { ...remains, heldAt: entry.held } : { ...remains, outcome: entry.outcome };
}

export function isLetGo(entry: Entry | LetGo): entry is LetGo {
  return 'uids' in entry;
}

export function uidOf(entry: Entry | LetGo): string {
  return isLetGo(entry) ? entry.uids.sopInstanceUid : entry.record.instance.uid;
}

/** What they were before they were let go, in their order; undefined for one whose file has gone from the volume, or is
 *  no longer what it was. Throws when any cannot be read at the moment. */
export async function readAgain(
  storage: StorageArea,
  overrides: CharacterSetOverrides,
  entries: readonly LetGo[],
): Promise<(Entry | undefined)[]> {
  const whole: (Entry | undefined)[] = [];
  const read = (entry: LetGo) =>
    'heldAt' in entry ? readHeldAgain(storage, overrides, entry) : readPlacedAgain(storage, overrides, entry);
  for (let start = 0; start < entries.length; start += AT_ONCE) {
    whole.push(...(await Promise.all(entries.slice(start, start + AT_ONCE).map(read))));
  }
  return whole;
}

/** Its hash is the one of its reception: whatever has become of the bytes since, its file will be held against it. */
async function readHeldAgain(
  storage: StorageArea,
  overrides: CharacterSetOverrides,
  { sequence, location, heldAt }: Remains & { readonly heldAt: Held },
): Promise<HeldEntry> {
  const { sha256, dataSetBytes, dataSetOffset, receivedAt } = location;
  const bytes = await storage.readHeld(heldAt);
  const dataSet = bytes.subarray(dataSetOffset);
  // A copy: the bytes are not to stay for the sake of their head.
  const sealedHead = Buffer.from(bytes.subarray(0, dataSetOffset));
  sealFileHead(sealedHead, { sha256, bytes: dataSetBytes, receivedAt });
  const source = { dataSetBytes, head: async (wanted: number) => dataSet.subarray(0, wanted) };
  return { sequence, record: await recordFrom(source, location, overrides), held: heldAt, sealedHead };
}

async function readPlacedAgain(
  storage: StorageArea,
  overrides: CharacterSetOverrides,
  entry: Remains & { readonly outcome: Outcome },
): Promise<PlacedEntry | undefined> {
  const { sequence, outcome, location } = entry;
  try {
    const stored = await contentOf(storage, entry);
    if (stored !== undefined) {
      const record = await recordFrom(stored, location, overrides);
      const older = entry.supersededPath;
      return {
        sequence,
        outcome,
        record: older === undefined ? record : { ...record, supersededPath: older },
      };
    }
  } catch (error) {
    if (codeOf(error) !== 'unreadable') throw error;
  }
  await requireVolume(storage);
  return undefined;
}

/** The head of this content: at its place, or where newer content has driven it since. */
async function contentOf(storage: StorageArea, { uids, location }: Remains): Promise<StoredHead | undefined> {
  const { path, sha256, receivedAt } = location;
  const at = async (somewhere: string) => {
    const stored = await headAt(storage, somewhere);
    const isIt = stored !== undefined && stored !== 'unreadable' && stored.meta.integrity?.sha256 === sha256;
    return isIt ? stored : undefined;
  };
  const example = supersededPath(uids, receivedAt, sha256);
  return (await at(path)) ?? (await at(await keptPath(storage, example, receivedAt)));
}

async function recordFrom(
  source: HeadSource,
  location: StoredLocation,
  overrides: CharacterSetOverrides,
): Promise<InstanceRecord> {
  const head = await readInstanceHead(source, location.transferSyntaxUid);
  return recordOf(head, location, overrides(location.sourceAeTitle));
}
