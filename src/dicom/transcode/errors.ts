// What can go wrong when a stored instance is re-encoded without loss.

import { PacsError } from '../../util/errors.ts';

/** unsupported: no lossless way between these syntaxes, or a form of pixel data that we do not decode; lossy: the
 *  pixels were changed when they were compressed; malformed: the bytes contradict the standard; limit: they ask for
 *  more than we give; aborted: the caller's signal; failed: the worker or the file gave up. */
export type TranscodeErrorCode =
  | 'transcode-unsupported'
  | 'transcode-lossy'
  | 'transcode-malformed'
  | 'transcode-limit'
  | 'transcode-aborted'
  | 'transcode-failed';

/** Lossless re-encoding is exact or not at all: this says why not. */
export class TranscodeError extends PacsError {
  constructor(code: TranscodeErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** The bytes contradict the standard, or each other. */
export function malformed(message: string): TranscodeError {
  return new TranscodeError('transcode-malformed', message);
}

/** Legal, but nothing that we can undo exactly. */
export function unsupported(message: string): TranscodeError {
  return new TranscodeError('transcode-unsupported', message);
}
