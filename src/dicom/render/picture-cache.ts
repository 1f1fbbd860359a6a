// Pictures made lately, in memory up to so many bytes; who asks for one that is being made waits for it with the others.

import type { RenderTask } from './render-messages.ts';

export interface PictureCacheOptions {
  readonly maxBytes: number;
  readonly make: (task: RenderTask, signal: AbortSignal) => Promise<Uint8Array>;
}

interface InMaking {
  readonly picture: Promise<Uint8Array>;
  readonly abort: AbortController;
  wanted: number;
}

export class PictureCache {
  readonly #options: PictureCacheOptions;
  /** The one used longest ago first. */
  readonly #made = new Map<string, Uint8Array>();
  readonly #inMaking = new Map<string, InMaking>();
  #bytes = 0;

  constructor(options: PictureCacheOptions) {
    this.#options = options;
  }

  /** The making ends when the last of those who wait aborts. */
  async get(key: string, task: RenderTask, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const made = this.#made.get(key);
    if (made !== undefined) {
      this.#made.delete(key);
      this.#made.set(key, made);
      return made;
    }
    const making = this.#inMaking.get(key) ?? this.#begin(key, task);
    making.wanted += 1;
    const leave = () => {
      making.wanted -= 1;
      if (making.wanted === 0) making.abort.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await making.picture;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #begin(key: string, task: RenderTask): InMaking {
    const abort = new AbortController();
    const picture = this.#options.make(task, abort.signal).then(
      (bytes) => {
        this.#inMaking.delete(key);
        this.#keep(key, bytes);
        return bytes;
      },
      (error: unknown) => {
        this.#inMaking.delete(key);
        throw error;
      },
    );
    const making = { picture, abort, wanted: 0 };
    this.#inMaking.set(key, making);
    return making;
  }

  #keep(key: string, bytes: Uint8Array): void {
    this.#made.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#made) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.#made.delete(oldest);
      this.#bytes -= length;
    }
  }
}
