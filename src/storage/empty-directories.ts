// Directories that hold nothing any more, because what was in them has been deleted. Removing one is safe beside whoever
// receives: the kernel refuses one that holds anything, and Directories.use makes one anew that has gone under its feet.

import { codeOf } from '../util/errors.ts';
import type { Directories } from './directories.ts';
import { removeDirectory } from './file-calls.ts';
import { storageErrorOf } from './storage-error.ts';

const IN_USE: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST']);

/** Removes `path` and those above it, as far as they are empty; never one of the first level, such as studies/. */
export async function removeEmptyDirectories(directories: Directories, path: string): Promise<void> {
  for (let [parent, name] = split(path); parent !== ''; [parent, name] = split(parent)) {
    try {
      await directories.useExisting(parent, (inside) => removeDirectory(inside.at(name)));
    } catch (error) {
      if (IN_USE.has(codeOf(error))) return;
      // Removed before, by an attempt that was cut short or by another daemon.
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'missing') continue;
      throw storageErrorOf(error, `removing the empty directory ${parent}/${name}`);
    }
  }
}

function split(path: string): [parent: string, name: string] {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? ['', path] : [path.slice(0, cut), path.slice(cut + 1)];
}
