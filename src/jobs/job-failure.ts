// How a job ends before its work is done: it failed, or it was interrupted.

import { PacsError } from '../util/errors.ts';

/** `isFinal`: trying again would lead nowhere. */
export class JobFailure extends PacsError {
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal?: boolean; cause?: unknown } = {}) {
    super('job-failed', message, options.cause === undefined ? undefined : { cause: options.cause });
    this.isFinal = options.isFinal ?? false;
  }
}

export type Interruption = 'cancelled' | 'stopping' | 'lease-lost';

/** The reason with which `signal` is aborted. */
export class JobInterrupted extends PacsError {
  readonly interruption: Interruption;

  constructor(interruption: Interruption) {
    super('job-interrupted', `The job was interrupted: ${interruption}.`);
    this.interruption = interruption;
  }
}
