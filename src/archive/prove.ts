// Whether what was received is what is on the disk: the bytes of one instance, read again.

import type { InstanceLocation } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf } from '../util/errors.ts';
import { hashDataSet, openDataSet } from './stored-instance.ts';

/** `missing`: no file, or none that can be opened. `damaged`: other bytes, or bytes that cannot be read. */
export type Proof = 'intact' | 'missing' | 'damaged';

/** Reads the whole data set of `instance` and compares it with the hash taken when it came. */
export async function proveInstance(storage: StorageArea, instance: InstanceLocation): Promise<Proof> {
  const { path, dataSetOffset, sha256 } = instance.location;
  try {
    // Opened once for its length alone: most damage shows there.
    (await openDataSet(storage, instance)).close();
    return (await hashDataSet(storage, path, dataSetOffset)) === sha256 ? 'intact' : 'damaged';
  } catch (error) {
    return codeOf(error) === 'instance-missing' || codeOf(error) === 'missing' ? 'missing' : 'damaged';
  }
}
