// An archive on a folder of its own, with the real volume and the real catalogue, in this process.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Archive } from '../../src/archive/archive.ts';
import type { Placed } from '../../src/archive/held-placement.ts';
import { rebuildCatalog } from '../../src/archive/rebuild.ts';
import { RebuildCheckpoint, type Rebuilt } from '../../src/archive/rebuild-checkpoint.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog, type RoutesOf } from '../../src/catalog/open.ts';
import { StorageArea } from '../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../src/util/byte-source.ts';
import type { MadeInstance } from './byte-instances.ts';
import { sha256 } from './byte-services.ts';

export interface OpenedArchive extends AsyncDisposable {
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly faults: string[];
  /** Instances looked at because the durable record named them. */
  readonly replayed: number;
  /** Resolves when the instance is acknowledged, has its file, and is in the catalogue. */
  store(instance: MadeInstance): Promise<Placed>;
  /** Resolves with the acknowledgement. */
  acknowledge(instance: MadeInstance): Promise<void>;
}

/** `now` is asked for every time of receipt. */
export async function openArchive(
  folder: string,
  now: () => Date = () => new Date(),
  catalogFile = 'catalog.sqlite',
  routesOf?: RoutesOf,
): Promise<OpenedArchive> {
  const storage = await StorageArea.open(join(folder, 'archive'), { reserveBytes: 0 });
  const catalog = await openCatalog(`sqlite:${join(folder, catalogFile)}`, undefined, routesOf);
  const archive = new Archive({ storage, catalog, overrides: () => undefined, now });
  const faults: string[] = [];
  archive.on('fault', (message) => faults.push(message));
  const close = async () => {
    await archive.close();
    await catalog.close();
    await storage.close();
  };
  const replayed = await archive.open().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const placed: Placed[] = [];
  archive.on('instanceStored', (one) => placed.push(one));
  const acknowledge = async (instance: MadeInstance) => {
    await archive.store(
      { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' },
      byteSourceOf(instance.dataSet),
    );
  };
  return {
    archive,
    storage,
    catalog,
    faults,
    replayed,
    acknowledge,
    store: async (instance) => {
      await acknowledge(instance);
      await archive.counts();
      const hash = sha256(instance.dataSet);
      const index = placed.findIndex(
        ({ record }) => record.instance.uid === instance.sopInstanceUid && record.location.sha256 === hash,
      );
      assert.ok(index >= 0, `${instance.sopInstanceUid} was acknowledged and nobody was told of its file`);
      return placed.splice(index, 1)[0]!;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** The instances that the archive would retrieve for this study. */
export async function selected(archive: Archive, studyUid: string) {
  const pages = await Array.fromAsync(archive.select({ studyUids: [studyUid] }));
  return pages.flat();
}

/** Rebuilds the catalogue of an archive whose files are all in order. */
export function rebuiltFrom({ storage, catalog }: OpenedArchive, folder: string): Promise<Rebuilt> {
  return rebuildCatalog({
    storage,
    catalog,
    overrides: () => undefined,
    checkpoint: new RebuildCheckpoint(join(folder, 'rebuild.json')),
    onProgress: () => {},
    onDifference: ({ kind, path }) => assert.fail(`${kind} ${path}`),
  });
}
