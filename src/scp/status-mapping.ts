// What the archive's failures are called in DIMSE (PS3.4 §B.2.3 and C.4): the only place where the two meet.

import { ArchiveError, type ArchiveFailure } from '../archive/errors.ts';
import { DimseError } from '../dimse/errors.ts';
import { Status } from '../dimse/status.ts';

const STORE_STATUS: Record<ArchiveFailure, number> = {
  'invalid-uid': Status.cannotUnderstand,
  'invalid-request': Status.processingFailure,
  'sop-mismatch': Status.dataSetDoesNotMatchSopClass,
  unreadable: Status.cannotUnderstand,
  'no-space': Status.outOfResources,
  'storage-failed': Status.processingFailure,
  'catalog-unavailable': Status.outOfResources,
  'not-found': Status.processingFailure,
  protected: Status.processingFailure,
  'trash-busy': Status.processingFailure,
  'instance-missing': Status.processingFailure,
  'instance-damaged': Status.processingFailure,
};

/** For C-STORE. */
export function storeFailure(error: unknown): unknown {
  return error instanceof ArchiveError ? dimseError(error, STORE_STATUS[error.code]) : error;
}

/** For C-FIND, C-MOVE and C-GET: the catalogue being away is 0xA700 or 0xA701 (PS3.4 Tables C.4-1 to C.4-3). */
export function queryFailure(error: unknown, whenUnavailable: number): unknown {
  if (!(error instanceof ArchiveError)) return error;
  return dimseError(error, error.code === 'catalog-unavailable' ? whenUnavailable : Status.unableToProcess);
}

function dimseError(error: ArchiveError, status: number): DimseError {
  return new DimseError(status, error.message, {
    code: error.code,
    cause: error,
    ...(error.tag === undefined ? {} : { offendingElement: [error.tag] }),
  });
}
