// What went wrong in a DIMSE operation, as the status it is answered with (PS3.7 Annex C).

import { PacsError } from '../util/errors.ts';

/** Thrown by a service: becomes the failure response. `comment` is sent as Error Comment (LO, 64 characters). */
export class DimseError extends PacsError {
  readonly status: number;
  readonly offendingElement: readonly number[];

  constructor(
    status: number,
    comment: string,
    options: { code?: string; offendingElement?: readonly number[]; cause?: unknown } = {},
  ) {
    super(
      options.code ?? 'dimse-failure',
      comment,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.status = status;
    this.offendingElement = options.offendingElement ?? [];
  }
}

/** A message that breaks PS3.7: the association cannot go on and is aborted. */
export class ProtocolError extends PacsError {}
