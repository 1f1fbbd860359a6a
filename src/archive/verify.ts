// Proves the archive: every file is read again and compared with its own record and with the catalogue's.

import { basename } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { hashDataSet, readStoredHead } from './stored-instance.ts';

/** `missing`: in the catalogue, not on the volume. `altered`: other bytes than were received. `unknown`: on the
 *  volume, not in the catalogue. */
export interface Finding {
  readonly kind: 'missing' | 'altered' | 'unknown';
  readonly path: string;
  readonly reason: string;
}

export interface Verified {
  readonly files: number;
  readonly bytes: number;
}

const ALL_INSTANCES = { level: 'IMAGE', identifier: {} } as const;
const SOP_INSTANCE_UID = '00080018';

/** Yields findings as they come up; returns what was read. Every instance of the catalogue and every file under
 *  studies/ is looked at once. */
export async function* verifyArchive(
  storage: StorageArea,
  catalog: Catalog,
): AsyncGenerator<Finding, Verified> {
  let files = 0;
  let bytes = 0;
  for await (const { path, kind, bytes: size } of storage.walk()) {
    if (kind !== 'file') {
      yield { kind: 'unknown', path, reason: 'it is not a plain file' };
      continue;
    }
    files += 1;
    bytes += size;
    const finding = await verifyFile(storage, catalog, path).catch((error: unknown) => ({
      kind: 'altered' as const,
      path,
      reason: `it cannot be read: ${messageOf(error)}`,
    }));
    if (finding !== undefined) yield finding;
  }
  yield* missingFiles(storage, catalog);
  return { files, bytes };
}

/** The catalogue is asked by file name, which is the SOP Instance UID: a file that cannot be read any more, or that
 *  changed places with another, is then still known for what it was. */
async function verifyFile(
  storage: StorageArea,
  catalog: Catalog,
  path: string,
): Promise<Finding | undefined> {
  const known = await catalog.locate(basename(path, '.dcm'));
  if (known?.location.path !== path) {
    const isOurs = (await readStoredHead(storage, path))?.meta.integrity !== undefined;
    const reason = isOurs
      ? 'the catalogue does not hold it; rebuild brings it in'
      : 'it is not a file of this archive';
    return { kind: 'unknown', path, reason };
  }
  const stored = await readStoredHead(storage, path);
  if (stored === undefined) return { kind: 'altered', path, reason: 'its head cannot be read' };
  const { location } = known;
  if (stored.dataSetBytes !== location.dataSetBytes) {
    const reason = `it holds ${stored.dataSetBytes} bytes of data set, ${location.dataSetBytes} were received`;
    return { kind: 'altered', path, reason };
  }
  const sha256 = await hashDataSet(storage, path, stored.dataSetOffset);
  if (sha256 === location.sha256 && sha256 === stored.meta.integrity?.sha256) return undefined;
  return { kind: 'altered', path, reason: 'its bytes are not those received' };
}

async function* missingFiles(storage: StorageArea, catalog: Catalog): AsyncGenerator<Finding> {
  for await (const page of catalog.find(ALL_INSTANCES)) {
    const sopInstanceUids = page
      .flatMap(({ attributes }) => attributes[SOP_INSTANCE_UID]?.Value ?? [])
      .map(String);
    for await (const instances of catalog.select({ sopInstanceUids })) {
      for (const { location } of instances) {
        const error = await storage.open(location.path).then(
          (handle) => handle.close(),
          (failure: unknown) => failure,
        );
        if (codeOf(error) === 'missing') {
          yield {
            kind: 'missing',
            path: location.path,
            reason: 'the catalogue holds it, the volume does not',
          };
        }
      }
    }
  }
}
