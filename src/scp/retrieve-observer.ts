// Who is told what went wrong in a retrieval: each failed sub-operation names its instance.

import type { Association } from '../dimse/listener.ts';
import type { StoreResult } from '../scu/store.ts';

export interface RetrieveObserver {
  subOperationFailed(association: Association, destinationAeTitle: string, result: StoreResult): void;
  destinationUnreachable(association: Association, destinationAeTitle: string, error: Error): void;
}
