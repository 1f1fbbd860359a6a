// `rebuild`: the catalogue from the volume alone.

import { rebuildCatalog } from '../archive/rebuild.ts';
import { rebuildTrash } from '../archive/trash-rebuild.ts';
import type { LoadOptions } from '../config/load.ts';
import { openOffline } from './open-archive.ts';
import { complain, EXIT, say } from './program.ts';

export async function rebuild(options: LoadOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog, overrides } = await openOffline(options, stack);
  const { indexed, unreadable } = await rebuildCatalog(storage, catalog, overrides, (path, reason) =>
    complain(`${path}: ${reason}`),
  );
  const trashed = await rebuildTrash(storage, catalog, overrides, (path, reason) =>
    complain(`${path}: ${reason}`),
  );
  if (trashed > 0) say(`listed ${trashed} files of the trash again`);
  say(`indexed ${indexed} instances, ${unreadable} files could not be read`);
  return unreadable === 0 ? EXIT.done : EXIT.failed;
}
