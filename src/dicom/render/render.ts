// Small pictures of stored instances, made in a thread of low priority, a few of them at hand.

import type { StoredDataSet } from '../transcode/transcode.ts';
import { PictureCache } from './picture-cache.ts';
import { RenderPool } from './render-pool.ts';

export { RenderError, type RenderErrorCode } from './errors.ts';

const pool = new RenderPool({
  script: new URL('./render-worker.ts', import.meta.url),
  idleMs: 30_000,
  deadlineMs: 20_000,
  maxWaiting: 200,
});
// Measured: see docs/architecture.md, Pictures.
const cache = new PictureCache({
  maxBytes: 16 * 1024 * 1024,
  make: (task, signal) => pool.render(task, signal),
});

/** A PNG with no side longer than `size`, of the instance's middle frame. `content` names the bytes of the instance:
 *  the same content gives the same picture. Rejects with a RenderError. */
export function renderThumbnail(
  input: StoredDataSet,
  content: string,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return cache.get(`${content} ${size}`, { ...input, size }, signal);
}
