// Checks every relative path before it touches the disk, although its parts come from validated UIDs already.
import { StorageError } from './storage-error.ts';

/** Directories of the area that hold instances; incoming/ and journal/ are nobody else's business. */
export const KEEPING_DIRECTORIES = ['studies', 'superseded', 'quarantine', 'trash'] as const;

const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;

export interface AreaPath {
  /** Relative to the root of the area, '/' between its parts. */
  readonly directory: string;
  readonly name: string;
}

/** Splits a relative file path; refuses whatever could leave the area or means something to the file system. */
export function splitAreaPath(path: string): AreaPath {
  if (isLonger(path, MAX_PATH_BYTES)) throw refused(path.slice(0, 80), 'it is too long');
  const parts = path.split('/');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') throw refused(path, `it has a part '${part}'`);
    if (part.includes('\0')) throw refused(path, 'it has a NUL character');
    if (isLonger(part, MAX_NAME_BYTES)) throw refused(path, 'a part of it is too long');
  }
  if (parts.length < 2 || !KEEPING_DIRECTORIES.some((directory) => directory === parts[0])) {
    throw refused(path, `it must begin with one of ${KEEPING_DIRECTORIES.join('/, ')}/`);
  }
  const cut = path.lastIndexOf('/');
  return { directory: path.slice(0, cut), name: path.slice(cut + 1) };
}

/** No character takes more than three bytes of UTF-8 for each of its UTF-16 units. */
function isLonger(text: string, bytes: number): boolean {
  return 3 * text.length > bytes && Buffer.byteLength(text) > bytes;
}

function refused(path: string, reason: string): StorageError {
  return new StorageError('bad-path', `path ${JSON.stringify(path)} refused: ${reason}`);
}
