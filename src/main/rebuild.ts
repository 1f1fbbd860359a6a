// `rebuild`: the catalogue from the volume alone.

import { join } from 'node:path';
import { rebuildCatalog } from '../archive/rebuild.ts';
import { RebuildCheckpoint } from '../archive/rebuild-checkpoint.ts';
import { rebuildTrash } from '../archive/trash-rebuild.ts';
import type { LoadOptions } from '../config/load.ts';
import { openOffline } from './open-archive.ts';
import { complain, EXIT, say } from './program.ts';
import { Progress } from './progress.ts';

export async function rebuild(options: LoadOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog, overrides, dataDirectory } = await openOffline(options, stack);
  const checkpoint = new RebuildCheckpoint(join(dataDirectory, 'rebuild.json'));
  const before = (await checkpoint.resume(catalog))?.counts.files ?? 0;
  if (before > 0) say(`going on behind ${before} files`);
  const progress = new Progress('files', before);
  let total = 0;
  const count = async () => {
    for (const part of ['studies', 'superseded']) {
      for await (const { files } of storage.walkInOrder(part, undefined)) total += files.length;
    }
    progress.expect(total);
  };
  const counted = count().catch(() => undefined); // it only tells how long it will take
  const { files, added, changed, gone, unreadable } = await rebuildCatalog({
    storage,
    catalog,
    overrides,
    checkpoint,
    onProgress: (soFar) => progress.at(soFar.files),
    onDifference: ({ kind, path, reason }) => say(`${kind} ${path}: ${reason}`),
  });
  await counted;
  progress.end();
  const trashed = await rebuildTrash(storage, catalog, overrides, (path, reason) =>
    complain(`${path}: ${reason}`),
  );
  if (trashed > 0) say(`listed ${trashed} files of the trash again`);
  say(`read ${files} files: added ${added}, gone ${gone}, changed ${changed}, unreadable ${unreadable}`);
  return gone + unreadable === 0 ? EXIT.done : EXIT.failed;
}
