// What can keep a picture of a stored instance from being made.

import { PacsError } from '../../util/errors.ts';
import { TranscodeError } from '../transcode/errors.ts';

/** unsupported: there is no picture in it, or of a form that is not shown; malformed: the bytes contradict the
 *  standard; limit: they ask for more memory or time than we give; aborted: the caller's signal; busy: too many are
 *  waiting; failed: the thread or the file gave up. */
export type RenderErrorCode =
  | 'render-unsupported'
  | 'render-malformed'
  | 'render-limit'
  | 'render-aborted'
  | 'render-busy'
  | 'render-failed';

export class RenderError extends PacsError {
  declare readonly code: RenderErrorCode;

  constructor(code: RenderErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

export function notShown(message: string): RenderError {
  return new RenderError('render-unsupported', message);
}

export function malformedImage(message: string): RenderError {
  return new RenderError('render-malformed', message);
}

const OF_TRANSCODING: Readonly<Record<string, RenderErrorCode>> = {
  'transcode-unsupported': 'render-unsupported',
  'transcode-lossy': 'render-unsupported',
  'transcode-malformed': 'render-malformed',
  'transcode-limit': 'render-limit',
};

/** What a decoder or the data set reader complained about, as a complaint about the picture. */
export function renderErrorOf(error: unknown): RenderError {
  if (error instanceof RenderError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TranscodeError) {
    return new RenderError(OF_TRANSCODING[error.code] ?? 'render-failed', message, { cause: error });
  }
  return new RenderError('render-failed', `The picture could not be made: ${message}`, { cause: error });
}
