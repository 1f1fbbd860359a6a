// Appends lines to a file that starts anew when it is full, keeping a few older ones beside it. A disk that
// refuses to write costs lines, never memory, and writing goes on when the disk does: winston's own file
// transport falls silent for good after the first ENOSPC, and holds everything that comes after.
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { codeOf } from './errors.ts';

const MAX_QUEUED_CHARACTERS = 1 << 20;

export interface RotatingFileOptions {
  readonly path: string;
  /** A file larger than this is put aside before the next line. */
  readonly maxBytes: number;
  /** The current file and those put aside: `name.log`, `name.1.log`, … */
  readonly maxFiles: number;
  /** Once per outage, with the first error. */
  readonly onError: (error: unknown) => void;
}

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: FileHandle | undefined;
  #bytes = 0;
  #queue: string[] = [];
  #queuedCharacters = 0;
  #lostLines = 0;
  #flushing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Queues one line, without its end; it is on its way to the disk when this returns. */
  write(line: string): void {
    if (this.#queuedCharacters + line.length > MAX_QUEUED_CHARACTERS) {
      this.#lostLines += 1;
      return;
    }
    this.#queue.push(line);
    this.#queuedCharacters += line.length;
    this.#flushing ??= this.#flush();
  }

  /** Everything written so far is in the file, or lost to the disk. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#release();
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const lines = this.#queue;
      const lost = this.#lostLines;
      this.#queue = [];
      this.#queuedCharacters = 0;
      try {
        // The disk may have taken half a line before it refused: the note starts a new one.
        const note = lost > 0 ? `\n(${lost} lines could not be written here)\n` : '';
        await this.#append(`${note}${lines.join('\n')}\n`);
        this.#lostLines -= lost;
      } catch (error) {
        if (this.#lostLines === 0) this.#options.onError(error);
        this.#lostLines += lines.length;
        await this.#release();
      }
    }
    this.#flushing = undefined;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#handle ??= await this.#open();
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.maxBytes) {
      await this.#release();
      await this.#putAside();
      this.#handle = await this.#open();
    }
    await this.#handle.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    // Logs are for the owner of the archive: they name machines, and patients if asked to.
    const handle = await open(path, 'a', 0o600);
    this.#bytes = (await handle.stat()).size;
    return handle;
  }

  async #putAside(): Promise<void> {
    const { path, maxFiles } = this.#options;
    const extension = extname(path);
    const name = (n: number) => (n === 0 ? path : `${path.slice(0, -extension.length)}.${n}${extension}`);
    for (let n = maxFiles - 2; n >= 0; n -= 1) {
      await rename(name(n), name(n + 1)).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    }
  }

  async #release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // A close that fails has nothing more to tell: the write before it failed already.
    await handle?.close().catch(() => undefined);
  }
}
