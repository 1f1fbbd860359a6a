// Why the archive could not do something. Doors map the reason to their own statuses; nothing here knows DIMSE or HTTP.

import { CatalogError } from '../catalog/errors.ts';
import { PacsError } from '../util/errors.ts';

export type ArchiveFailure =
  | 'invalid-uid'
  | 'invalid-request'
  | 'sop-mismatch'
  | 'unreadable'
  | 'no-space'
  | 'storage-failed'
  | 'catalog-unavailable'
  | 'not-found'
  | 'protected'
  | 'trash-busy'
  | 'instance-missing'
  | 'instance-damaged';

/** `code` is the reason; `tag` the offending attribute where there is one. */
export class ArchiveError extends PacsError {
  declare readonly code: ArchiveFailure;
  readonly tag: number | undefined;

  constructor(reason: ArchiveFailure, message: string, options: { tag?: number; cause?: unknown } = {}) {
    super(reason, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.tag = options.tag;
  }
}

/** A failure of the catalogue as one of the archive; others pass. */
export function unavailable(error: unknown): unknown {
  if (!(error instanceof CatalogError)) return error;
  const reason = error.code === 'catalog-request' ? 'invalid-request' : 'catalog-unavailable';
  return new ArchiveError(reason, error.message, { cause: error });
}
