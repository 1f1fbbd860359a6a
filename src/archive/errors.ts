// Why the archive could not do something. Doors map the reason to their own statuses; nothing here knows DIMSE or HTTP.

import { PacsError } from '../util/errors.ts';

export type ArchiveFailure =
  | 'invalid-uid'
  | 'invalid-request'
  | 'sop-mismatch'
  | 'unreadable'
  | 'no-space'
  | 'storage-failed'
  | 'catalog-unavailable'
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
