// What can go wrong on the volume: a stable code to branch on, system error numbers turned into words.
import { codeOf, messageOf, PacsError } from '../util/errors.ts';

/** `no-space` full or below the reserve; `exists`/`missing` the name; `bad-path` refused name or symbolic link;
 *  `in-use` another daemon holds the area; `unusable` cannot be written at all; `io` the disk failed. */
export type StorageErrorCode =
  | 'no-space'
  | 'exists'
  | 'missing'
  | 'bad-path'
  | 'in-use'
  | 'unusable'
  | 'io'
  | 'too-large'
  | 'closed';

export class StorageError extends PacsError {
  declare readonly code: StorageErrorCode;

  // Narrows what the root class takes: only the codes above.
  constructor(code: StorageErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

const KINDS: ReadonlyMap<string, readonly [StorageErrorCode, string]> = new Map([
  ['ENOSPC', ['no-space', 'the volume is full; free some space']],
  ['EDQUOT', ['no-space', 'the quota is used up; raise it or free some space']],
  ['EEXIST', ['exists', 'a file of that name is already there']],
  ['ENOENT', ['missing', 'it is not there']],
  ['ELOOP', ['bad-path', 'a symbolic link is in the way and is not followed']],
  ['ENOTDIR', ['bad-path', 'something that is not a directory is in the way']],
  ['ENAMETOOLONG', ['bad-path', 'the name is too long for this volume']],
  ['EROFS', ['unusable', 'the volume is mounted read-only']],
  ['EACCES', ['unusable', 'permission denied; give the daemon’s user write access']],
  ['EPERM', ['unusable', 'the volume does not permit it']],
  ['EXDEV', ['unusable', 'the directories of the archive must lie on one volume']],
]);

/** The StorageError for whatever a file call threw while doing `what`; one that is a StorageError already passes. */
export function storageErrorOf(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const systemCode = codeOf(error);
  const [code, words] = KINDS.get(systemCode ?? '') ?? ['io', messageOf(error)];
  const mark = systemCode === undefined ? '' : ` (${systemCode})`;
  return new StorageError(code, `${what}: ${words}${mark}`, { cause: error });
}
