// Makes a damaged file anew from whatever still has the very same bytes. What is damaged goes to quarantine/, never
// away, and nothing counts as repaired before it has been read again.

import type { Catalog, InstanceLocation, StoredLocation } from '../catalog/catalog.ts';
import { encodeFileHead, type FileMeta } from '../dicom/file-meta.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { FileRange, rangeSource } from '../util/file-range.ts';
import { type Damage, examine, type Verdict } from './examine.ts';
import { quarantinePath } from './instance-path.ts';
import { headAt } from './stored-record.ts';
import { trashPath } from './trash-folder.ts';

/** The data set of an instance, in its stored transfer syntax, from the second archive; undefined when it is not there. */
export type FetchBack = (instance: InstanceLocation) => Promise<FetchedBack | undefined>;

export interface FetchedBack {
  readonly source: ByteSource;
  /** To be called when nothing more is read of it: whether these bytes have their place and have been read again. */
  settled?(isRestored: boolean): void;
}

export interface RepairSite {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  /** Of this archive. */
  readonly aeTitle: string;
  readonly fetchBack?: FetchBack;
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** Where bytes may come from: nowhere, this volume, the second archive, or both. */
export type Reach = 'none' | 'local' | 'second-archive' | 'both';

export interface Repair {
  readonly isSound: boolean;
  /** What was done, or why nothing could be. */
  readonly outcome: string;
}

/** `instance` is one content, current or older, as the catalogue has it. */
export function repair(site: RepairSite, instance: InstanceLocation, reach: Reach): Promise<Repair> {
  const { sopInstanceUid, location } = instance;
  return site.withoutReceptions([sopInstanceUid], async () => {
    if (!(await isListed(site.catalog, sopInstanceUid, location))) {
      return { isSound: true, outcome: 'the archive has other content at this place by now' };
    }
    const verdict = await examine(site.storage, instance, atOnce);
    if (verdict.result === 'sound') return { isSound: true, outcome: 'read again, it is sound' };
    if (verdict.result === 'permissions' && reach !== 'second-archive') {
      const allowed = await allowReading(site, instance);
      if (allowed) return { isSound: true, outcome: 'its permissions were set right' };
    }
    const failures: string[] = [];
    for await (const candidate of candidates(site, instance, verdict, reach)) {
      const failure = await tryCandidate(site, instance, candidate, verdict.meta);
      if (failure === undefined) return { isSound: true, outcome: `restored from ${candidate.name}` };
      failures.push(`${candidate.name}: ${failure}`);
    }
    const tried = failures.length === 0 ? 'nothing else has the same bytes' : failures.join('; ');
    return { isSound: false, outcome: `${verdict.reason}; not restored: ${tried}` };
  });
}

async function atOnce(): Promise<void> {}

async function isListed(
  catalog: Catalog,
  sopInstanceUid: string,
  location: StoredLocation,
): Promise<boolean> {
  const current = await catalog.locate(sopInstanceUid);
  if (current === undefined) return false;
  const contents = [current.location, ...(await catalog.superseded(sopInstanceUid))];
  return contents.some(({ path, sha256 }) => path === location.path && sha256 === location.sha256);
}

async function allowReading({ storage }: RepairSite, instance: InstanceLocation): Promise<boolean> {
  try {
    await storage.allowReading(instance.location.path);
  } catch (error) {
    if (error instanceof StorageError) return false;
    throw error;
  }
  return (await examine(storage, instance, atOnce)).result === 'sound';
}

/** What may have the bytes. */
interface Candidate {
  readonly name: string;
  readonly open: () => Promise<ByteSource | undefined>;
  readonly close?: (isRestored: boolean) => void;
}

async function* candidates(
  site: RepairSite,
  instance: InstanceLocation,
  { result, meta }: Damage,
  reach: Reach,
): AsyncGenerator<Candidate> {
  const { catalog, storage, fetchBack } = site;
  const { sopInstanceUid, location } = instance;
  if (reach === 'local' || reach === 'both') {
    if (result === 'meta-altered') {
      yield fileCandidate(storage, location.path, location, 'its own data set, which is sound');
    }
    const current = await catalog.locate(sopInstanceUid);
    const listed = [...(current ? [current.location] : []), ...(await catalog.superseded(sopInstanceUid))];
    for (const other of listed) {
      if (other.sha256 === location.sha256 && other.path !== location.path) {
        yield fileCandidate(storage, other.path, location);
      }
    }
    for (const item of await catalog.ask('trashOf', sopInstanceUid)) {
      if (item.sha256 === location.sha256) {
        yield fileCandidate(storage, trashPath(item.trash, item.path), location);
      }
    }
    if (result === 'swapped' && meta !== undefined) {
      const other = await catalog.locate(meta.sopInstanceUid);
      if (other !== undefined) yield fileCandidate(storage, other.location.path, location);
    }
    for await (const { path } of storage.walk('quarantine')) {
      if (path.startsWith(`quarantine/${sopInstanceUid}.`)) yield fileCandidate(storage, path, location);
    }
  }
  if ((reach === 'second-archive' || reach === 'both') && fetchBack !== undefined) {
    yield fetchedCandidate(fetchBack, instance);
  }
}

function fetchedCandidate(fetchBack: FetchBack, instance: InstanceLocation): Candidate {
  let fetched: FetchedBack | undefined;
  return {
    name: 'the second archive',
    open: async () => {
      fetched = await fetchBack(instance);
      return fetched?.source;
    },
    close: (isRestored) => fetched?.settled?.(isRestored),
  };
}

/** The data set of a file; whether it is the right one shows when its bytes are counted. */
function fileCandidate(storage: StorageArea, path: string, location: StoredLocation, name = path): Candidate {
  let range: FileRange | undefined;
  return {
    name,
    open: async () => {
      const head = path === location.path ? undefined : await headAt(storage, path);
      const offset =
        head === undefined || head === 'unreadable' ? location.dataSetOffset : head.dataSetOffset;
      range = new FileRange(await storage.open(path), path, offset, location.dataSetBytes);
      return rangeSource(range);
    },
    close: () => range?.close(),
  };
}

/** Why it could not be restored from there; undefined when it was. */
async function tryCandidate(
  site: RepairSite,
  instance: InstanceLocation,
  candidate: Candidate,
  meta: FileMeta | undefined,
): Promise<string | undefined> {
  let failure: string | undefined = 'it does not have it';
  try {
    const source = await candidate.open();
    if (source !== undefined) failure = await putInPlace(site, instance, source, meta);
  } catch (error) {
    failure = messageOf(error);
  }
  candidate.close?.(failure === undefined);
  return failure;
}

async function putInPlace(
  { storage, catalog, aeTitle }: RepairSite,
  instance: InstanceLocation,
  source: ByteSource,
  meta: FileMeta | undefined,
): Promise<string | undefined> {
  const { location, sopInstanceUid, sopClassUid } = instance;
  const head = encodeFileHead(
    {
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid: location.transferSyntaxUid,
      sourceAeTitle: location.sourceAeTitle,
      sendingAeTitle: location.sourceAeTitle,
      receivingAeTitle: meta?.receivingAeTitle ?? aeTitle,
    },
    location.receivedAt,
  );
  const spooled = await storage.spool(head, source);
  try {
    if (spooled.sha256 !== location.sha256) return 'its bytes are not those received';
    const { dataSetOffset, fileBytes } = spooled;
    const isCurrent = (await catalog.locate(sopInstanceUid))?.location.path === location.path;
    if (!isCurrent && dataSetOffset !== location.dataSetOffset) {
      return 'the head of this older content cannot be made again as it was';
    }
    const restored = { ...location, dataSetOffset, fileBytes };
    const isOurs = await storage.exclusively(async () => {
      // Another daemon may have received other content meanwhile.
      if (!(await isListed(catalog, sopInstanceUid, location))) return false;
      await quarantine(storage, location.path, meta?.sopInstanceUid ?? sopInstanceUid);
      await spooled.place(location.path);
      if (isCurrent) await catalog.ask('relocate', { sopInstanceUid, location: restored });
      return true;
    });
    if (!isOurs) return 'other content has its place by now';
    const verdict: Verdict = await examine(storage, { ...instance, location: restored }, atOnce);
    return verdict.result === 'sound' ? undefined : `restored, but ${verdict.reason}`;
  } finally {
    await spooled.discard();
  }
}

/** `sopInstanceUid`: whose content it seems to be, by which it is found again. Answers where it is then; undefined when
 *  there was nothing. */
export async function quarantine(
  storage: StorageArea,
  path: string,
  sopInstanceUid: string,
): Promise<string | undefined> {
  const aside = quarantinePath(sopInstanceUid);
  try {
    await storage.move(path, aside);
    return aside;
  } catch (error) {
    if (codeOf(error) !== 'missing') throw error;
    return undefined;
  }
}
