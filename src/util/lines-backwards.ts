// The lines of text files from the last to the first, without holding more than a piece of them.
import { open } from 'node:fs/promises';
import { codeOf } from './errors.ts';

const PIECE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Files newest first; one that is not there has no lines. Ends when `maxBytes` have been read. */
export async function* linesBackwards(files: readonly string[], maxBytes: number): AsyncGenerator<string> {
  let left = maxBytes;
  for (const file of files) {
    try {
      await using handle = await open(file, 'r');
      let end = (await handle.stat()).size;
      // The beginning of a line whose end has been read already.
      let rest = Buffer.alloc(0);
      while (end > 0 && left > 0) {
        const bytes = Math.min(PIECE_BYTES, end);
        end -= bytes;
        left -= bytes;
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, end);
        let piece = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
        for (let at = piece.lastIndexOf(NEWLINE); at !== -1; at = piece.lastIndexOf(NEWLINE)) {
          if (at + 1 < piece.length) yield piece.toString('utf8', at + 1);
          piece = piece.subarray(0, at);
        }
        // A line without end is none of ours.
        rest = piece.length > maxBytes ? Buffer.alloc(0) : Buffer.from(piece);
      }
      if (end === 0 && rest.length > 0) yield rest.toString('utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}
