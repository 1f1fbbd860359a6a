// What the transcoding worker and its pool say to each other.

import type { TranscodeErrorCode } from './errors.ts';

/** One data set, from a file, in another transfer syntax. */
export interface TranscodeTask {
  readonly path: string;
  readonly dataSetOffset: number;
  readonly from: string;
  readonly to: string;
}

/** `credit`: how many more chunks may be sent. */
export type ToWorker =
  | { readonly type: 'start'; readonly task: TranscodeTask; readonly credit: number }
  | { readonly type: 'credit'; readonly credit: number };

export type FromWorker =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly code: TranscodeErrorCode; readonly message: string };
