// Opens what every command that works on the archive needs, in order: configuration, volume, catalogue, archive.

import { mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Archive } from '../archive/archive.ts';
import type { CharacterSetOverrides } from '../archive/stored-record.ts';
import type { Catalog, InstanceRecord } from '../catalog/catalog.ts';
import { openCatalog } from '../catalog/open.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.ts';
import { type Config, reserveBytesOf } from '../config/schema.ts';
import { routesOf } from '../jobs/forwarding-rules.ts';
import { StorageArea } from '../storage/storage-area.ts';
import { storageErrorOf } from '../storage/storage-error.ts';
import { type Log, silentLog } from '../util/log.ts';
import { forwardingSettings } from './jobs.ts';
import { complain, usable } from './program.ts';

/** The configuration, and a data directory that is one. */
export async function loadUsable(options: LoadOptions): Promise<LoadedConfig> {
  const loaded = await loadConfig(options);
  const { dataDirectory } = loaded;
  await usable('data directory', () =>
    mkdir(dataDirectory, { recursive: true }).catch((error: unknown) => {
      throw storageErrorOf(error, dataDirectory);
    }),
  );
  return loaded;
}

export interface OpenArchive {
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
}

/** Volume, then catalogue, then what the durable record holds; closed in the opposite order. */
export async function openArchive(
  { archiveDirectory, catalog: address, config }: LoadedConfig,
  log: Log,
  stack: AsyncDisposableStack,
  currentConfig: () => Config = () => config,
): Promise<OpenArchive> {
  const storage = await usable('archive.directory', async () => {
    // The directory above must be there: a volume that is not mounted is not made up for on the system disk.
    const { blocks, bsize } = await statfs(dirname(archiveDirectory));
    return StorageArea.open(archiveDirectory, {
      reserveBytes: reserveBytesOf(config.archive.reserveBytes, blocks * bsize),
      shared: address.engine === 'mariadb',
    });
  });
  stack.defer(() => storage.close());
  if (storage.sweptFiles > 0) log.info('removed unfinished receptions', { files: storage.sweptFiles });
  for (const fault of storage.journal.faults) log.error(`the durable record is damaged: ${fault}`);
  const routes = (record: InstanceRecord) => {
    const { rules, archives } = forwardingSettings(currentConfig());
    return routesOf(record, rules, archives);
  };
  const catalogUrl = address.engine === 'sqlite' ? `sqlite:${address.file}` : config.catalog;
  const catalog = await usable('catalog', () => openCatalog(catalogUrl, (words) => log.warn(words), routes));
  stack.defer(() => catalog.close());
  const overrides = characterSetsOf(currentConfig);
  const archive = new Archive({ storage, catalog, overrides, now: () => new Date() });
  archive.on('fault', (message) => log.error(message));
  const replayed = await usable('archive', () => archive.open());
  if (replayed > 0) log.info('replayed the durable record', { instances: replayed });
  stack.defer(() => archive.close());
  return { archive, storage, catalog, overrides };
}

/** By AE title: what callers use whose labels are missing or wrong. */
export function characterSetsOf(config: () => Config): CharacterSetOverrides {
  return (aeTitle) => config().peers.find((peer) => peer.aeTitle === aeTitle)?.characterSet;
}

export async function openOffline(options: LoadOptions, stack: AsyncDisposableStack) {
  const loaded = await loadUsable(options);
  const log: Log = { ...silentLog, error: complain, warn: complain };
  return {
    ...(await openArchive(loaded, log, stack)),
    config: loaded.config,
    dataDirectory: loaded.dataDirectory,
  };
}
