// Who is told of sub-operations that failed: each one names its instance.

import type { Association } from '../dimse/listener.ts';
import type { StoreResult } from '../scu/store.ts';

export interface RetrieveObserver {
  subOperationFailed(association: Association, destinationAeTitle: string, result: StoreResult): void;
}
