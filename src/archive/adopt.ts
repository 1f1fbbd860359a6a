// A file that nobody has listed is taken in: as it is when it is one of ours, else by receiving its data set.

import { TAG } from '../catalog/attributes.ts';
import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { messageOf } from '../util/errors.ts';
import { FileRange, rangeSource } from '../util/file-range.ts';
import { ArchiveError } from './errors.ts';
import { instancePath, supersededPath, uidsOf } from './instance-path.ts';
import { quarantine, type Repair } from './repair.ts';
import type { Stored, StoreInput } from './store.ts';
import { hashDataSet, readStoredHead, type StoredHead } from './stored-instance.ts';
import { type CharacterSetOverrides, recordOfHead } from './stored-record.ts';

export interface Adopt {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  readonly aeTitle: string;
  readonly now: () => Date;
  store(input: StoreInput, dataSet: ByteSource): Promise<Stored>;
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T>;
}

export async function adoptFile(site: Adopt, path: string): Promise<Repair> {
  try {
    const stored = await readStoredHead(site.storage, path);
    if (stored === undefined) return { isSound: false, outcome: 'it is no DICOM file; move it elsewhere' };
    const isOurs = await provesItself(site.storage, path, stored);
    const record = isOurs ? await recordOfHead(stored, path, site.overrides) : undefined;
    const outcome = record === undefined ? await receive(site, path, stored) : await takeIn(site, record);
    return { isSound: true, outcome };
  } catch (error) {
    return { isSound: false, outcome: `it could not be taken in: ${messageOf(error)}` };
  }
}

async function provesItself(storage: StorageArea, path: string, stored: StoredHead): Promise<boolean> {
  if (!stored.isComplete) return false;
  return (await hashDataSet(storage, path, stored.dataSetOffset)) === stored.meta.integrity?.sha256;
}

/** It says itself when it was received: beside other content of its instance it is the older or the newer one. */
async function takeIn(
  { storage, catalog, withoutReceptions }: Adopt,
  record: InstanceRecord,
): Promise<string> {
  const uids = uidsOf(record);
  const { path, sha256, receivedAt } = record.location;
  return withoutReceptions([record.instance.uid], async () => {
    const current = (await catalog.locate(record.instance.uid))?.location;
    if (current?.sha256 === sha256) {
      await quarantine(storage, path, record.instance.uid);
      return 'the archive has the same content already; the file is in quarantine/';
    }
    const date = record.study.attributes[TAG.StudyDate]?.Value?.[0];
    const place =
      current === undefined
        ? instancePath(uids, typeof date === 'string' ? date : undefined)
        : supersededPath(uids, receivedAt, sha256);
    await storage.move(path, place);
    await catalog.ingest([{ ...record, location: { ...record.location, path: place } }]);
    return place === path ? 'taken into the catalogue' : `taken into the catalogue as ${place}`;
  });
}

/** The file itself stays in quarantine/, or goes back to where it was when it cannot be received. */
async function receive(site: Adopt, path: string, { meta, ...stored }: StoredHead): Promise<string> {
  const { sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAeTitle } = meta;
  const { storage, aeTitle } = site;
  const aside = await quarantine(storage, path, sopInstanceUid);
  if (aside === undefined) throw new ArchiveError('instance-missing', `${path} is not there any more`);
  const range = new FileRange(await storage.open(aside), aside, stored.dataSetOffset, stored.dataSetBytes);
  try {
    const input = { sopClassUid, sopInstanceUid, transferSyntaxUid };
    const from = { sourceAeTitle: sourceAeTitle ?? aeTitle, receivingAeTitle: aeTitle };
    await site.store({ ...input, ...from }, rangeSource(range));
    return `its data set was received; the file itself is now ${aside}`;
  } catch (error) {
    await storage.move(aside, path);
    throw error;
  } finally {
    range.close();
  }
}
