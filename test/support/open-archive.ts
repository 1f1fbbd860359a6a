// An archive on a folder of its own, with the real volume and the real catalogue, in this process.
import { join } from 'node:path';
import { Archive } from '../../src/archive/archive.ts';
import type { StoreOutcome } from '../../src/archive/store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog } from '../../src/catalog/open.ts';
import { StorageArea } from '../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../src/util/byte-source.ts';
import type { MadeInstance } from './byte-instances.ts';

export interface OpenedArchive extends AsyncDisposable {
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly faults: string[];
  /** Instances looked at because the durable record named them. */
  readonly replayed: number;
  store(instance: MadeInstance): Promise<StoreOutcome>;
}

/** `now` is asked for every time of receipt. */
export async function openArchive(
  folder: string,
  now: () => Date = () => new Date(),
  catalogFile = 'catalog.sqlite',
): Promise<OpenedArchive> {
  const storage = await StorageArea.open(join(folder, 'archive'), { reserveBytes: 0 });
  const catalog = await openCatalog(`sqlite:${join(folder, catalogFile)}`);
  const archive = new Archive({ storage, catalog, overrides: () => undefined, now });
  const faults: string[] = [];
  archive.on('fault', (message) => faults.push(message));
  const replayed = await archive.open();
  return {
    archive,
    storage,
    catalog,
    faults,
    replayed,
    store: (instance) =>
      archive.store(
        { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' },
        byteSourceOf(instance.dataSet),
      ),
    [Symbol.asyncDispose]: async () => {
      await archive.close();
      await catalog.close();
      await storage.close();
    },
  };
}

/** The instances that the archive would retrieve for this study. */
export async function selected(archive: Archive, studyUid: string) {
  const pages = await Array.fromAsync(archive.select({ studyUids: [studyUid] }));
  return pages.flat();
}
