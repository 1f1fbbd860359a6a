// What deleting and bringing back work on, and whom they tell what they could not do.

import type { Catalog } from '../catalog/catalog.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import type { CharacterSetOverrides } from './stored-record.ts';

export interface TrashSite {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
  readonly now: () => Date;
  /** See StoreService. */
  withoutReceptions<T>(sopInstanceUids: readonly string[], work: () => Promise<T>): Promise<T>;
  onFault(message: string): void;
}
