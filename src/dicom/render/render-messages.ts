// What the rendering thread and its pool say to each other.

import type { RenderErrorCode } from './errors.ts';

export interface RenderTask {
  readonly path: string;
  readonly dataSetOffset: number;
  readonly transferSyntaxUid: string;
  /** No side of the picture is longer. */
  readonly size: number;
}

export type RenderAnswer =
  | { readonly type: 'png'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'error'; readonly code: RenderErrorCode; readonly message: string };
